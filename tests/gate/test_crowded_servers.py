"""Servers that other people use too: their requests, and data that changes by itself, break no rule."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.likeness import agrees
from contract_tests.verdicts import Verdict
from mockserver import rules
from tests.gate.wrong_servers import (
    KEYS,
    Answer,
    Ask,
    Change,
    WrongServer,
    asking,
    judged,
    key_of,
    rewriting,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

EXACT = (
    rules.NO_CREDIT_401,
    rules.HEADERS_EQUIVALENT,
    rules.COUNTS_DOWN,
    rules.SHARED_BY_ORG,
    rules.ORGS_INDEPENDENT,
    rules.CREDIT_ERRORS,
)
"""The rules that compare headrooms exactly."""


def busy(share: float) -> Change:
    """Return what lets somebody else ask after such a ``share`` of all requests."""
    chance = random.Random(7)  # noqa: S311  # the same chance in every run

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        answer = ask(environ)
        if chance.random() < share:
            ask(asking("/v1/1001/chats", KEYS["second"]))
        return answer

    return change


@pytest.mark.parametrize("share", [0.03, 0.2])
def test_requests_of_others_break_nothing(share: float) -> None:
    ledger = judged(WrongServer(busy(share)), *(rule.id for rule in EXACT), fully=True)
    findings = ledger.findings.values()

    assert [] == [(f.rule.id, b.operation, b.found) for f in findings for b in f.breaches]
    assert [] == [f.errors for f in findings if f.errors]
    assert Verdict.KEPT is ledger.findings[rules.COUNTS_DOWN.id].verdict


def charging_twice(environ: WSGIEnvironment, ask: Ask) -> Answer:
    answer = ask(environ)
    if answer[0].startswith("413"):
        ask(asking("/v1/1001/chats", key_of(environ)))
    return answer


def test_what_is_taken_every_time_is_a_breach_for_all_that() -> None:
    ledger = judged(WrongServer(charging_twice), rules.CREDIT_ERRORS.id)

    assert Verdict.BROKEN is ledger.findings[rules.CREDIT_ERRORS.id].verdict


def moving() -> Change:
    """Return what puts a new signature behind every link, and a link into every record."""
    numbers = itertools.count()

    def sign(value: Any) -> None:
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                for member in list(item.values()):
                    sign(member)
                if "id" in item:
                    item["thumb"] = f"https://cdn.example.com/a.jpg?signature={next(numbers)}"

    return rewriting(lambda body: sign(body["data"]))


MOVED = (rules.HEADERS_EQUIVALENT, rules.PAGE_COMPLETE)


def test_links_that_are_signed_anew_break_nothing() -> None:
    ledger = judged(WrongServer(moving()), *(rule.id for rule in MOVED))

    assert [Verdict.KEPT] * 2 == [ledger.findings[rule.id].verdict for rule in MOVED]


def test_links_that_change_while_the_clock_stands_are_a_breach() -> None:
    """In an organization of the run's own nothing happens by itself, so whatever differs is the header's."""
    ledger = judged(WrongServer(moving()), rules.HEADERS_EQUIVALENT.id, control=True)

    assert Verdict.BROKEN is ledger.findings[rules.HEADERS_EQUIVALENT.id].verdict


def test_data_that_is_missing_is_found_among_signed_links() -> None:
    """The other header form gets shorter lists, whose links change as they like."""
    signed = moving()

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        def shorten(body: dict[str, Any]) -> None:
            if isinstance(body["data"], dict) and isinstance(body["data"].get("list"), list):
                body["data"]["list"].pop()

        answering = rewriting(shorten) if "HTTP_X_API_KEY" in environ else lambda e, a: a(e)
        return signed(environ, lambda inner: answering(inner, ask))

    ledger = judged(WrongServer(change), rules.HEADERS_EQUIVALENT.id)

    assert Verdict.BROKEN is ledger.findings[rules.HEADERS_EQUIVALENT.id].verdict


@pytest.mark.parametrize(
    ("found", "first", "again", "expected"),
    [
        (1, 1, 1, True),
        (2, 1, 1, False),
        (3, 1, 2, True),
        ("3", 1, 2, False),
        ({"a": 1, "b": 9}, {"a": 1, "b": 7}, {"a": 1, "b": 8}, True),
        ({"a": 2, "b": 9}, {"a": 1, "b": 7}, {"a": 1, "b": 8}, False),
        ({"a": 1}, {"a": 1, "b": 7}, {"a": 1, "b": 8}, False),
        ([[1, 5]], [[1, 3]], [[1, 4]], True),
        ([[2, 5]], [[1, 3]], [[1, 4]], False),
        ([[1, 3]], [[1, 3], [2, 3]], [[1, 4], [2, 3]], False),
        ([1, 2, 3], [1], [1, 2], True),
    ],
)
def test_agreement(found: Any, first: Any, again: Any, expected: bool) -> None:
    assert expected is agrees(found, first, again)
