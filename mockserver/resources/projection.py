"""Which fields of a stored record an answer shows: the ones that its schema names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.contract.build import properties, resolve
from mockserver.store import Record

_WRAPPERS = ("list", "items")

_MOST_FORMS = 64
"""Combinations of fields that are remembered."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an operation's ``data`` is built from records."""

    wrapper: str | None
    """The member that holds the records of a page (``list`` or ``items``); ``None`` for a bare array."""
    members: frozenset[str]
    """The members of ``data``, where it is an object."""
    fields: tuple[str, ...]
    """The fields of one record that the answer shows; none named means all."""
    _hidden: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, compare=False)
    """What isn't shown of records with the same fields in the same order."""

    def show(self, record: Record) -> dict[str, Any]:
        """Return the part of ``record`` that the answer shows."""
        shown = dict(record)
        if self.fields:  # taking away what is too much costs a quarter of putting in what is right
            names = tuple(record)
            hidden = self._hidden.get(names)
            for name in self._look(names) if hidden is None else hidden:
                del shown[name]
        return shown

    def _look(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._hidden) >= _MOST_FORMS:
            self._hidden.clear()
        hidden = self._hidden[names] = tuple(name for name in names if name not in self.fields)
        return hidden


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
