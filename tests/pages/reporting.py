"""A report for the tests that look at one in a browser."""

from __future__ import annotations

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.reports.html import as_html
from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.rules import RULES, Rule

KEY = Secret("full", "fm_api_test_of_the_report")
MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"


def report() -> str:
    """Return the report of a run in which each verdict occurs, two rules broken, one of them widely."""
    ledger = Ledger()
    for rule in list(RULES.values())[8:]:
        ledger.keep(rule, "GET /health")
    ledger.break_(_breach(rules.KEY_MISSING, "POST /v1/{account_id}/chats"))
    for number in range(5):
        ledger.break_(_breach(rules.FLAT, f"GET /v1/{number}"))
    ledger.leave(rules.BEARER, "needs a key")
    ledger.fail(rules.X_API_KEY, "GET /health: KeyError: 'data'")
    return as_html(Outcome("http://127.0.0.1:4010", "openapi.yaml", 93, 1234, 5.25, ledger, False))


def _breach(rule: Rule, operation: str) -> Breach:
    request = Request("POST", "/v1/1001/chats", (), (("X-API-Key", "", KEY),), b'{"a": "b"}')
    answer = {"content-type": "text/html"}
    exchange = Exchange(request, 200, answer, MARKUP.encode(), frozenset({KEY.value}))
    return Breach(rule, operation, "401 without a body", f"200 with {MARKUP}", exchange)
