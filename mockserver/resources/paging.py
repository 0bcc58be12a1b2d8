"""One page of the selected records, in each style that the pages document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from mockserver.contract import Operation
from mockserver.resources.dates import is_day, parse_query_date, query_date
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import order_of, timestamp
from mockserver.store import Record
from mockserver.validation import Arguments

_DEFAULT_SIZE = 10


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the records, and how to ask for the next ones."""

    records: Sequence[Record]
    next_query: Mapping[str, Any] | None
    extra: Mapping[str, Any]
    """Members of ``data`` that tell about the page, such as ``nextMarker``."""


def answer_page(scene: Scene, records: Sequence[Record], show: Callable[[Record], Any]) -> Result:
    """Return the page of ``records`` that the request asks for, in the operation's shape."""
    page = page_of(scene, records)
    shown = [show(record) for record in page.records]
    shape = scene.shape
    if shape.wrapper is None:
        return Result(shown, page.next_query)
    asked = scene.arguments.query
    told = {
        "hasMore": page.next_query is not None,
        "sort": asked.get("sort_by"),
        "order": asked.get("sort_dir"),
        **page.extra,
    }
    data = {shape.wrapper: shown} | {k: v for k, v in told.items() if k in shape.members}
    return Result(data, page.next_query)


def page_of(scene: Scene, records: Sequence[Record]) -> Page:
    """Return the page of ``records``; all of them where the operation isn't paginated."""
    pagination = scene.operation.pagination
    if pagination is None:
        limit = scene.arguments.query.get("limit")
        return Page(records[:limit] if limit else records, None, {})
    style = pagination.style
    if style == "date" and scene.arguments.query.get("query"):
        style = "offset"  # a text search turns the date cursor into an offset (mass-messages/direct-stats)
    return _STYLES[style](scene, records)


def _size(scene: Scene) -> int:
    pagination = scene.operation.pagination
    size = scene.arguments.query.get("limit") or (pagination and pagination.size) or _DEFAULT_SIZE
    return min(size, pagination.cap) if pagination and pagination.cap else int(size)


def _by_offset(scene: Scene, records: Sequence[Record]) -> Page:
    size, offset = _size(scene), scene.arguments.query.get("offset") or 0
    extra: dict[str, Any] = {}
    if "marker" in scene.shape.members:
        # The marker pins a snapshot: what came later doesn't shift the pages (payouts/list-requests).
        marker = int(scene.arguments.query.get("marker") or scene.now)
        records = [r for r in records if timestamp(r, "createdAt") <= marker]
        extra["marker"] = marker
    more = {"offset": offset + size, **extra} if offset + size < len(records) else None
    return Page(records[offset : offset + size], more, extra)


def _by_cursor(
    scene: Scene, records: Sequence[Record], cursor: Callable[[Record], Any], name: str
) -> Page:
    """Cut ``records`` after the page's size; the last one shown is the next cursor."""
    return _cut(records, _size(scene), cursor, name)


def _by_second(
    scene: Scene, records: Sequence[Record], cursor: Callable[[Record], Any], name: str
) -> Page:
    """Cut ``records`` between two seconds, for a cursor of whole seconds can't part those of one.

    The page is shorter than its size where a second would be parted, and longer where one fills it.
    """
    size = _size(scene)
    if size < len(records):
        parted = cursor(records[size])
        start = next(i for i, record in enumerate(records) if cursor(record) == parted)
        size = start or sum(cursor(record) == parted for record in records)
    return _cut(records, size, cursor, name)


def _cut(records: Sequence[Record], size: int, cursor: Callable[[Record], Any], name: str) -> Page:
    page = records[:size]
    if len(records) <= size:
        return Page(page, None, {})
    value = cursor(page[-1])
    return Page(page, {name: value}, {"nextMarker": value, "nextLastId": value})


def _by_date(scene: Scene, records: Sequence[Record]) -> Page:
    field = scene.operation.resource.options["window"]
    end = scene.arguments.query.get("end_date")
    if end and not is_day(end):
        # As a cursor, end_date is the last item already seen, so it is excluded.
        limit = parse_query_date(end)
        records = [record for record in records if timestamp(record, field) < limit]
    return _by_second(scene, records, lambda r: query_date(timestamp(r, field)), "end_date")


def _by_marker(scene: Scene, records: Sequence[Record]) -> Page:
    field = scene.operation.resource.options["window"]
    marker = scene.arguments.query.get("marker")
    if marker:
        records = [record for record in records if timestamp(record, field) < int(marker)]
    return _by_second(scene, records, lambda r: int(timestamp(r, field)), "marker")


def _by_last_id(scene: Scene, records: Sequence[Record]) -> Page:
    last = scene.arguments.query.get("last_id")
    if last is not None:
        records = [record for record in records if record["id"] < last]
    return _by_cursor(scene, records, lambda r: r["id"], "last_id")


def _by_id(scene: Scene, records: Sequence[Record]) -> Page:
    """Page through messages, newest or oldest first (messages/list-messages)."""
    asked = scene.arguments.query
    _, falling = order_of(scene) or ("id", False)
    if asked.get("first_id") is not None:
        records = _from(records, asked["first_id"], falling=falling)
    if asked.get("last_id") is not None:
        records, falling = records[::-1], not falling
        records = _from(records, asked["last_id"], falling=falling)
    if asked.get("id") is not None:
        records = _from(records, asked["id"], falling=falling, after=True)
    return _by_cursor(scene, records, lambda r: r["id"], "id")


def _from(
    records: Sequence[Record], id: int, *, falling: bool, after: bool = False
) -> Sequence[Record]:
    """Return the records from ``id`` on, whose ids rise or are ``falling``; without that one itself if ``after``.

    Ids are compared, not looked up: the record may be gone since the last page.
    """
    return [
        record
        for record in records
        if (record["id"] == id and not after)
        or (record["id"] != id and (record["id"] < id) == falling)
    ]


_STYLES: dict[str, Callable[[Scene, Sequence[Record]], Page]] = {
    "offset": _by_offset,
    "date": _by_date,
    "marker": _by_marker,
    "last_id": _by_last_id,
    "id": _by_id,
}


def next_page(
    path: str, operation: Operation, arguments: Arguments, next_query: Mapping[str, Any]
) -> str:
    """Return the relative URL of the next page, with the effective values of all parameters."""
    effective = {**arguments.query, **next_query}
    query = {
        p.name: ",".join(effective[p.name])
        if isinstance(effective[p.name], list)
        else effective[p.name]
        for p in operation.query_parameters
        if effective.get(p.name) is not None
    }
    return f"{path}?{urlencode(query)}"
