"""The journal: what it keeps, what it finds, what it never holds, and how much memory it takes."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import pytest
from werkzeug.test import Client

from mockserver.clock import isoformat
from mockserver.faults import Fault
from mockserver.journal import (
    BODY_KEPT,
    CAPACITY,
    HEADERS_KEPT,
    TEXT_KEPT,
    Exchange,
    Journal,
    Query,
    Shelf,
)
from mockserver.roles import KEY_PREFIX

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from tests.conftest import Tenant
    from tests.toolkit.conftest import Ask, MakeExchange

MILLION = 1_000_000


# --- bounds ------------------------------------------------------------------------------------------


class Light:
    """Stands in for an exchange as far as a journal looks at it, so that a million are soon made."""

    __slots__ = ("number",)
    weight = 5_000

    def __init__(self) -> None:
        self.number = 0


def test_keeps_the_last_of_a_million() -> None:
    """Counted, not timed: exchanges, bytes and entries stay within their bounds all along."""
    shelf = Shelf()
    journal = Journal(shelf=shelf)
    most_bytes = most_entries = 0
    for turn in range(MILLION):
        journal.record(cast("Exchange", Light()))
        if turn % 97 == 0:  # at any phase of the ring
            most_bytes = max(most_bytes, shelf.weight)
            most_entries = max(most_entries, shelf.entries)
    kept = [e.number for e in journal]

    assert MILLION == journal.total
    assert list(range(MILLION - CAPACITY + 1, MILLION + 1)) == kept
    assert CAPACITY * Light.weight == most_bytes
    assert most_entries <= 3 * CAPACITY


def test_an_exchange_is_no_heavier_than_it_says(exchange: MakeExchange) -> None:
    """The budget counts what an exchange really takes, within a third, at its largest and at its smallest."""
    small = exchange(1, headers={"user-agent": "client/1"})
    large = exchange(
        1,
        path="p" * TEXT_KEPT,
        query="q" * TEXT_KEPT,
        headers={f"x-{n}": chr(97 + n % 26) * TEXT_KEPT for n in range(HEADERS_KEPT)},
        body=b"x" * BODY_KEPT,
    )

    for made in (small, large):
        texts = (made.path, made.query, made.body, *made.headers, *made.headers.values())
        held = sum(map(sys.getsizeof, (made, made.headers, *texts)))
        assert held < 1.33 * made.weight


def test_a_world_of_journals_has_one_budget(exchange: MakeExchange) -> None:
    """However many organizations share the requests, all journals together hold so many bytes."""
    weight = exchange(1).weight
    shelf = Shelf(budget=500 * weight)
    journals = [Journal(shelf=shelf) for _ in range(100)]
    for turn in range(20_000):
        journals[turn % 100].record(exchange())
    kept = [e.number for e in journals[0]]

    assert 500 == len(shelf) == sum(len(journal) for journal in journals)
    assert shelf.weight <= shelf.budget
    assert [196, 197, 198, 199, 200] == kept  # the oldest of all went first
    assert 200 == journals[0].total


def test_the_budget_forgets_what_was_cleared(exchange: MakeExchange) -> None:
    shelf = Shelf()
    journal = Journal(shelf=shelf)
    for _ in range(10):
        journal.record(exchange())
    journal.clear()

    assert (0, 0, 0) == (len(shelf), shelf.weight, journal.total)


def test_the_shelf_grows_with_what_it_holds_only(exchange: MakeExchange) -> None:
    """Also where a journal is cleared after each request, and numbers begin anew."""
    shelf = Shelf()
    journal, busy = Journal(shelf=shelf), Journal(shelf=shelf)
    for _ in range(5_000):
        journal.record(exchange())
        journal.clear()
        busy.record(exchange())
    journal.record(exchange())

    assert shelf.entries <= 3 * CAPACITY + 2
    assert (1, CAPACITY) == (len(journal), len(busy))
    assert (1, True) == (journal.total, journal.was_used)


def test_old_places_evict_nothing_new(exchange: MakeExchange) -> None:
    """What was cleared makes room for nobody."""
    weight = exchange(1).weight
    shelf = Shelf(budget=3 * weight)
    old, new = Journal(shelf=shelf), Journal(shelf=shelf)
    for _ in range(2):
        old.record(exchange())
    old.clear()
    new.record(exchange())
    for _ in range(3):
        old.record(exchange())

    assert (3, 0) == (len(old), len(new))


def test_a_cleared_journal_makes_room_as_others_do(exchange: MakeExchange) -> None:
    """Also once the shelf has put its entries in order."""
    shelf = Shelf(budget=3 * exchange(1).weight)
    cleared, other = Journal(shelf=shelf), Journal(shelf=shelf)
    cleared.record(exchange())
    cleared.clear()
    for _ in range(2):
        cleared.record(exchange())
    for _ in range(2 * CAPACITY):
        other.record(exchange())
        other.clear()
    for _ in range(3):
        cleared.record(exchange())

    assert [3, 4, 5] == [kept.number for kept in cleared]


def test_an_organization_may_ask_for_less(app: MockFlask, tenant: Tenant) -> None:
    small = type(tenant)(app, journal_size=3)
    for _ in range(5):
        small.call("listAccounts")
    kept = [e.number for e in small.organization.journal]
    small.world.remove_organization(small.id)

    assert [3, 4, 5] == kept


def test_large_requests_are_cut(ask: Ask, tenant: Tenant) -> None:
    """Of a body, a header, a query and the headers' number only so much is kept, as documented."""
    headers = {f"X-Large-{n}": "h" * 5_000 for n in range(100)}
    body = json.dumps({"name": "n" * 100_000}).encode()
    ask(
        "/v1/1001/tracking-links",
        "POST",
        data=body,
        content_type="application/json",
        headers=headers,
        query_string="q=" + "q" * 9_000,
    )
    kept = tenant.organization.journal.last
    assert kept is not None
    texts = [kept.path, kept.query, *kept.headers.values()]

    assert (BODY_KEPT, len(body)) == (len(kept.body), kept.body_size)
    assert TEXT_KEPT == max(len(text) for text in texts)
    assert len(kept.headers) <= HEADERS_KEPT


def test_a_removed_organization_takes_its_exchanges_along(app: MockFlask, tenant: Tenant) -> None:
    gone = type(tenant)(app)
    gone.call("listAccounts")
    journal = gone.organization.journal
    gone.world.remove_organization(gone.id)

    assert 0 == len(journal)


# --- keys --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "send",
    [
        {"headers": {"X-API-Key": f"{KEY_PREFIX}live_secret"}},
        {"headers": {"Authorization": f"Bearer {KEY_PREFIX}live_secret"}},
        {"headers": {"X-Token": f"{KEY_PREFIX}live_secret"}},
        {"headers": {"Cookie": f"key={KEY_PREFIX}live_secret; a=b"}},
        {"query_string": f"limit=1&api_key={KEY_PREFIX}live_secret"},
        {"query_string": "api_key=other_live_secret"},
        {"query_string": "X-Api-Key=other_live_secret&a=1"},
        {"query_string": "q=fm%5Fapi%5Flive_secret"},
        {"path": f"/v1/{KEY_PREFIX}live_secret"},
        {"method": f"{KEY_PREFIX}live_secret"},
        {
            "path": "/v1/1001/tracking-links",
            "method": "POST",
            "json": {"name": "fm_api_live_secret"},
        },
    ],
)
def test_no_key_is_kept(send: dict[str, Any], app: MockFlask, tenant: Tenant) -> None:
    """Wherever a key is sent, neither journal holds it."""
    send = {"path": "/v1/accounts", "headers": {"X-API-Key": tenant.key}, **send}
    Client(app.wsgi_app).open(**send).get_data()
    world = tenant.world
    kept = repr([asdict(e) for e in (*tenant.organization.journal, *world.unclaimed)])

    assert "live_secret" not in kept
    assert tenant.key not in kept


@pytest.mark.parametrize("name", ["Cookie", "Proxy-Authorization", "X-Mock-Token"])
def test_nothing_else_that_opens_something_is_kept(name: str, ask: Ask, tenant: Tenant) -> None:
    ask(headers={name: "sesame", "X-Trace": "seen"})
    last = tenant.organization.journal.last
    assert last is not None

    assert "seen" == last.headers["x-trace"]
    assert "sesame" not in repr(last)


def test_says_where_keys_stood(ask: Ask, tenant: Tenant) -> None:
    ask()
    ask("/v1/accounts?api_key=x", headers={"Authorization": f"Bearer {tenant.key}"})
    first, last = tenant.organization.journal

    assert ("x-api-key",) == first.key_places
    assert ("authorization", "x-api-key", "query") == last.key_places
    assert "api_key=fm_api_***" == last.query
    assert tenant.key == KEY_PREFIX + str(last.key)


@pytest.mark.parametrize(
    ("used_up", "retry_after", "seconds"),
    [
        pytest.param({"minute": True}, None, 30, id="minute"),
        pytest.param({"day": True}, None, 43_170, id="day"),
        pytest.param({"minute": True, "day": True}, None, 43_170, id="both"),
        pytest.param({}, None, 30, id="planted"),
        pytest.param({}, 7, 7, id="planted-with-a-time"),
    ],
)
def test_says_when_there_is_room_again(
    used_up: dict[str, bool], retry_after: int | None, seconds: int, ask: Ask, tenant: Tenant
) -> None:
    """Whoever asks earlier didn't back off; a planted 429 without a time is about the minute."""
    now = tenant.organization.clock.now()
    if used_up:
        tenant.organization.windows.exhaust(tenant.organization.clock.now, **used_up)
    else:
        tenant.organization.faults.plant(Fault(429, retry_after=retry_after))
    refused, last = ask(), tenant.organization.journal.last
    assert last is not None

    assert (429, now + seconds) == (refused.status_code, last.recovers)


# --- requests that reach no organization -------------------------------------------------------------


def test_unknown_routes_name_the_nearest(ask: Ask, tenant: Tenant) -> None:
    """With a key they stand in its organization's journal too."""
    ask("/v1/1001/tracking-link")
    own, worlds = tenant.organization.journal.last, tenant.world.unclaimed.last
    assert own is not None
    assert worlds is not None

    assert "GET /v1/{account_id}/tracking-links" == own.nearest == worlds.nearest
    assert (None, 404, tenant.id) == (own.operation, own.status, worlds.organization)


def test_unknown_methods_too(ask: Ask, tenant: Tenant) -> None:
    ask("/v1/accounts", "PUT")
    last = tenant.organization.journal.last
    assert last is not None

    assert (405, "GET /v1/accounts") == (last.status, last.nearest)


@pytest.mark.parametrize("key", [None, "fm_api_nobody"], ids=["no-key", "unknown-key"])
def test_unclaimed(key: str | None, app: MockFlask, tenant: Tenant) -> None:
    """Two unknown keys can be told apart, no more."""
    headers = {} if key is None else {"X-API-Key": key}
    Client(app.wsgi_app).get("/v1/accounts", headers=headers)
    last = tenant.world.unclaimed.last
    assert last is not None

    assert (None, 401, "listAccounts") == (last.organization, last.status, last.operation)
    assert (key is None) == (last.key is None)
    assert 0 == len(tenant.organization.journal)


def test_revoked_keys_name_their_organization(ask: Ask, tenant: Tenant) -> None:
    tenant.world.keys[tenant.key].revoke()
    ask()
    last = tenant.organization.journal.last
    assert last is not None

    assert (401, "auth.key-revoked") == (last.status, last.rule)


# --- looking things up -------------------------------------------------------------------------------

FOUND: dict[str, tuple[Query, list[int]]] = {
    "all": (Query(), [1, 2, 3]),
    "operation": (Query(operation="listTags"), [2]),
    "method": (Query(method="POST"), [3]),
    "status": (Query(status="429"), [2]),
    "statuses": (Query(status="200, 429"), [1, 2]),
    "class": (Query(status="5xx"), [3]),
    "path": (Query(path="/v1/*/tags"), [2]),
    "header": (Query(header="User-Agent"), [1, 3]),
    "header-value": (Query(header="user-agent: client/2"), [3]),
    "body": (Query(body='"name"'), [3]),
    "rule": (Query(rule="rate.minute"), [2]),
    "fault": (Query(fault="fault-1"), [3]),
    "key": (Query(key="one"), [1, 3]),
    "since": (Query(since=2), [2, 3]),
    "until": (Query(until=2), [1]),
    "after": (Query(after=2), [3]),
    "both": (Query(status="4xx", method="POST"), []),
}


@pytest.mark.parametrize("case", FOUND)
def test_find(case: str, exchange: MakeExchange) -> None:
    """Each part that is given must match."""
    query, expected = FOUND[case]
    told: list[dict[str, Any]] = [
        {"headers": {"user-agent": "Client/1"}},
        {
            "operation": "listTags",
            "path": "/v1/1/tags",
            "status": 429,
            "rule": "rate.minute",
            "key": "two",
        },
        {
            "method": "POST",
            "status": 503,
            "fault": "fault-1",
            "headers": {"user-agent": "Client/2"},
            "body": b'{"name": 1}',
        },
    ]
    journal = Journal()
    for number, changes in enumerate(told, 1):
        journal.record(exchange(number, **changes))

    assert expected == [e.number for e in journal.find(query)]


def test_pages_over_http(control: Ask, tenant: Tenant) -> None:
    """Following `next` visits every match once."""
    for _ in range(7):
        tenant.call("listAccounts")
        tenant.call("listAccounts", key=tenant.mint("api_tags_list"))
    pages = [control("GET", "/journal?status=403&limit=3").get_json()]
    while url := (pages[-1]["next"] or "").partition(tenant.id)[2]:
        pages.append(control("GET", url).get_json())
    numbers = [e["number"] for page in pages for e in page["exchanges"]]
    page = pages[-1]

    assert [2, 4, 6, 8, 10, 12, 14] == numbers
    assert (14, 14) == (page["total"], page["kept"])


def test_times_over_http(control: Ask, tenant: Tenant) -> None:
    tenant.call("listAccounts")
    tenant.organization.clock.advance(60)
    middle = isoformat(tenant.organization.clock.now()).replace("+00:00", "Z")
    tenant.call("listAccounts")

    assert [2] == [
        e["number"] for e in control("GET", f"/journal?since={middle}").get_json()["exchanges"]
    ]
    assert [1] == [
        e["number"] for e in control("GET", f"/journal?until={middle}").get_json()["exchanges"]
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("colour=red", "unknown query parameter colour; known are operation, method, status"),
        ("status=9", "status:"),
        ("limit=0", "limit:"),
        ("limit=many", "limit:"),
        ("since=noon", "since: 'noon' is no ISO 8601 time"),
        ("operation=listAcounts", "did you mean listAccounts?"),
    ],
)
def test_misuse(query: str, message: str, control: Ask) -> None:
    refused = control("GET", f"/journal?{query}")

    assert 400 == refused.status_code
    assert message in refused.get_json()["error"]
