"""Records that requests create or change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver.clock import isoformat

if TYPE_CHECKING:
    from mockserver.resources.scene import Scene
    from mockserver.store import Collection

Maker = Callable[["Scene", int | None], Any]
"""Makes a value for the record that is written in a scene, under an id if it is a new one."""

_NUMBER = re.compile("[1-9][0-9]{0,17}")

_MOST_ACCOUNTS = 256
"""Accounts whose constants are remembered."""


class Constants:
    """What a contract's `values` put into records: values, and stand-ins for what is known only at a request.

    The stand-ins are ``$now``, ``$account``, ``$null`` and ``{id}``. Records share what time and id don't change.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._lasting = {field: value for field, value in values.items() if not _passes(value)}
        self._passing = {f: _maker(value) for f, value in values.items() if _passes(value)}
        self._filled: dict[int | None, dict[str, Any]] = {}

    def fill(self, scene: Scene, id: int | None = None) -> dict[str, Any]:
        """Return the fields for a record of ``id``, written in ``scene``."""
        account = scene.account_id
        filled = self._filled.get(account)
        if filled is None:
            if len(self._filled) >= _MOST_ACCOUNTS:
                self._filled.clear()
            filled = {field: _maker(value)(scene, id) for field, value in self._lasting.items()}
            self._filled[account] = filled
        return {**filled, **{field: make(scene, id) for field, make in self._passing.items()}}


def new_record(scene: Scene, collection: Collection) -> dict[str, Any]:
    """Return the record that the request creates: a new id, the constants, then what was sent."""
    options = scene.operation.resource.options
    id = collection.next_id()
    matched = {
        field: scene.arguments.path[name]
        for name, field in options.get("match", {}).items()
        if name in scene.arguments.path
    }
    return {
        "id": id,
        **scene.constants.fill(scene, id),
        **matched,
        **body_fields(scene),
    }


def body_fields(scene: Scene) -> dict[str, Any]:
    """Return the members of the body that the contract names, as fields of the record.

    An id that a list of known ones holds twice counts once.
    """
    options = scene.operation.resource.options
    rename: Mapping[str, str] = options.get("rename", {})
    known = options.get("known", ())
    members = scene.operation.body_members
    return {
        rename.get(name, name): list(dict.fromkeys(value)) if name in known else value
        for name, value in scene.arguments.body.items()
        if name in members
    }


def check_known(scene: Scene) -> None:
    """Raise ``Refused`` (404) where the body names a record that isn't there."""
    for member, collection in scene.operation.resource.options["known"].items():
        for value in scene.arguments.body.get(member, ()):
            scene.find(collection, "id", id_sent(value))


def id_sent(value: Any) -> Any:
    """Return an id as collections hold it; the pages write the numbers of lists as text in places."""
    return int(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _passes(value: Any) -> bool:
    """Whether a constant differs from one request of an account to the next."""
    if isinstance(value, dict):
        return any(map(_passes, value.values()))
    return isinstance(value, str) and (value == "$now" or "{" in value)


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
