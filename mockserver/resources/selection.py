"""Which records of a collection a request asks for, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from mockserver.clock import DAY
from mockserver.resources.dates import window_of
from mockserver.resources.scene import Scene
from mockserver.store import Collection, Record, dig

Condition = Callable[[Record], bool]

PAGING = frozenset({"limit", "offset", "marker", "id", "last_id", "first_id"})
"""Parameters that choose a page, not records."""


def timestamp(record: Record, field: str) -> float:
    """Return a record's time as seconds since the epoch; minus infinity where it has none."""
    text = dig(record, field)
    return epoch(text) if text else float("-inf")


@lru_cache(maxsize=65_536)
def epoch(text: str) -> float:
    """Return the seconds since the epoch of a stored time; remembered, for reads ask again and again."""
    return datetime.fromisoformat(text).timestamp()


def select(scene: Scene) -> list[int]:
    """Return the rows that the request asks for, in its order, before paging.

    The answer is remembered until the next write to the collection.
    """
    collection = scene.collection(_collection(scene))
    return list(collection.memo(_memo_key(scene), lambda: _select(scene)))


def _collection(scene: Scene) -> str:
    name = scene.operation.resource.collection
    if name is None:  # the loader demands one for every action but a handler
        raise LookupError(f"{scene.operation.id} names no collection")
    return name


def _memo_key(scene: Scene) -> tuple[Any, ...]:
    """Everything the selection depends on besides the collection; windows move with the day."""
    asked = (
        (name, tuple(value) if isinstance(value, list) else value)
        for part in (scene.arguments.path, scene.arguments.query)
        for name, value in part.items()
        if name not in PAGING
    )
    moment = int(scene.now // DAY) if "window" in scene.operation.resource.options else 0
    return (scene.operation.id, moment, *asked)


def _select(scene: Scene) -> list[int]:
    collection = scene.collection(_collection(scene))
    conditions = list(_conditions(scene))
    rows = _candidates(scene, collection)
    found = [row for row in rows if all(c(collection.get(row)) for c in conditions)]
    order = order_of(scene)
    if order is None:
        return found
    field, descending = order
    return sorted(
        found, key=lambda row: (_sort_key(dig(collection.get(row), field)), row), reverse=descending
    )


def _candidates(scene: Scene, collection: Collection) -> list[int]:
    """Return the rows to be looked at, in order: where a field must equal an integer, those that an index finds."""
    for name, field in scene.operation.resource.options.get("match", {}).items():
        value = scene.arguments.get(name)
        if isinstance(value, int):  # as text too: see `_equals_loosely`
            return sorted({*collection.find(field, value), *collection.find(field, str(value))})
    return collection.rows()


def _sort_key(value: Any) -> tuple[bool, Any]:
    """Return what sorts a value: nulls first, text without its case, lists by their length."""
    if isinstance(value, (list, tuple)):
        return (True, len(value))
    return (value is not None, value.casefold() if isinstance(value, str) else value)


def _conditions(scene: Scene) -> Iterable[Condition]:
    options = scene.operation.resource.options
    for field, value in options.get("where", {}).items():
        yield _equals(field, value)
    for option, condition in _ASKED.items():
        for name, target in options.get(option, {}).items():
            value = scene.arguments.get(name)
            if value is not None:
                yield condition(target, value)
    if "window" in options:
        yield _within(options["window"], *window_of(scene.arguments, scene.now))


def _equals(field: str, value: Any) -> Condition:
    return lambda record: dig(record, field) == value


def _equals_loosely(field: str, value: Any) -> Condition:
    """Compare as text: the pages type some ids as strings in one place and numbers in another."""
    text = str(value)
    return lambda record: str(dig(record, field)) == text


def _mentions(fields: Iterable[str], text: str) -> Condition:
    wanted = text.casefold()
    return lambda record: any(wanted in str(dig(record, f) or "").casefold() for f in fields)


def _contains(field: str, value: Any) -> Condition:
    text = str(value)
    return lambda record: text in map(str, dig(record, field) or ())


def _case(cases: Mapping[str, Mapping[str, Any]], value: str) -> Condition:
    """Return the conditions of one value of an enumerated parameter; a value without any keeps all."""
    conditions = [_has(field, wanted) for field, wanted in cases.get(value, {}).items()]
    return lambda record: all(condition(record) for condition in conditions)


def _has(field: str, wanted: Any) -> Condition:
    """Compare with a field, or with that field of each item where a list is on the way."""
    steps = field.split(".")
    return lambda record: wanted in _reached(record, steps)


def _reached(value: Any, steps: list[str]) -> Iterable[Any]:
    """Yield what ``steps`` lead to: one value, or one of each item of the lists on the way."""
    if isinstance(value, list):
        for item in value:
            yield from _reached(item, steps)
    elif steps:
        yield from _reached(value.get(steps[0]) if isinstance(value, dict) else None, steps[1:])
    else:
        yield value


def _within(field: str, first: float, last: float) -> Condition:
    return lambda record: first <= timestamp(record, field) <= last


_ASKED: dict[str, Callable[[Any, Any], Condition]] = {
    "match": _equals_loosely,
    "search": _mentions,
    "contains": _contains,
    "filter": _case,
}
"""The conditions that depend on what was asked, by the option that names parameter and field."""


def order_of(scene: Scene) -> tuple[str, bool] | None:
    """Return the field to sort by and whether the largest comes first, or ``None`` for the stored order."""
    order: Mapping[str, Any] = scene.operation.resource.options.get("order", {})
    asked = scene.arguments.query
    field = order.get("by")
    if "columns" in order:
        field = order["columns"].get(scene.arguments.get(order["param"]), field)
    if field is None:
        return None
    direction = order.get("direction", "asc")
    if "direction_param" in order:
        value = asked.get(order["direction_param"], direction)
        direction = order.get("directions", {}).get(value, value)
    return field, direction == "desc"
