"""How a run tells how far it is."""

from __future__ import annotations

import pytest

from contract_tests.progress import progress_of


def test_no_bar_goes_into_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the environment asks for colors, as CI services do."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress_of("checking", 3) as advance:
        for _ in range(3):
            advance("auth.bearer")

    assert "" == capsys.readouterr().err
