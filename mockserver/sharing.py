"""Equal parts of records held once: seeded records repeat each other, and nobody changes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from mockserver.store import Record

_PARTS = frozenset({str, dict, list})
"""The types of values that are worth being looked for."""


def held_once(records: list[dict[str, Any]], others: Sequence[list[Record]]) -> list[Record]:
    """Return ``records``, with one object for what is equal in several, or in the same place of ``others``.

    Equal is what gives the same JSON, so 1 is neither 1.0 nor true.
    """
    known: dict[str | bytes, Any] = {}
    shared: list[Record] = []
    for record, *twins in zip(records, *others, strict=True):  # made from one plan, so as many
        same = next((twin for twin in twins if _is_same(record, twin)), None)
        shared.append(_parts_once(record, twins, known) if same is None else same)
    return shared


def _parts_once(
    record: dict[str, Any], twins: Sequence[Record], known: dict[str | bytes, Any]
) -> Record:
    first = twins[0] if twins else {}
    for field, value in record.items():
        if type(value) in _PARTS:
            theirs = first.get(field)
            if theirs is None or not _is_same(value, theirs):
                key = value if isinstance(value, str) else orjson.dumps(value)
                theirs = known.setdefault(key, value)
            record[field] = theirs
    return record


def _is_same(one: Any, other: Any) -> bool:
    is_equal = type(one) is type(other) and one == other
    return is_equal and (isinstance(one, str) or orjson.dumps(one) == orjson.dumps(other))
