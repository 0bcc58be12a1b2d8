"""Whatever a server answers is text in every report, and no key that it repeats is left in any."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from contract_tests.baseline import Gap, Judged
from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.masking import masked
from contract_tests.reports import WRITERS
from contract_tests.reports.outcome import Outcome
from contract_tests.reports.terminal import print_outcome
from contract_tests.samples import bearer
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules

KEY = Secret("full", "fm_api_live_51f0c9a7e2")
ASK = Request("GET", "/v1/1001/chats", (), (bearer(KEY),))
FORMS = {
    "url": "".join(f"%{byte:02x}" for byte in KEY.value.encode()),
    "json": "".join(f"\\u{ord(c):04x}" for c in KEY.value),
    "html": "".join(f"&#{ord(c)};" for c in KEY.value),
    "base64": b64encode(KEY.value.encode()).decode(),
}
"""The key as a server may write it back."""
ACTING = "</pre><script>alert(1)</script>]]> \x1b[31mred \x00 [link](http://x) | cell "


def outcome(padding: int = 0) -> Outcome:
    """Return a run in which a server repeated the key wherever it could."""
    ledger = Ledger()
    body = json.dumps({"error": "x" * padding + ACTING + KEY.value}).encode()
    request = Request("GET", f"/v1/1001/chats?q={KEY.value}", (), (bearer(KEY),))
    exchange = Exchange(
        request, 200, {"content-type": ACTING + KEY.value}, body, frozenset({KEY.value, ""})
    )
    ledger.break_(Breach(rules.KEY_REVOKED, "GET /v1/x", "401", ACTING + KEY.value, exchange))
    ledger.fail(rules.DAY, ACTING)
    ledger.leave(rules.MINUTE, ACTING)
    gap = Gap(rules.KEY_REVOKED.id, "https://api.example.com", ACTING, date(2100, 1, 1))
    accepted = Judged({gap.rule: gap})
    return finished(ledger, accepted)


def finished(ledger: Ledger, baseline: Judged | None = None) -> Outcome:
    return Outcome(
        "https://api.example.com",
        "openapi.yaml",
        93,
        1,
        1.0,
        ledger,
        strict=False,
        baseline=baseline or Judged(),
    )


@pytest.mark.parametrize("padding", range(540, 600, 7))
@pytest.mark.parametrize("name", WRITERS)
def test_no_report_shows_a_part_of_a_key(name: str, padding: int) -> None:
    """Wherever the text is cut, what is left of the key is masked."""
    text = WRITERS[name](outcome(padding))

    assert KEY.value[:12] not in text


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("form", FORMS)
def test_no_report_shows_a_key_in_another_form(form: str, name: str) -> None:
    """A page is no exception, nor is what stands in a header."""
    written = FORMS[form]
    body = b"no such key: " + written.encode()
    exchange = Exchange(ASK, 200, {"allow": written, "date": written}, body, {KEY.value})
    ledger = Ledger()
    ledger.break_(Breach(rules.KEY_REVOKED, "GET /v1/x", "401", written, exchange))

    assert written not in WRITERS[name](finished(ledger))


@pytest.mark.parametrize("name", WRITERS)
def test_no_report_acts(name: str) -> None:
    text = WRITERS[name](outcome())

    assert "\x1b" not in text
    assert "\x00" not in text
    assert name == "json" or "<script>alert" not in text
    assert name != "md" or "[link](http" not in text


def test_a_body_is_searched_once_for_all_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may have filled it with escapes, which take their time to read."""
    searched: list[str] = []

    def noting(text: str, keys: Collection[str]) -> str:
        searched.append(text)
        return masked(text, keys)

    monkeypatch.setattr("contract_tests.exchange.masked", noting)
    run = outcome(padding=10_000)
    for name in ("json", "junit", "md"):
        WRITERS[name](run)

    assert 1 == sum(len(text) > 10_000 for text in searched)


def test_the_terminal_shows_text(tmp_path: Path) -> None:
    file = tmp_path / "terminal.txt"
    with file.open("w") as stream:
        print_outcome(outcome(), Console(file=stream, width=160))
    text = file.read_text()

    assert "\x1b" not in text
    assert KEY.value[:12] not in text
    assert "red" in text


def test_an_empty_key_masks_nothing() -> None:
    exchange = Exchange(Request("GET", "/"), 200, {}, b"plain", frozenset({""}))

    assert "plain" == exchange.shown()["response"]["body"]
