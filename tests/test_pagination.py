"""Pages: every item once, by following `next_page` as it stands until there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mockserver import rules
from mockserver.clock import isoformat

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation, Parameter
    from tests.conftest import Tenant

CURSORS = {"offset", "marker", "id", "last_id", "first_id", "end_date"}
"""Parameters that the next page moves; all the others it keeps."""
BASE: dict[str, dict[str, str]] = {
    "listScheduledItems": {"start_date": "2026-01-01", "end_date": "2027-01-31"},
    "listSubscribers": {"type": "expired"},
}
"""What some operations must be asked for to have several pages of everything."""
MOST_PAGES = 2_000

Page = dict[str, Any]


def items_of(page: Page) -> list[Any]:
    """Return the items, which stand under different names."""
    data = page["data"]
    if isinstance(data, list):
        return data
    found: list[Any] = next(data[name] for name in ("list", "items", "data") if name in data)
    return found


def next_of(page: Page) -> str | None:
    paging = page.get("_pagination")
    return None if paging is None else str(paging["next_page"])


def walk(tenant: Tenant, operation: Operation, **query: Any) -> list[Page]:
    """Return every page from the first one on."""
    query = BASE.get(operation.id, {}) | query
    pages: list[Page] = [tenant.call(operation, query=query).get_json()]
    while (url := next_of(pages[-1])) and len(pages) < MOST_PAGES:
        pages.append(tenant.follow(url).get_json())
    assert len(pages) < MOST_PAGES, f"{operation.id} has no last page"
    return pages


def texts(pages: list[Page]) -> list[str]:
    """Return the items of all pages as comparable text."""
    return [json.dumps(item, sort_keys=True) for page in pages for item in items_of(page)]


def parameter(operation: Operation, name: str) -> Parameter | None:
    return next((p for p in operation.query_parameters if p.name == name), None)


@pytest.fixture
def roomy(tenant: Tenant) -> Tenant:
    """Return an organization whose windows don't end a walk."""
    tenant.organization.windows.set_limits(minute=100_000, day=100_000)
    return tenant


@pytest.mark.shows(rules.PAGE_COMPLETE, rules.PAGE_LAST)
def test_visits_every_item_once(operation: Operation, roomy: Tenant) -> None:
    """Several pages, nothing left out or twice, and no `_pagination` on the last page only."""
    pages = walk(roomy, operation, **({"limit": 3} if parameter(operation, "limit") else {}))
    items = texts(pages)

    assert 2 <= len(pages)
    assert len(set(items)) == len(items)
    assert [True] * (len(pages) - 1) + [False] == ["_pagination" in page for page in pages]
    assert all(items_of(page) for page in pages)


@pytest.mark.shows(rules.PAGE_COMPLETE)
@pytest.mark.parametrize("size", [2, 7, "most"])
def test_page_size_changes_no_item(size: int | str, operation: Operation, roomy: Tenant) -> None:
    """Small pages and the largest ones hold the same items in the same order."""
    limit = parameter(operation, "limit")
    if limit is None:
        assert operation.pagination
        assert operation.pagination.size == len(items_of(walk(roomy, operation)[0]))
        return
    cap = operation.pagination and operation.pagination.cap
    most = limit.schema.get("maximum", cap or 100)
    due = texts(walk(roomy, operation, limit=most - 1))
    pages = walk(roomy, operation, limit=most if size == "most" else size)

    assert due == texts(pages)
    assert {most if size == "most" else size} >= {len(items_of(page)) for page in pages[:-1]}


def queries(operation: Operation) -> dict[str, list[dict[str, str]]]:
    """Return, for each parameter that isn't a cursor, queries with a value of it, and small pages."""
    small = {"limit": "1"} if parameter(operation, "limit") else {}
    small |= BASE.get(operation.id, {})
    found: dict[str, list[dict[str, str]]] = {"limit": [small]} if "limit" in small else {}
    for p in operation.query_parameters:
        if "enum" in p.schema and p.type != "array":
            found[p.name] = [small | {p.name: value} for value in p.schema["enum"]]
        elif p.name == "start_date":
            found[p.name] = [{p.name: "2020-01-31 10:00:00"} | small]
    return found


@pytest.mark.shows(rules.PAGE_RELATIVE, rules.PAGE_KEEPS_QUERY)
def test_next_page_keeps_the_query(operation: Operation, roomy: Tenant) -> None:
    """`next_page` is the same path under `/v1/`, with each parameter that was sent."""
    lost: dict[str, Any] = {}
    paged = set()
    for name, choices in queries(operation).items():
        for sent in choices:
            first = roomy.call(operation, query=sent)
            page = next_of(first.get_json())
            if page is None:
                continue
            paged.add(name)
            url = urlsplit(page)
            kept = {key: values[-1] for key, values in parse_qs(url.query).items()}
            if url[:3] != ("", "", first.request.path) or not sent.items() <= kept.items():
                lost[name] = page

    assert {} == lost
    assert set(queries(operation)) == paged


@pytest.mark.parametrize("sent", [{"type": "chat,stream"}, {"type": ["chat", "stream"]}], ids=str)
def test_next_page_keeps_a_list(sent: dict[str, Any], roomy: Tenant) -> None:
    """A list that was sent in either form is still one on the next page, and the same."""
    days = {"start_date": "2026-01-31", "end_date": "2026-12-31", "limit": 1}
    kinds = []
    page = roomy.call("listScheduledItems", query=days | sent).get_json()
    while (following := next_of(page)) is not None:
        assert ["chat,stream"] == parse_qs(urlsplit(following).query)["type"]
        page = roomy.follow(following).get_json()
        kinds += [item["type"] for item in page["data"]["list"]]

    assert {"chat", "stream"} == set(kinds)


@pytest.mark.shows(rules.PAGE_LAST)
def test_has_more_agrees(operation: Operation, roomy: Tenant) -> None:
    """Where `data` tells whether there is more, it says the same as `_pagination`."""
    pages = walk(roomy, operation)
    told = [page["data"]["hasMore"] for page in pages if "hasMore" in page["data"]]

    assert told in ([], [next_of(page) is not None for page in pages])


@pytest.mark.shows(rules.PAGE_LAST)
def test_the_last_page_ends_the_list(contract: Contract, roomy: Tenant) -> None:
    """Where pages have an offset: a full last page has no next one, and beyond it all is empty."""
    found = {}
    for operation in contract.in_scope(rules.PAGE_LAST.applies):
        if operation.pagination and operation.pagination.style == "offset":
            total = len(texts(walk(roomy, operation)))
            size = len(items_of(walk(roomy, operation)[0]))
            asked = BASE.get(operation.id, {})
            full = roomy.call(operation, query=asked | {"offset": max(total - size, 0)}).get_json()
            beyond = roomy.call(operation, query=asked | {"offset": 1_000_000}).get_json()
            found[operation.id] = (next_of(full), items_of(beyond), next_of(beyond))

    assert found
    assert dict.fromkeys(found, (None, [], None)) == found


def test_items_that_come_meanwhile_shift_no_snapshot(roomy: Tenant) -> None:
    """A marker pins the list of payout requests: later ones don't shift its pages."""
    first = roomy.call("listPayoutRequests").get_json()
    due = texts(walk(roomy, roomy.contract.operations["listPayoutRequests"]))
    requests = roomy.organization.accounts[1001].collection("payout_requests")
    now = roomy.organization.clock.now()
    roomy.organization.clock.advance(60)
    requests.add({**requests.get(0), "invoiceId": "1", "createdAt": "2026-01-31T12:01:00+00:00"})
    second = roomy.follow(str(next_of(first))).get_json()

    assert due[10:20] == texts([second])
    assert first["data"]["marker"] == int(now) == second["data"]["marker"]


SECONDS = {
    "all-in-one": [0] * 30,
    "a-run-longer-than-a-page": [0, 0, 1, *[2] * 9, 3, 4, 4],
    "a-run-across-two-pages": [0, 1, 2, 2, 3, 4, 5, 5],
    "the-last-page-in-one": [0, 1, 2, *[3] * 9],
}
"""The age of each record in seconds, the newest first."""
TIMED = {
    "listMassMessages": ("mass_messages", "date"),
    "listDirectMessages": ("direct_messages", "date"),
    "listEarnings": ("transactions", "createdAt"),
}
"""The operations whose cursor is a whole second, and the records that they page through."""


@pytest.mark.shows(rules.PAGE_COMPLETE)
@pytest.mark.parametrize("ages", SECONDS.values(), ids=SECONDS)
@pytest.mark.parametrize("id", TIMED)
def test_visits_every_item_of_one_second(id: str, ages: list[int], roomy: Tenant) -> None:
    """Records that share a second are on the same page, also more of them than a page holds."""
    operation, (name, field) = roomy.contract.operations[id], TIMED[id]
    account, now = roomy.organization.accounts[1001], roomy.organization.clock.now()
    one = account.collection(name).get(0)
    id_type = type(one.get("id", 0))
    stretched = [age for age in ages for _ in range(1 if parameter(operation, "limit") else 5)]
    account.load(
        name,
        [
            {**one, "id": id_type(n), "text": str(n), field: isoformat(now - age)}
            for n, age in enumerate(stretched, start=1)
        ],
    )
    small = {"limit": 3} if parameter(operation, "limit") else {}
    pages = walk(roomy, operation, **small)
    found = [text for page in pages for text in texts([page])]
    seconds = [{item[field] for item in items_of(page)} for page in pages]

    assert len(stretched) == len(found) == len(set(found))
    assert sum(map(len, seconds)) == len(set().union(*seconds))


@pytest.mark.shows(rules.PAGE_COMPLETE)
def test_a_page_is_no_longer_than_it_must_be(roomy: Tenant) -> None:
    """Only a second that fills a page by itself makes it longer than `limit`."""
    messages = roomy.organization.accounts[1001].collection("mass_messages")
    now, one = roomy.organization.clock.now(), messages.get(0)
    ages = SECONDS["a-run-longer-than-a-page"]
    records = [{**one, "date": isoformat(now - age)} for age in ages]
    roomy.organization.accounts[1001].load("mass_messages", records)
    pages = walk(roomy, roomy.contract.operations["listMassMessages"], limit=3)

    assert [3, 9, 3] == [len(items_of(page)) for page in pages]


def test_an_offset_of_any_size_is_told_back(tenant: Tenant) -> None:
    """Numbers over 64 bits are integers too."""
    large = 280_053_895_374_564_858_265_600
    answer = tenant.follow(f"/v1/gifs/search?q=&offset={large}&limit=11")

    assert 200 == answer.status_code
    assert f'"offset":{large}' in answer.get_data(as_text=True)


CHAT = {"user_id": 50001}
FIRST = 7_000_000_000_101


def only_messages(tenant: Tenant, *ids: int) -> None:
    """Leave no more than these messages in the chat."""
    messages = tenant.organization.accounts[1001].collection("messages")
    (one, *_) = (r for r in messages.records() if r["withUserId"] == CHAT["user_id"])
    tenant.organization.accounts[1001].load("messages", [{**one, "id": id} for id in ids])


def ids_of(page: Page) -> list[int]:
    return [item["id"] - FIRST for item in items_of(page)]


@pytest.mark.shows(rules.PAGE_COMPLETE)
@pytest.mark.parametrize(("order", "kept"), [("desc", 0), ("asc", 3)])
def test_messages_that_are_deleted_meanwhile_hide_no_other(
    order: str, kept: int, tenant: Tenant
) -> None:
    """A page goes on from where the last one ended, also where that message is gone and one is left."""
    only_messages(tenant, *(FIRST + n for n in range(4)))
    first = tenant.call("listMessages", query={"limit": 2, "order": order}).get_json()
    only_messages(tenant, FIRST + kept)
    second = tenant.follow(str(next_of(first))).get_json()

    assert kept not in ids_of(first)
    assert [kept] == ids_of(second)


@pytest.mark.parametrize(
    ("query", "due"),
    [
        pytest.param({"order": "desc", "first_id": 2}, [2, 1, 0], id="first"),
        pytest.param({"order": "desc", "id": 2}, [1, 0], id="after"),
        pytest.param({"order": "desc", "first_id": 9}, [3, 2, 1, 0], id="first-that-is-gone"),
        pytest.param({"order": "asc", "last_id": 2}, [2, 1, 0], id="last"),
        pytest.param({"order": "asc", "last_id": 9}, [3, 2, 1, 0], id="last-that-is-gone"),
        pytest.param({"order": "asc", "last_id": 2, "id": 1}, [0], id="after-in-reverse"),
        pytest.param({"order": "asc", "id": 1}, [2, 3], id="after-the-oldest"),
    ],
)
def test_messages_begin_where_they_are_asked_to(
    query: dict[str, Any], due: list[int], tenant: Tenant
) -> None:
    only_messages(tenant, *(FIRST + n for n in range(4)))
    asked = {name: v if name == "order" else FIRST + v for name, v in query.items()}

    assert due == ids_of(tenant.call("listMessages", query=asked).get_json())
