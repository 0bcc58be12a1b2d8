"""Fields that are computed when a record is read, so that they can't disagree with what they count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.resources.chats import last_messages, message_ids, pinned_messages
from mockserver.resources.scene import Scene
from mockserver.store import Record

_LAST_MESSAGE = (
    "id",
    "text",
    "isFree",
    "createdAt",
    "mediaCount",
    "isTip",
    "fromUser",
    "isOpened",
    "giphyId",
    "lockedText",
)
"""What a chat shows of its latest message; the rest of the stored record is hidden."""


def _chat(record: Record, scene: Scene) -> dict[str, Any]:
    fan = record["withUser"]["id"]
    last = last_messages(scene).get(fan)
    ids = message_ids(scene).get(fan, [])
    unread = record["unreadMessagesCount"]
    shown = {
        **record,
        "countPinnedMessages": pinned_messages(scene).get(fan, 0),
        "lastReadMessageId": ids[-1 - unread] if unread < len(ids) else 0,
    }
    # A chat whose messages are all gone has no last one.
    return {**shown, "lastMessage": {name: last[name] for name in _LAST_MESSAGE}} if last else shown


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


def show(scene: Scene, record: Record, collection: str | None = None) -> dict[str, Any]:
    """Return what the answer shows of ``record``, its computed fields included."""
    view = VIEWS.get(collection or scene.operation.resource.collection or "")
    return scene.shape.show(view(record, scene) if view else record)
