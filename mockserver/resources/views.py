"""Fields that are computed when a record is read, so that they can't disagree with what they count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.resources.scene import Scene
from mockserver.store import Record


def _chat(record: Record, scene: Scene) -> dict[str, Any]:
    messages = scene.collection("messages")
    rows = messages.find("withUserId", record["withUser"]["id"])
    own = [messages.get(row) for row in rows]
    last = max(own, key=lambda message: message["id"], default=None)
    pinned = sum(bool(message.get("isPinned")) for message in own)
    shown = {**record, "countPinnedMessages": pinned}
    # A chat without messages keeps the shape that every page shows.
    return {**shown, "lastMessage": last} if last else shown


def _user_list(record: Record, _: Scene) -> dict[str, Any]:
    return {**record, "usersCount": len(record["memberIds"])}


def _vault_list(record: Record, _: Scene) -> dict[str, Any]:
    return {**record, "mediaCount": len(record["mediaIds"])}


VIEWS: dict[str, Callable[[Record, Scene], dict[str, Any]]] = {
    "chats": _chat,
    "user_lists": _user_list,
    "vault_lists": _vault_list,
}
"""The view of each collection that has computed fields."""
