"""What users can do wrong is said in one line, whatever the line quotes."""

from __future__ import annotations

import pytest

from mockserver.errors import Misuse, SuiteError


@pytest.mark.parametrize(
    ("quoted", "line"),
    [
        pytest.param("one\ntwo", r"x: one\ntwo", id="newline"),
        pytest.param("\x1b[31m", r"x: \x1b[31m", id="terminal"),
        pytest.param("\ud83d", r"x: \ud83d", id="half-a-character"),
        pytest.param("crème", "x: crème", id="letters-stay"),
        pytest.param("y" * 5_000, f"x: {'y' * 997}…", id="long"),
    ],
)
def test_errors_are_one_line(quoted: str, line: str) -> None:
    assert line == str(Misuse(f"x: {quoted}"))
    assert isinstance(Misuse(""), SuiteError)
