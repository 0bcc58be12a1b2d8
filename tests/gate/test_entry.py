"""Without the extra `gate`, the command says what to install."""

from __future__ import annotations

import sys

import pytest

from contract_tests.entry import main


def test_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "contract_tests.cli", raising=False)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(SystemExit) as ended:
        main()

    assert 2 == ended.value.code
    assert "rich.console is not installed; run: pip install" in capsys.readouterr().err
