"""Records that requests create or change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver.clock import isoformat

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from mockserver.resources.scene import Scene
    from mockserver.store import Collection

Maker = Callable[["Scene", int | None], Any]
"""Makes a value for the record that is written in a scene, under an id if it is a new one."""

_NUMBER = re.compile("[1-9][0-9]{0,17}")

_MOST_ACCOUNTS = 256
"""Accounts whose constants are remembered."""


class Form:
    """How the requests of one operation become records: the contract's `values`, then what was sent.

    Values may be stand-ins for what is known only at a request: ``$now``, ``$account``, ``$null`` and ``{id}``.
    Records share what time and id don't change.
    """

    def __init__(self, operation: Operation) -> None:
        options = operation.resource.options
        values: Mapping[str, Any] = options.get("values", {})
        self._dated = [field for field, value in values.items() if value == "$now"]
        self._passing = {f: _maker(value) for f, value in values.items() if _is_passing(value)}
        self._makers = {field: _maker(value) for field, value in values.items()}
        self._filled: dict[int | None, dict[str, Any]] = {}
        self._match = tuple(options.get("match", {}).items())
        known, rename = options.get("known", ()), options.get("rename", {})
        self._members = {
            name: (rename.get(name, name), name in known) for name in operation.body_members
        }

    def constants(self, scene: Scene, id: int | None = None) -> dict[str, Any]:
        """Return the constant fields of a record of ``id``, written in ``scene``."""
        account = None if scene.account is None else scene.account.id
        filled = self._filled.get(account)
        if filled is None:
            if len(self._filled) >= _MOST_ACCOUNTS:
                self._filled.clear()
            filled = {field: make(scene, id) for field, make in self._makers.items()}
            self._filled[account] = filled
        fields = (
            filled.copy()
        )  # has room for all of them, where a new one would grow again and again
        if self._dated:
            now = isoformat(scene.at)
            for field in self._dated:
                fields[field] = now
        for field, make in self._passing.items():
            fields[field] = make(scene, id)
        return fields

    def sent(self, scene: Scene) -> dict[str, Any]:
        """Return the members of the body that the contract names, as fields of the record.

        An id that a list of known ones holds twice counts once.
        """
        members, fields = self._members, {}
        for name, value in scene.arguments.body.items():
            if name in members:
                field, is_known = members[name]
                fields[field] = list(dict.fromkeys(value)) if is_known else value
        return fields

    def record(self, scene: Scene, collection: Collection) -> dict[str, Any]:
        """Return the record that a request creates: a new id, the constants, then what was sent."""
        id, path = collection.next_id(), scene.arguments.path
        record = self.constants(scene, id)
        record["id"] = id
        for name, field in self._match:
            if name in path:
                record[field] = path[name]
        record |= self.sent(scene)
        return record


def check_known(scene: Scene) -> None:
    """Raise ``Refused`` (404) where the body names a record that isn't there."""
    for member, collection in scene.operation.resource.options["known"].items():
        for value in scene.arguments.body.get(member, ()):
            scene.find(collection, "id", id_sent(value))


def id_sent(value: Any) -> Any:
    """Return an id as collections hold it; the pages write the numbers of lists as text in places."""
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _is_passing(value: Any) -> bool:
    """Whether a constant differs from one request of an account to the next."""
    if isinstance(value, dict):
        return any(part == "$now" or _is_passing(part) for part in value.values())
    return isinstance(value, str) and "{" in value


def _maker(value: Any) -> Maker:
    """Return what makes a constant for a record in a scene."""
    if isinstance(value, dict):
        makers = {field: _maker(part) for field, part in value.items()}
        return lambda scene, id: {field: make(scene, id) for field, make in makers.items()}
    if value == "$now":
        return lambda scene, _: isoformat(scene.now)
    if value == "$account":
        return lambda scene, _: scene.named_account.id
    if value == "$null":
        return lambda _scene, _id: None
    if isinstance(value, str) and "{" in value:
        return lambda _, id: value.format(id=id)
    return lambda _scene, _id: value
