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


def answer(date: str, left: int, of_the_day: int | None = None) -> Exchange:
    day = left if of_the_day is None else of_the_day
    limits = {"limit_minute": 9, "remaining_minute": left, "limit_day": 9, "remaining_day": day}
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


def seen(*told: tuple[str, int], contract: Contract, held: bool = False) -> Ledger:
    """Return what is found of answers at these times that leave so much."""
    ledger, falling = Ledger([rules.COUNTS_DOWN]), Falling(held=held)
    for time, left in told:
        came = answer(f"Sat, 31 Jan 2026 {time} GMT", left)
        falling.judge(ledger, came, contract.operations["listChats"])
    return ledger


def test_a_window_may_begin_at_any_second_but_not_twice(contract: Contract) -> None:
    """Nobody says that windows begin with the minute; some begin with their first request."""
    once = [("12:00:10", 8), ("12:00:20", 9), ("12:00:30", 8)]
    twice = [*once, ("12:00:40", 9), ("12:00:50", 8)]

    assert [] == seen(*once, contract=contract).findings["rate.counts-down"].breaches
    assert 1 == len(seen(*twice, contract=contract).findings["rate.counts-down"].breaches)
    assert seen(*once, contract=contract, held=True).findings["rate.counts-down"].breaches


@pytest.mark.parametrize(("passed", "expected"), [(61.0, 0), (31.0, 1)])
def test_front_ends_whose_clocks_disagree_break_nothing(
    passed: float, expected: int, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute passes between two beginnings of it, whatever the Date of each answer says."""
    times = iter((0.0, 0.1, 1.0, 1.1, passed - 1, passed - 0.9, passed, passed + 0.1))
    monkeypatch.setattr("contract_tests.outside.stopwatch", lambda: next(times))
    ledger, falling = Ledger([rules.COUNTS_DOWN]), Falling()
    told = [("12:00:10", 1), ("12:00:11", 9), ("12:01:09", 2), ("12:00:41", 9)]
    for of_the_day, (time, left) in zip((9, 8, 7, 6), told, strict=True):
        came = answer(f"Sat, 31 Jan 2026 {time} GMT", left, of_the_day)
        falling.judge(ledger, came, contract.operations["listChats"])

    assert expected == len(ledger.findings["rate.counts-down"].breaches)
