"""Records that requests create or change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.clock import isoformat
from mockserver.resources.scene import Scene
from mockserver.store import Collection


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
        **constants(scene, options.get("values", {}), id),
        **matched,
        **body_fields(scene),
    }


def body_fields(scene: Scene) -> dict[str, Any]:
    """Return the members of the body that the contract names, as fields of the record."""
    rename: Mapping[str, str] = scene.operation.resource.options.get("rename", {})
    members = scene.operation.body_members
    sent = scene.arguments.body
    return {rename.get(name, name): value for name, value in sent.items() if name in members}


def constants(scene: Scene, values: Mapping[str, Any], id: int | None = None) -> dict[str, Any]:
    """Return ``values`` with the stand-ins filled in: ``$now``, ``$account``, ``$null``, ``{id}``."""
    return {field: _constant(scene, value, id) for field, value in values.items()}


def _constant(scene: Scene, value: Any, id: int | None) -> Any:
    if isinstance(value, dict):
        return constants(scene, value, id)
    if not isinstance(value, str):
        return value
    if value == "$now":
        return isoformat(scene.now)
    if value == "$account":
        return scene.named_account.id
    if value == "$null":
        return None
    return value.format(id=id) if "{" in value else value
