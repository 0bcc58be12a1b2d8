"""Which fields of a stored record an answer shows: the ones that its schema names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.contract.build import properties, resolve
from mockserver.store import Record

_WRAPPERS = ("list", "items")


@dataclass(frozen=True, slots=True)
class Shape:
    """How an operation's ``data`` is built from records."""

    wrapper: str | None
    """The member that holds the records of a page (``list`` or ``items``); ``None`` for a bare array."""
    members: frozenset[str]
    """The members of ``data``, where it is an object."""
    fields: tuple[str, ...]
    """The fields of one record that the answer shows; none named means all."""

    def show(self, record: Record) -> dict[str, Any]:
        """Return the part of ``record`` that the answer shows."""
        if not self.fields:
            return dict(record)
        return {field: record[field] for field in self.fields if field in record}


def shape_of(
    document: Mapping[str, Any], data_schema: Mapping[str, Any], wrap: str | None
) -> Shape:
    """Return the shape that ``data_schema`` gives to an operation's answer.

    ``wrap`` names the member that holds the one record of an operation that doesn't answer a page.
    """
    members = properties(document, data_schema)
    if data_schema.get("type") == "array":
        return Shape(None, frozenset(), _fields(document, data_schema.get("items", {})))
    for wrapper in _WRAPPERS:
        items = members.get(wrapper)
        if items is not None and resolve(document, items).get("type") == "array":
            item = resolve(document, items)["items"]
            return Shape(wrapper, frozenset(members), _fields(document, item))
    if wrap is not None:
        return Shape(None, frozenset(members), _fields(document, members[wrap]))
    return Shape(None, frozenset(members), tuple(members))


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(properties(document, resolve(document, schema)))
