"""The shelves behind the lists, and one page of them."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from tests.gate.independent.people import FANS_MESSAGE, HEALTHY, RECORDS
from tests.gate.independent.spec import Endpoint

_LENGTH = 23
"""Items on a shelf; not a multiple of any page's size."""
_LISTS = ("list", "items", "data")
_CURSORS = {"offset": "offset", "id": "id", "last_id": "last_id"}
"""The parameter that moves on, by style; lists of another style fit on one page here."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a list answers."""

    data: Any
    follow_up: dict[str, Any] | None
    """What the next page's query says beside the rest, or ``None`` on the last page."""


class Shelf:
    """All items of one list, made from the contract's example."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._data = endpoint.example["data"]
        self._style = (endpoint.paging or {}).get("style", "")
        self._size = (endpoint.paging or {}).get("size", 0)
        self._most = (endpoint.paging or {}).get("cap", _LENGTH)
        self._member = next((m for m in _LISTS if m in self._data), None)
        shown = self._data[self._member] if self._member else self._data
        self._items = self._stocked(shown, endpoint.name)

    def page(self, query: Mapping[str, Any]) -> Page:
        """Return the page that a query asks for."""
        size = min(query.get("limit", self._size) or _LENGTH, self._most)
        start = self._start(query)
        items = self._items[start : start + size]
        more = start + size < len(self._items)
        return Page(self._filled(items, start, more), self._follow_up(items, start, size, more))

    def _start(self, query: Mapping[str, Any]) -> int:
        if self._style == "offset":
            return int(query["offset"])
        last = query.get(_CURSORS.get(self._style, ""))
        seen = [n for n, item in enumerate(self._items, 1) if last and item["id"] == last]
        return seen[0] if seen else 0

    def _follow_up(
        self, items: list[Any], start: int, size: int, more: bool
    ) -> dict[str, Any] | None:
        if not more:
            return None
        moved = start + size if self._style == "offset" else items[-1]["id"]
        return {"limit": size, _CURSORS[self._style]: moved}

    def _filled(self, items: list[Any], start: int, more: bool) -> Any:
        if self._member is None:
            return items
        data = {**self._data, self._member: items}
        if "hasMore" in data:
            data["hasMore"] = more
        if "pagination" in data:
            numbers = {"total_count": len(self._items), "count": len(items), "offset": start}
            data["pagination"] = {**data["pagination"], **numbers}
        return data

    def _stocked(self, shown: list[Any], name: str) -> list[Any]:
        if not shown or self._style not in _CURSORS:
            return shown
        copies = [_numbered(shown[-1], n) for n in range(1, _LENGTH - len(shown) + 1)]
        items = [*shown, *copies]
        return _chat(items) if name == "listMessages" else items


def _chat(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return messages that the account wrote, but for the second one, which is the fan's."""
    own = [{**item, "fromUser": {"id": HEALTHY, "_view": "s"}} for item in items]
    own[0]["id"] = RECORDS["message_id"]
    own[1] |= {"id": FANS_MESSAGE, "fromUser": {"id": RECORDS["user_id"], "_view": "s"}}
    return own


def _numbered(item: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a copy of an item that nobody takes for the original."""
    copy = deepcopy(item)
    named = copy
    while not {"id", "invoiceId"} & set(named):
        named = next(value for value in named.values() if isinstance(value, dict))
    member = "id" if "id" in named else "invoiceId"
    value = named[member]
    named[member] = value + number if isinstance(value, int) else f"{value[:-3]}{number:03}"
    return copy
