"""Following `next_page` from the first page to the last."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import orjson

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import check
from contract_tests.exchange import Exchange, Request, member
from contract_tests.samples import Sample, bearer
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.contract import Operation
from mockserver.words import plural

_SMALL, _LARGE = 7, 50
_MOST_PAGES = 80
_MOST_ITEMS, _MOST_BYTES = 20_000, 32 * 1_048_576
"""What one walk may hold; what is more fills the memory and is no list to compare."""
_LONGEST_LINK = 8_000
"""Characters of a link that is followed; RFC 9110 section 4.1 asks no server to take more."""
_CURSORS = frozenset({"offset", "marker", "id", "last_id", "first_id", "end_date"})
"""Parameters that the next page moves; all others it keeps."""


@check(
    rules.PAGE_RELATIVE,
    rules.PAGE_LAST,
    rules.PAGE_KEEPS_QUERY,
    rules.PAGE_COMPLETE,
    sends=9,
    stages=2,
)
def pages(bench: Bench) -> None:
    """Small pages hold the same items in the same order as large ones, each once."""
    tenant = bench.tenants.tenant()
    tenant.hold()
    sample = bench.sample(tenant)
    if not any(p.name == "limit" for p in sample.operation.query_parameters):
        found = _walk(bench, tenant, sample)
        _judge_once(bench, found)
        return
    small = _walk(bench, tenant, sample.with_query(limit=_SMALL))
    large = _walk(bench, tenant, sample.with_query(limit=_LARGE))
    _judge_once(bench, small)
    same = small == large
    if not same and not bench.tenants.fresh:
        again = _walk(bench, tenant, sample.with_query(limit=_SMALL))
        if _named(again) != _named(small):
            raise NotJudged("the list changes from one walk to the next")
        same = _named(small) == _named(large)
    bench.judging(rules.PAGE_COMPLETE).require(
        same,
        None,
        f"the {plural(len(large), 'item')} of large pages",
        f"{plural(len(small), 'item')}, or another order",
    )


def _judge_once(bench: Bench, items: list[bytes]) -> None:
    """Require each item once; of items without an id nobody can tell that they are the same."""
    if not all(map(_has_id, items)):
        return
    twice = len(items) - len(set(items))
    bench.judging(rules.PAGE_COMPLETE).require(
        not twice, None, "each item once", f"{plural(twice, 'item')} again"
    )


def _named(items: list[bytes]) -> list[Any]:
    """Return what tells items apart though a link or a count in them changes: their ids, where they have one."""
    found = [_unwrapped(text) for text in items]
    ids = [item.get("id") if isinstance(item, dict) else None for item in found]
    return items if None in ids else ids


def _unwrapped(text: bytes) -> Any:
    item = orjson.loads(text)
    while isinstance(item, dict) and len(item) == 1:  # `{"promo": {…}}`
        (item,) = item.values()
    return item


def _has_id(text: bytes) -> bool:
    item = _unwrapped(text)
    names = (
        [name for name, value in item.items() if value is not None]
        if isinstance(item, dict)
        else []
    )
    return any(name == "id" or name.endswith("Id") for name in names)


def _walk(bench: Bench, tenant: Tenant, sample: Sample) -> list[bytes]:
    """Return every item as comparable text.

    Raises ``NotJudged`` when there are too many pages or items, or a link that leads nowhere.
    """
    operation = sample.operation
    exchange = bench.success(bench.send(sample, tenant.key))
    items = _items(exchange)
    for _ in range(_MOST_PAGES):
        page = _next_page(bench, exchange)
        if page is None:
            return items
        if not _judge_link(bench, sample, exchange, page):
            raise NotJudged("a next_page can't be followed")
        request = Request("GET", page, (), (bearer(tenant.key),))
        exchange = bench.success(bench.send_request(request, operation, permitted=True))
        more = _items(exchange)
        bench.judging(rules.PAGE_LAST).require(
            bool(more), exchange, "no page after the last item", "an empty page that was linked"
        )
        items += more
        _refuse_many(len(items))
        if sum(map(len, items)) > _MOST_BYTES:
            raise NotJudged(f"the items of its pages take more than {_MOST_BYTES:,} bytes")
    raise NotJudged(f"more than {_MOST_PAGES} pages")


def _next_page(bench: Bench, exchange: Exchange) -> str | None:
    """Return the next page; on the last one the whole member must be absent, not null."""
    absent = "_pagination" not in exchange.json
    page = member(exchange.json, "_pagination").get("next_page")
    last = bench.judging(rules.PAGE_LAST)
    last.require(
        absent or isinstance(page, str), exchange, "no _pagination on the last page", f"{page!r}"
    )
    told = member(exchange.json, "data").get("hasMore")
    if isinstance(told, bool):
        last.require(
            told != absent,
            exchange,
            f"_pagination exactly when there is more ({told})",
            f"{page!r}",
        )
    return page if isinstance(page, str) else None


def _judge_link(bench: Bench, sample: Sample, exchange: Exchange, page: str) -> bool:
    """Judge a link, and return whether it can be followed."""
    link = parts_of(page)
    relative = link is not None and not link.scheme and not link.netloc and page.startswith("/v1/")
    bench.judging(rules.PAGE_RELATIVE).require(
        relative, exchange, "a relative URL under /v1/", page
    )
    if link is None or len(page) > _LONGEST_LINK:
        return False
    free = free_in_links(sample.operation)
    sent = {name: str(value) for name, value in sample.query.items() if name not in free}
    kept = dict(parse_qsl(link.query))
    bench.judging(rules.PAGE_KEEPS_QUERY).require(
        sent.items() <= kept.items(), exchange, f"the parameters {sent}", f"{kept}"
    )
    return relative


def free_in_links(operation: Operation) -> frozenset[str]:
    """Return the parameters that a link need not keep: cursors, and what the page's own example drops."""
    return _CURSORS.union(operation.pagination.drops if operation.pagination else ())


def parts_of(page: str) -> SplitResult | None:
    """Return the parts of a link, or ``None`` when it is no URL at all."""
    try:
        return urlsplit(page)
    except ValueError:
        return None


def _items(exchange: Exchange) -> list[bytes]:
    data: Any = exchange.json.get("data") if isinstance(exchange.json, dict) else None
    if isinstance(data, dict):
        data = next((data[name] for name in ("list", "items", "data") if name in data), None)
    if not isinstance(data, list):
        raise NotJudged("the answer holds no list")
    _refuse_many(len(data))
    return [orjson.dumps(item, option=orjson.OPT_SORT_KEYS) for item in data]


def _refuse_many(items: int) -> None:
    if items > _MOST_ITEMS:
        raise NotJudged(f"more than {_MOST_ITEMS:,} items")
