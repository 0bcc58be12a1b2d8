"""A Date that names no day is no Date: what rests on it is judged without it, and nothing breaks."""

from __future__ import annotations

import json

import pytest

from contract_tests.exchange import Exchange, Request
from contract_tests.headroom import Falling
from contract_tests.outside import when_counted
from contract_tests.proxy.watch import Answer, Watcher
from contract_tests.verdicts import Ledger
from mockserver import rules
from mockserver.contract import Contract

ODD = [
    "Sat, 31 Jan 99999999999999999999 10:20:30 GMT",
    "Sat, 31 Jan 2026 10:20:30 +99999999999999",
    "Sat, 99 Jan 2026 10:20:30 GMT",
    "yesterday",
    "",
]
CHATS = "/v1/1001/chats"


def answer(date: str, left: int) -> Exchange:
    limits = {"limit_minute": 9, "remaining_minute": left, "limit_day": 9, "remaining_day": left}
    body = json.dumps({"data": {}, "_meta": {"_rate_limits": limits}}).encode()
    return Exchange(Request("GET", CHATS), 200, {"date": date}, body)


@pytest.mark.parametrize("date", ODD)
def test_an_odd_date_is_none(date: str) -> None:
    assert answer(date, 8).date is None
    assert (7.0, 9.0) == when_counted(answer(date, 8), took=2.0, now=9.0)


@pytest.mark.parametrize("date", ODD)
def test_an_odd_date_doesnt_break_the_exploration(date: str, contract: Contract) -> None:
    ledger, falling = Ledger([rules.COUNTS_DOWN]), Falling()
    for left in (8, 8):
        falling.judge(ledger, answer(date, left), contract.operations["listChats"])

    assert 0 == ledger.findings["rate.counts-down"].times


@pytest.mark.parametrize("date", ODD)
def test_an_odd_date_doesnt_break_the_proxy(date: str, contract: Contract) -> None:
    watcher = Watcher(contract, lambda _: None)
    for left in (8, 7):
        headers = [("Authorization", "Bearer fm_api_test_full")]
        passing = watcher.begin("GET", CHATS, CHATS, headers)
        came = answer(date, left)
        watcher.end(passing, Answer(200, [("Date", date)], came.body, b"", 0), 0.1)
    finding = watcher.ledger.findings["rate.counts-down"]

    assert [] == finding.errors
    assert 1 == finding.times
