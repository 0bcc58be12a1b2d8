"""The conduct audit, over exchanges made by hand: what it finds, and what it lets pass."""

from __future__ import annotations

import socket
from collections.abc import Set
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.audit import CHECKS, audit, early_calls, unfinished_pages
from mockserver.call import Wire
from mockserver.findings import Weight
from mockserver.server import MockServer

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.journal import Exchange
    from tests.conftest import Tenant
    from tests.toolkit.conftest import Ask, MakeExchange

Told = list[dict[str, Any]]
REFUSED: dict[str, Any] = {"status": 429, "rule": "rate.minute", "recovers": 60.0}


def attempts(*begun: float, **changes: Any) -> Told:
    """Return failing attempts at one request that begin at these seconds; the last one succeeds."""
    told = [{"status": 503, "at": at, "clocked": at, **changes} for at in begun]
    return [*told[:-1], {**told[-1], "status": 200}]


# What a client did, and the findings it leads to with the exchanges that show each.
BAD: dict[str, tuple[Told, dict[str, list[int]]]] = {
    "calls before the window recovers": ([REFUSED, {}, {"at": 59.9}], {"backoff.early": [1, 2, 3]}),
    "calls another operation meanwhile": (
        [REFUSED, {"path": "/v1/1/tags"}],
        {"backoff.early": [1, 2]},
    ),
    "calls with another key meanwhile": ([REFUSED, {"key": "two"}], {"backoff.early": [1, 2]}),
    "insists on 400": ([{"status": 400}] * 2, {"retry.hopeless": [1, 2]}),
    "insists on 401": ([{"status": 401}] * 2, {"retry.hopeless": [1, 2]}),
    "insists on 402": ([{"status": 402}] * 2, {"retry.hopeless": [1, 2]}),
    "insists on 403": ([{"status": 403}] * 3, {"retry.hopeless": [1, 2, 3]}),
    "insists on 404": (
        [{"status": 404}, {"path": "/v1/2"}, {"status": 404}],
        {"retry.hopeless": [1, 3]},
    ),
    "insists on 413": ([{"status": 413}] * 2, {"retry.hopeless": [1, 2]}),
    "retries at once": (attempts(0, 0.05), {"retry.no-pause": [1, 2]}),
    "retries on a beat": (attempts(0, 5, 10, 15), {"retry.no-jitter": [1, 2, 3, 4]}),
    "doubles exactly": (attempts(0, 1, 3, 7), {"retry.no-jitter": [1, 2, 3, 4]}),
    "sends both headers": (
        [{"key_places": ("authorization", "x-api-key")}, {}],
        {"key.both-headers": [1]},
    ),
    "puts the key into the query": (
        [{"key_places": ("query", "x-api-key")}],
        {"key.in-query": [1]},
    ),
    "stops at the first page": (
        [{"next_page": "/v1/accounts?limit=10&offset=10"}, {"query": "limit=10&offset=20"}],
        {"pages.unfinished": [1]},
    ),
    "asks for the first page again": (
        [
            {"query": "limit=10", "next_page": "/v1/accounts?limit=10&offset=10"},
            {"query": "limit=10"},
        ],
        {"pages.unfinished": [1]},
    ),
}

OPEN, OTHER, CLOSED, NEXT = Wire(0), Wire(0), Wire(0), Wire(1.02)
CLOSED.closed_at = 1.01
BAD |= {
    "calls on the same connection": (
        [{**REFUSED, "wire": OPEN}, {"wire": OPEN, "clocked": 1.05}],
        {"backoff.early": [1, 2]},
    ),
    "calls on one connection after another": (
        [{**REFUSED, "wire": CLOSED}, {"wire": NEXT, "clocked": 1.05}],
        {"backoff.early": [1, 2]},
    ),
    "calls over one connection and without one": (
        [REFUSED, {"wire": OTHER, "clocked": 1.05}],
        {"backoff.early": [1, 2]},
    ),
    "goes on with a burst": (
        [
            {**REFUSED, "wire": OPEN},
            {"wire": OTHER, "clocked": 1.1},
            {"wire": OTHER, "clocked": 1.3},
        ],
        {"backoff.early": [1, 3]},
    ),
}

GOOD: dict[str, tuple[Told, list[int]]] = {
    "nothing": ([], []),
    "waits for the window": ([REFUSED, {"at": 60.0}], []),
    "was under way already": ([REFUSED, {"seen": 0}, {"seen": 0, "at": 61}], []),
    "a burst whose connections end": (
        [{**REFUSED, "wire": CLOSED}, {"wire": OTHER, "clocked": 1.05}],
        [],
    ),
    "a burst at once": ([{**REFUSED, "wire": OPEN}, {"wire": OTHER, "clocked": 1.05}], []),
    "the test made room by hand": ([REFUSED, {}], [1]),
    "changes the refused request": ([{"status": 400}, {"query": "limit=5", "status": 400}], []),
    "another key": ([{"status": 403}, {"status": 403, "key": "two"}], []),
    "what was refused works now": ([{"status": 402}, {"status": 200}, {"status": 200}], []),
    "refused twice at the same time": ([{"status": 404}, {"status": 404, "seen": 0}], []),
    "upstream 424 may heal": ([{"status": 424}] * 3, []),
    "retries with pause and jitter": (attempts(0, 1.3, 3.1, 8.4), []),
    "two pauses prove no beat": (attempts(0, 5, 10), []),
    "never retries": ([{"status": 503}, {"path": "/v1/2"}], []),
    "the same request after a success": (
        [{"status": 503}, {"at": 9, "clocked": 9}, {"at": 9, "clocked": 9}],
        [],
    ),
    "slept while the clock stood": (
        [{"status": 503, "at": 0, "clocked": 0}, {"at": 0, "clocked": 2.2}],
        [],
    ),
    "the clock moved instead of a sleep": (
        [{"status": 503, "at": 0, "clocked": 0}, {"at": 2.2, "clocked": 0.001}],
        [],
    ),
    "follows pages": (
        [
            {"query": "limit=10", "next_page": "/v1/accounts?limit=10&offset=10&type=all"},
            {"query": "limit=10&offset=10"},
        ],
        [],
    ),
}


def exchanges_of(told: Told, exchange: MakeExchange) -> list[Exchange]:
    return [exchange(number, **changes) for number, changes in enumerate(told, 1)]


@pytest.mark.parametrize("case", BAD)
def test_finds(case: str, exchange: MakeExchange) -> None:
    """The habit, with the exchanges that show it, and no other habit."""
    told, expected = BAD[case]
    result = audit(exchanges_of(told, exchange))

    assert expected == {f.id: [e.number for e in f.exchanges] for f in result.findings}


@pytest.mark.parametrize("case", GOOD)
def test_lets_pass(case: str, exchange: MakeExchange) -> None:
    told, restorations = GOOD[case]
    result = audit(exchanges_of(told, exchange), restorations=restorations)

    assert () == result.findings
    assert result.clean


WINDOWS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"status": 429, "recovers": 8.0}, {"status": 429, "recovers": 30.0}]
)
FLIGHT: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, lag=st.integers(0, 3), back=st.floats(0, 2), more=WINDOWS
)


@given(flights=st.lists(FLIGHT, max_size=40), room=st.sets(st.integers(0, 40), max_size=3))
def test_early_calls_by_definition(
    flights: list[dict[str, Any]], room: set[int], exchange: MakeExchange
) -> None:
    """Whatever overlaps, and whichever windows: the same as to compare every 429 with every later call."""
    calls = [
        exchange(n, seen=max(0, n - 1 - one["lag"]), at=n - one["back"], **one["more"])
        for n, one in enumerate(flights, 1)
    ]
    shown: set[int] = set()
    for place, refused in enumerate(calls):
        freed = min((n for n in room if n >= refused.number), default=len(calls))
        early = {
            later.number
            for later in calls[place + 1 :]
            if refused.recovers is not None
            and later.seen >= refused.number
            and later.at < refused.recovers
            and later.number <= freed
        }
        shown |= early and early | {refused.number}
    found = early_calls(calls, sorted(room))

    assert sorted(shown) == [e.number for e in found.exchanges] if found else not shown


QUERIES = st.sampled_from(
    ["", "limit=1", "limit=1&offset=1", "offset=1&limit=1", "offset=1", "offset=2"]
)
PAGE: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, query=QUERIES, next=st.none() | QUERIES, path=st.sampled_from(["/v1/a", "/v1/b"])
)


@given(pages=st.lists(PAGE, max_size=12))
def test_unfinished_pages_by_definition(
    pages: list[dict[str, Any]], exchange: MakeExchange
) -> None:
    """A page is followed by what asks for it as it is named, or with some of its parameters left out."""
    calls = [
        exchange(
            n,
            path=one["path"],
            query=one["query"],
            next_page=None if one["next"] is None else f"/v1/a?{one['next']}",
        )
        for n, one in enumerate(pages, 1)
    ]
    left = [
        page.number
        for place, page in enumerate(calls)
        if page.next_page is not None
        and not any(
            later.path == "/v1/a"
            and later.query != page.query
            and set(parse_qsl(later.query)) <= set(parse_qsl(page.next_page.partition("?")[2]))
            for later in calls[place + 1 :]
        )
    ]
    found = unfinished_pages(calls)

    assert left == ([e.number for e in found.exchanges] if found else [])


def test_every_check_finds_something() -> None:
    """A new check needs a bad client above."""
    found = {id for _, expected in BAD.values() for id in expected}

    assert len(CHECKS) == len(found)


def test_a_slow_answer_is_no_pause(exchange: MakeExchange) -> None:
    """A pause runs from the answer to the next request, however long that took to be answered."""
    told: Told = [{"status": 503, "at": 0, "clocked": 0}, {"at": 5, "clocked": 5, "took": 4.99}]
    result = audit(exchanges_of(told, exchange))

    assert ["retry.no-pause"] == [f.id for f in result.findings]


def test_counts_calls_not_exchanges(exchange: MakeExchange) -> None:
    """The sentence says how often, in words that fit the number."""
    once = audit(exchanges_of([{"status": 403}] * 2, exchange)).findings[0]
    often = audit(exchanges_of([{"status": 403}] * 4, exchange)).findings[0]

    assert "1 call repeated a request that had been refused for good (403)." == once.sentence
    assert "3 calls repeated a request that had been refused for good (403)." == often.sentence
    assert "403" in once.remedy


def test_advice_leaves_it_clean(exchange: MakeExchange) -> None:
    result = audit(exchanges_of([{"next_page": "/v1/accounts?offset=10"}], exchange))

    assert Weight.ADVICE == result.findings[0].weight
    assert result.clean


NEEDS = {"listAccounts": "api_accounts_list", "listTags": "api_tags_list"}


@pytest.mark.parametrize(
    ("granted", "needed", "lacking", "unused"),
    [
        ({"*"}, {"api_accounts_list", "api_tags_list"}, set(), {"*"}),
        (
            {"api_accounts_list", "api_tags_list"},
            {"api_accounts_list", "api_tags_list"},
            set(),
            set(),
        ),
        ({"api_accounts_list"}, {"api_accounts_list", "api_tags_list"}, {"api_tags_list"}, set()),
        (
            {"api_accounts_list", "api_tags_list", "api_fans_list"},
            {"api_accounts_list", "api_tags_list"},
            set(),
            {"api_fans_list"},
        ),
    ],
    ids=["all", "exact", "too-few", "too-many"],
)
def test_permissions(
    granted: Set[str], needed: Set[str], lacking: Set[str], unused: Set[str], exchange: MakeExchange
) -> None:
    """What a key needed, lacked and had in vain; the smallest role stands in the remedy."""
    told: Told = [{}, {"operation": "listTags", "path": "/v1/1/tags", "status": 403}, {"key": None}]
    roles = {"one": frozenset(granted), "never sent": frozenset({"*"})}
    result = audit(exchanges_of(told, exchange), granted=roles, permission_of=NEEDS)
    (use,) = result.permissions
    advice = [f for f in result.findings if f.id == "key.needless-permissions"]

    assert (needed, lacking, unused) == (use.needed, use.lacking, use.unused)
    assert bool(unused) == bool(advice)
    assert all("one: api_accounts_list, api_tags_list." in f.remedy for f in advice)


def test_order_of_keys_in_time_does_not_matter(exchange: MakeExchange) -> None:
    """It is a pure function: the same exchanges, the same findings."""
    told = exchanges_of(BAD["calls before the window recovers"][0], exchange)

    assert audit(told) == audit([replace(e) for e in told])


# --- over the control API ----------------------------------------------------------------------------


def test_over_http(control: Ask, ask: Ask, tenant: Tenant) -> None:
    """What was asked is judged as it was, by key and window."""
    control("POST", "/exhaust", {"windows": ["minute"]})
    ask()
    tenant.organization.clock.advance(59 - tenant.organization.clock.now() % 60)
    ask()
    audited = control("GET", "/audit").get_json()

    assert (2, True, False) == (audited["total"], audited["complete"], audited["clean"])
    assert ["backoff.early", "key.needless-permissions"] == [f["id"] for f in audited["findings"]]
    assert [1, 2] == [e["number"] for e in audited["findings"][0]["exchanges"]]
    assert ["api_accounts_list"] == audited["permissions"][0]["needed"]


def test_a_burst_over_http(control: Ask, app: MockFlask, tenant: Tenant) -> None:
    """Requests that are sent at once, each over its own connection, are under way together; the next one isn't."""
    control("PUT", "/headroom", {"remaining_minute": 1})
    ask = f"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-API-Key: {tenant.key}\r\n\r\n".encode()
    with MockServer(app) as server, ExitStack() as stack:
        host, port = server.url.removeprefix("http://").split(":")
        burst = [stack.enter_context(socket.create_connection((host, int(port)))) for _ in range(4)]
        for connection in burst:
            connection.sendall(ask)
        statuses = sorted(connection.recv(65_536)[9:12] for connection in burst)
        together = control("GET", "/audit").get_json()
        burst[-1].sendall(ask)
        burst[-1].recv(65_536)
        after = control("GET", "/audit").get_json()

    assert [b"200", b"429", b"429", b"429"] == statuses
    assert "backoff.early" not in [finding["id"] for finding in together["findings"]]
    assert "1 call came between" in after["findings"][0]["sentence"]


@pytest.mark.parametrize(
    ("method", "path", "body", "binds"),
    [
        ("PUT", "/headroom", {"remaining_minute": 5}, False),
        ("PATCH", "", {"limit_minute": 2_000}, False),
        ("PATCH", "", {"mode": "off"}, False),
        ("PUT", "/headroom", {"remaining_minute": 0}, True),
        ("PATCH", "", {"name": "Finch"}, True),
        ("PATCH", "", {"subscription": "past_due"}, True),
    ],
)
def test_only_room_made_by_hand_excuses(
    method: str, path: str, body: Any, binds: bool, control: Ask, ask: Ask
) -> None:
    """The client could have been told; only its own haste counts."""
    control("POST", "/exhaust", {"windows": ["minute"]})
    ask()
    control(method, path, body)
    ask()
    findings = control("GET", "/audit").get_json()["findings"]

    assert binds is ("backoff.early" in [f["id"] for f in findings])


def test_says_when_it_has_not_seen_all(control: Ask, ask: Ask, tenant: Tenant) -> None:
    tenant.organization.journal.capacity = 2
    for _ in range(3):
        ask()
    audited = control("GET", "/audit").get_json()

    assert (3, False) == (audited["total"], audited["complete"])
