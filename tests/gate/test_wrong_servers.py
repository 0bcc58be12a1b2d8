"""What a single answer doesn't show, or what looks like no answer at all, is found all the same."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from contract_tests.bench import NotJudged
from contract_tests.checks.exhaust import FEW, Probed, judge_exact
from contract_tests.checks.pagination import _items
from contract_tests.exchange import Exchange, Request
from contract_tests.verdicts import Ledger, Verdict
from mockserver import rules
from mockserver.rules import Rule
from tests.gate.wrong_servers import (
    KEYS,
    Answer,
    Ask,
    Change,
    Headers,
    WrongServer,
    asking,
    flat,
    judged,
    key_of,
    profile_keys,
    rewriting,
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


def bearer_wins(environ: WSGIEnvironment, ask: Ask) -> Answer:
    if "HTTP_AUTHORIZATION" in environ:
        environ.pop("HTTP_X_API_KEY", None)
    return ask(environ)


@pytest.mark.parametrize(
    ("change", "expected"), [(unchanged, KEPT), (bearer_wins, BROKEN)], ids=["right", "wrong"]
)
def test_one_key_is_enough_to_send_two(change: Change, expected: Verdict) -> None:
    """An unknown key differs from the valid one as well as a second valid one does."""
    full = {"full": profile_keys()["full"]}
    finding = judged(WrongServer(change), rules.TWO_KEYS.id, keys=full).findings["auth.two-keys"]

    assert expected is finding.verdict
    assert [] == finding.unmet


@pytest.mark.parametrize("status", ["500 Oops", "404 Not Found"])
def test_one_operation_that_always_fails(status: str) -> None:
    """It names no record, so that a 404 says that the operation itself isn't there."""

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        dead = environ["PATH_INFO"].endswith("/lists") and environ["REQUEST_METHOD"] == "GET"
        answer = ask(environ)
        return flat(status) if dead and succeeded(answer) else answer

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


@pytest.mark.parametrize("status", ["500", "502", "503"])
def test_each_failure_of_the_upstream_is_looked_at(status: str) -> None:
    """One of them is answered with a page, and the other two as they should be."""
    page: Headers = [("Content-Type", "text/html"), ("Content-Length", "13")]

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        answer = ask(environ)
        return (answer[0], page, b"<html></html>") if answer[0].startswith(status) else answer

    ledger = judged(WrongServer(change), rules.UPSTREAM_FAILED.id, control=True)

    assert BROKEN is verdict(ledger, rules.UPSTREAM_FAILED)


def test_a_success_of_an_undocumented_status() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        _, headers, body = answer = ask(environ)
        return ("203 Odd", headers, body) if succeeded(answer) else answer

    ledger = judged(WrongServer(change), "envelope.success")

    assert BROKEN is verdict(ledger, rules.ENVELOPE)
    assert "203" == ledger.findings["envelope.success"].breaches[0].found


CHATS = "/v1/1001/chats"


def also_spending(*spenders: str, of: str = "fm_api_test_full", path: str = CHATS) -> Change:
    """Return what lets every request of some keys take from the windows of another key besides."""

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        if key_of(environ) in spenders:
            ask(asking(path, of))
        return ask(environ)

    return change


def test_a_401_that_costs_a_credit_where_such_keys_are_given() -> None:
    change = also_spending("fm_api_test_revoked", "fm_api_test_expired")
    keyless = {
        name: key for name, key in profile_keys().items() if name not in ("revoked", "expired")
    }

    assert BROKEN is verdict(judged(WrongServer(change), "auth.no-credit"), rules.NO_CREDIT_401)
    assert KEPT is verdict(
        judged(WrongServer(change), "auth.no-credit", keys=keyless), rules.NO_CREDIT_401
    )


@pytest.mark.parametrize("spender", ["full", "other"])
def test_organizations_are_apart_both_ways(spender: str) -> None:
    ways = {
        "full": also_spending("fm_api_test_full", of="fm_api_test_other", path="/v1/2001/chats"),
        "other": also_spending("fm_api_test_other"),
    }
    ledger = judged(WrongServer(ways[spender]), "rate.orgs-independent")

    assert BROKEN is verdict(ledger, rules.ORGS_INDEPENDENT)
    assert KEPT is verdict(
        judged(WrongServer(unchanged), "rate.orgs-independent"), rules.ORGS_INDEPENDENT
    )


def used_for_left(body: dict[str, Any]) -> None:
    limits = body["_meta"]["_rate_limits"]
    for window in ("minute", "day"):
        limits[f"remaining_{window}"] = limits[f"limit_{window}"] - limits[f"remaining_{window}"]


def test_a_headroom_that_rises_again_and_again() -> None:
    ledger = judged(WrongServer(rewriting(used_for_left)), "rate.counts-down", "credit")

    assert BROKEN is verdict(ledger, rules.COUNTS_DOWN)
    assert "no refusal that costs a credit" in reason(ledger, rules.CREDIT_ERRORS)


def test_a_headroom_may_rise_once() -> None:
    """As it does when a minute begins; nobody can tell that from a fault."""
    successes = []

    def renewed(body: dict[str, Any]) -> None:
        successes.append(body)
        if len(successes) > 5:
            body["_meta"]["_rate_limits"]["remaining_minute"] += 50

    ledger = judged(WrongServer(rewriting(renewed)), "rate.counts-down")

    assert KEPT is verdict(ledger, rules.COUNTS_DOWN)


HEADROOMS = (
    rules.NO_CREDIT_401,
    rules.HEADERS_EQUIVALENT,
    rules.SHARED_BY_ORG,
    rules.ORGS_INDEPENDENT,
    rules.CREDIT_ERRORS,
)
"""The rules that compare headrooms; `rate.counts-down` says itself how often one may rise."""


@pytest.mark.parametrize("window", ["minute", "day"])
@pytest.mark.parametrize("every", [2, 3, 7])
def test_a_window_that_begins_amid_a_check_breaks_nothing(every: int, window: str) -> None:
    """Nobody can tell what a request took from a window that began anew in between."""
    successes = itertools.count()

    def renewed(body: dict[str, Any]) -> None:
        limits = body["_meta"]["_rate_limits"]
        limits[f"remaining_{window}"] += 50 * (next(successes) // every)

    ledger = judged(WrongServer(rewriting(renewed)), *(rule.id for rule in HEADROOMS))

    assert [] == [f.rule.id for f in ledger.findings.values() if f.breaches or f.errors]


def test_a_minute_that_begins_once_it_was_used_up_is_used_up_again() -> None:
    """A success right after it is no breach: the next one shows whether the window is enforced."""
    refused = []

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        answer = ask(environ)
        refused.extend([answer] if answer[0].startswith("429") else [])
        if len(refused) == FEW:  # the gate asks for so many more than are left
            refused.append(answer)
            server.renew_minute()
        return answer

    server = WrongServer(change, limit=60)
    ledger = judged(server, rules.MINUTE.id, allow_exhaust=frozenset({"minute"}))

    assert len(refused) > FEW
    assert KEPT is verdict(ledger, rules.MINUTE)


def test_headrooms_must_differ_though_their_number_is_right() -> None:
    """A count that two requests share is lost for one of them, also where no more pass than should."""
    told: list[tuple[bool, str, str]] = []
    bench: Any = SimpleNamespace(require=lambda kept, _, due, seen: told.append((kept, due, seen)))
    exchange = Exchange(Request("GET", "/"), 200, {}, b"")
    probes = [Probed(exchange, (left, 9), True, {"minute": left}) for left in (2, 1, 1)]
    judge_exact(bench, probes, 3, "minute")

    assert [(True, "3 successes", "3"), (False, "3 different headrooms", "2")] == told


def test_a_large_day_is_left_alone() -> None:
    """The gate doesn't begin to use up what it could not use up."""
    server = WrongServer(unchanged)
    leave = frozenset({"day"})
    ledger = judged(server, rules.DAY.id, allow_exhaust=leave, max_requests=500)

    assert "not judged: more than 2,000 requests are left" == reason(ledger, rules.DAY)


@pytest.mark.parametrize("status", ["401 Unauthorized", "402 Payment Required"])
def test_a_refusal_before_any_permission_shows_none(status: str) -> None:
    """Whether the role would have been enough, nobody knows."""

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        return flat(status) if key_of(environ) == KEYS["restricted"] else ask(environ)

    ledger = judged(WrongServer(change), rules.PERMISSION_GRANTED.id, fully=True)

    assert LEFT is verdict(ledger, rules.PERMISSION_GRANTED)
    assert f"{status[:3]}, which comes before any permission" in reason(
        ledger, rules.PERMISSION_GRANTED
    )


def unbounded(environ: WSGIEnvironment, ask: Ask) -> Answer:
    """Let the full key read and change whatever the other organization can."""
    if "/2001/" in environ["PATH_INFO"] and key_of(environ) == "fm_api_test_full":
        return ask({**environ, "HTTP_AUTHORIZATION": "Bearer fm_api_test_other"})
    return ask(environ)


def test_records_of_another_organization() -> None:
    """A 404 for a record that isn't there either shows no boundary."""
    only = "permission.org-boundary"
    right, wrong = (
        judged(WrongServer(unchanged), only, fully=True, values={"message_id": 987_654}),
        judged(WrongServer(unbounded), only),
    )
    chat = "GET /v1/{account_id}/chats/{user_id}/messages/{message_id}"

    assert BROKEN is verdict(wrong, rules.ORG_BOUNDARY)
    assert KEPT is verdict(right, rules.ORG_BOUNDARY)
    assert chat not in right.findings[only].exercised


def test_a_limit_that_repeats_the_key_is_not_told() -> None:
    def echo(body: dict[str, Any]) -> None:
        body["_meta"]["_rate_limits"]["limit_minute"] = "fm_api_test_full"

    ledger = judged(WrongServer(rewriting(echo)), "rate.defaults")

    assert "not judged: the organization has limits of its own: no integers" == reason(
        ledger, rules.DEFAULT_LIMITS
    )


def test_a_429_that_nobody_staged_blames_no_order() -> None:
    def limited(environ: WSGIEnvironment, ask: Ask) -> Answer:
        ask(environ)
        return flat("429 Too Many Requests")

    ledger = judged(WrongServer(limited), "order.413-over-400", "order.403-over-404")

    assert {LEFT} == {finding.verdict for finding in ledger.findings.values()}


@pytest.mark.parametrize("every", [2, 3, 5])
def test_a_429_here_and_there_breaks_nothing(every: int) -> None:
    """Where nobody staged it, it judges nothing, whichever request it hits."""
    numbers = itertools.count(1)

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        return flat("429 Too Many Requests") if next(numbers) % every == 0 else ask(environ)

    areas = ("auth", "permission", "credit", "error", "envelope", "pagination", "order", "rate")
    found = judged(WrongServer(change), *areas).findings.values()

    assert [] == [(f.rule.id, b.allowed, b.found) for f in found for b in f.breaches]
    assert [] == [f.errors for f in found if f.errors]


def test_one_path_that_is_not_judged_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing may be written, an unknown method with a key is one that can't write."""
    monkeypatch.setattr("contract_tests.profile.Profile.is_loopback", False)
    written = []

    def noting(environ: WSGIEnvironment, ask: Ask) -> Answer:
        if environ["REQUEST_METHOD"] != "GET" and key_of(environ):
            written.append(environ["PATH_INFO"])
        return ask(environ)

    server = WrongServer(noting)
    ledger = judged(server, "error.method", "order.405-over-401", allow_writes=False)
    with_key, without = ledger.findings["error.method"], ledger.findings["order.405-over-401"]

    assert [] == written
    assert len(with_key.exercised) > 20
    assert {"needs leave to write"} == set(with_key.unmet)
    assert len(without.exercised) > len(with_key.exercised)
    assert {KEPT} == {with_key.verdict, without.verdict}


def test_methods_may_be_told_in_several_lines() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        status, headers, body = ask(environ)
        told = [
            (n, v) for n, value in headers for v in (value.split(", ") if n == "Allow" else [value])
        ]
        return status, told, body

    ledger = judged(WrongServer(change), "error.method")

    assert (KEPT, []) == (
        verdict(ledger, rules.UNKNOWN_METHOD),
        ledger.findings["error.method"].breaches,
    )


def with_odd_link(body: dict[str, Any]) -> None:
    if "_pagination" in body:
        body["_pagination"] = {"next_page": "http://["}


def as_text(environ: WSGIEnvironment, ask: Ask) -> Answer:
    answer = ask(environ)
    return ("200 OK", [("Content-Type", "text/plain")], b"OK") if succeeded(answer) else answer


ODD: dict[str, tuple[Change, Rule]] = {
    "a-link-that-is-no-url": (rewriting(with_odd_link), rules.PAGE_RELATIVE),
    "no-data": (rewriting(lambda body: {"_meta": body["_meta"]}), rules.ENVELOPE),
    "a-list": (rewriting(lambda body: []), rules.ENVELOPE),
    "text": (as_text, rules.ENVELOPE),
    "data-in-another-shape": (rewriting(lambda body: {**body, "data": 1}), rules.DATA_SCHEMA),
    "letters-for-records": (rewriting(lambda body: {**body, "data": ["a"]}), rules.DATA_SCHEMA),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_doesnt_break_the_suite(odd: str) -> None:
    change, rule = ODD[odd]
    ledger = judged(WrongServer(change), "pagination", "error.400-state", "envelope")

    assert BROKEN is verdict(ledger, rule)
    assert [] == [f.errors for f in ledger.findings.values() if f.errors]


def with_long_link(body: dict[str, Any]) -> None:
    if "_pagination" in body:
        body["_pagination"] = {"next_page": "/v1/" + "a" * 100_000}


def test_a_link_that_no_server_would_take_is_not_followed() -> None:
    """It would go into every report, and its megabytes to the server again and again."""
    ledger = judged(WrongServer(rewriting(with_long_link)), "pagination")
    finding = ledger.findings[rules.PAGE_COMPLETE.id]

    assert "not judged: a next_page can't be followed" in finding.unmet
    assert 200 > max(map(len, finding.unmet))


@pytest.mark.parametrize(
    ("bound", "most", "why"),
    [
        pytest.param(
            "_MOST_BYTES", 4_000, "the items of its pages take more than 4,000 bytes", id="bytes"
        ),
        pytest.param("_MOST_ITEMS", 20, "more than 20 items", id="on-all-pages"),
        pytest.param("_MOST_ITEMS", 6, "more than 6 items", id="on-one-page"),
    ],
)
def test_a_list_that_fills_the_memory_is_given_up(
    bound: str, most: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eighty pages may be of megabytes each, and a page of millions of items; what is compared is held at once."""
    monkeypatch.setattr("contract_tests.checks.pagination._LARGE", 7)
    monkeypatch.setattr(f"contract_tests.checks.pagination.{bound}", most)
    finding = judged(WrongServer(unchanged), rules.PAGE_COMPLETE.id).findings[
        rules.PAGE_COMPLETE.id
    ]

    assert LEFT is finding.verdict
    assert f"not judged: {why}" in finding.unmet


def test_a_page_of_too_many_items_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its items would be in the memory before the walk counts them."""
    monkeypatch.setattr("contract_tests.checks.pagination._MOST_ITEMS", 6)
    page = Exchange(Request("GET", "/"), 200, {}, orjson.dumps({"data": [{}] * 7}))

    with pytest.raises(NotJudged, match="more than 6 items"):
        _items(page)


def alike(path: str, **members: Any) -> Change:
    """Return what gives all items of a list the same members."""

    def same(body: dict[str, Any]) -> None:
        data = body["data"]
        for item in data if isinstance(data, list) else data.get("list", data.get("items")):
            item.clear()
            item.update(members)

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        here = environ["PATH_INFO"] == path and environ["REQUEST_METHOD"] == "GET"
        return rewriting(same)(environ, ask) if here else ask(environ)

    return change


def test_items_without_an_id_are_never_called_the_same() -> None:
    """Two mass messages that were sent in one second look alike."""
    complete, path = "pagination.complete", "/v1/1001/mass-messages"
    nameless = judged(WrongServer(alike(path, text="Roast")), complete)
    null = judged(WrongServer(alike(path, text="Roast", id=None)), complete)
    named = judged(WrongServer(alike(path, text="Roast", id=7)), complete)

    assert KEPT is verdict(nameless, rules.PAGE_COMPLETE)
    assert KEPT is verdict(null, rules.PAGE_COMPLETE)
    assert BROKEN is verdict(named, rules.PAGE_COMPLETE)


def test_a_chat_that_was_deleted_before() -> None:
    server = WrongServer(unchanged)
    path, full = "/v1/1001/chats/50001", KEYS["full"]
    deleted = server.ask({**asking(path, full), "REQUEST_METHOD": "DELETE"})
    ledger = judged(server, "error.400-state")

    assert deleted[0].startswith("200")
    assert KEPT is verdict(ledger, rules.BAD_STATE)


def test_a_date_of_no_year() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        status, headers, body = ask(environ)
        dated = [(n, v) for n, v in headers if n != "Date"]
        return status, [*dated, ("Date", "Sat, 31 Jan 99999999999999999999 10:20:30 GMT")], body

    ledger = judged(WrongServer(change), "rate.counts-down")

    assert KEPT is verdict(ledger, rules.COUNTS_DOWN)


def test_orders_that_a_profile_can_stage() -> None:
    """With leave to exhaust and a past-due key, what needs no more than these is checked."""
    limited = [f"order.429-over-{other}" for other in ("413", "403", "400", "404", "424")]
    unpaid = ["order.413-over-402", "order.402-over-400", "order.402-over-404"]
    asked = [*limited, *unpaid, "order.401-over-429", "order.402-over-403"]
    server = WrongServer(unchanged, limit=60)
    ledger = judged(server, *asked, fully=True, allow_exhaust=frozenset({"minute"}))
    findings = ledger.findings
    left = [id for id, finding in findings.items() if finding.verdict is not KEPT]

    assert ["order.402-over-403"] == left
    assert "needs an organization of its own for each check" == findings[left[0]].reason


def test_a_mistake_that_wins_over_an_exhausted_minute() -> None:
    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        return flat("404 Not Found") if "987654321012" in environ["PATH_INFO"] else ask(environ)

    server = WrongServer(change, limit=60)
    ledger = judged(server, "order.429-over-404", allow_exhaust=frozenset({"minute"}))

    assert BROKEN is verdict(ledger, rules.ORDER["429", "404"])


def test_an_account_that_isnt_there_is_the_profiles_fault() -> None:
    ledger = judged(WrongServer(unchanged), "envelope.success", accounts={"healthy": 9}, fully=True)
    finding = ledger.findings["envelope.success"]

    assert not finding.breaches
    assert "GET /v1/9/chats answered 404" in finding.reason


def test_a_record_that_isnt_there_is_the_profiles_fault() -> None:
    ledger = judged(
        WrongServer(unchanged), "envelope.success", values={"message_id": 987_654}, fully=True
    )
    finding = ledger.findings["envelope.success"]

    assert not finding.breaches
    assert "GET /v1/{account_id}/chats/{user_id}/messages/{message_id}" not in finding.exercised
    assert any("messages/987654 answered 404" in reason for reason in finding.unmet)


def test_nothing_is_written_to_the_other_organization() -> None:
    """Its key would be let in, so only reads show whether a record is there; a write stays unjudged."""
    server = WrongServer(unchanged)
    found = judged(server, "permission.org-boundary", fully=True).findings[
        "permission.org-boundary"
    ]
    writes = Counter(asked for asked in server.asked if asked[0] != "GET")

    assert KEPT is found.verdict
    assert {1} == set(writes.values())  # with our own key, which is refused
    assert "DELETE /v1/{account_id}/chats/{user_id}" not in found.exercised
    assert any("only a write" in reason for reason in found.unmet)


def test_a_kind_of_request_without_an_answer_ends_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two long waits show it; the other operations are spared them, and the other rules are judged."""
    monkeypatch.setattr("contract_tests.patience.WHOLE", 0.2)
    monkeypatch.setattr("contract_tests.patience.MOST_SILENT", 0.5)
    done = threading.Event()

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        answer = ask(environ)
        if answer[0].startswith("400") and environ.get("CONTENT_LENGTH"):
            done.wait(30)
        return answer

    try:
        only = (rules.BAD_BODY.id, rules.KEY_MISSING.id)
        ledger = judged(WrongServer(change), *only, fully=True, allow_writes=True)
    finally:
        done.set()

    silent = ledger.findings[rules.BAD_BODY.id]
    assert {"an answer"} == {breach.allowed for breach in silent.breaches}
    assert 2 == len(silent.breaches)
    assert {"not judged: its requests got no answer on other operations"} == set(silent.unmet)
    assert not ledger.ended
    assert Verdict.KEPT is ledger.findings[rules.KEY_MISSING.id].verdict
