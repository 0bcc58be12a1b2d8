"""What a single answer doesn't show, or what looks like no answer at all, is found all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract_tests.verdicts import Ledger, Verdict
from mockserver import rules
from mockserver.rules import Rule
from tests.gate.wrong_servers import (
    Answer,
    Ask,
    Change,
    WrongServer,
    flat,
    judged,
    succeeded,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

KEPT, BROKEN, LEFT, ERROR = Verdict.KEPT, Verdict.BROKEN, Verdict.NOT_CHECKED, Verdict.ERROR


def verdict(ledger: Ledger, rule: Rule) -> Verdict:
    return ledger.findings[rule.id].verdict


def reason(ledger: Ledger, rule: Rule) -> str:
    return ledger.findings[rule.id].reason


def unchanged(environ: WSGIEnvironment, ask: Ask) -> Answer:
    return ask(environ)


def instead(answer: Answer) -> Change:
    """Return what answers every valid request with ``answer``."""

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        right = ask(environ)
        return answer if succeeded(right) else right

    return change


REDIRECT = ("302 Found", [("Location", "https://login.example.com/"), ("Content-Length", "0")], b"")


@pytest.mark.parametrize("answer", [flat("500 Oops"), REDIRECT], ids=["500", "302"])
def test_a_failure_in_the_place_of_every_success(answer: Answer) -> None:
    """It is a breach, and it keeps no rule that says who is let in."""
    reads = [rules.BEARER, rules.X_API_KEY, rules.HEADERS_EQUIVALENT, rules.PERMISSION_GRANTED]
    asked = [rule.id for rule in (rules.ENVELOPE, *reads)]
    server = WrongServer(instead(answer))
    ledger = judged(server, *asked, allow_writes=False)

    assert BROKEN is verdict(ledger, rules.ENVELOPE)
    (breach, *_) = ledger.findings[rules.ENVELOPE.id].breaches
    assert "a success, for a valid request" == breach.allowed
    chats = "GET /v1/{account_id}/chats"
    assert not [r.id for r in reads if chats in ledger.findings[r.id].exercised]
    assert not [f.errors for f in ledger.findings.values() if f.verdict is ERROR]


def test_one_operation_that_always_fails() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        dead = environ["PATH_INFO"].endswith("/lists") and environ["REQUEST_METHOD"] == "GET"
        answer = ask(environ)
        return flat("500 Oops") if dead and succeeded(answer) else answer

    ledger = judged(WrongServer(change), "envelope.success", fully=True)

    assert "GET /v1/{account_id}/lists" in {
        breach.operation for breach in ledger.findings["envelope.success"].breaches
    }


def test_a_real_upstream_may_be_down() -> None:
    """Its flat 502 breaks nothing, and keeps nothing."""
    server = WrongServer(instead(flat("502 Bad Gateway")))
    ledger = judged(server, "auth.bearer", "envelope.success", fully=True, allow_writes=False)
    blamed = {breach.operation for breach in ledger.findings["envelope.success"].breaches}

    assert "GET /v1/accounts" in blamed
    assert "GET /v1/{account_id}/chats" not in blamed
    assert "GET /v1/{account_id}/chats" not in ledger.findings["auth.bearer"].exercised


def test_a_success_of_an_undocumented_status() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        _, headers, body = answer = ask(environ)
        return ("203 Odd", headers, body) if succeeded(answer) else answer

    ledger = judged(WrongServer(change), "envelope.success")

    assert BROKEN is verdict(ledger, rules.ENVELOPE)
    assert "203" == ledger.findings["envelope.success"].breaches[0].found
