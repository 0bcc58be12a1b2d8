"""What chats and messages know of each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from mockserver.resources.scene import Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Record

_NO_MEDIA = {"media": [], "mediaCount": 0, "hasMedia": False}


def last_messages(scene: Scene) -> dict[int, Record]:
    """Return the latest message of each chat by the fan's id; remembered until a message changes."""
    messages = scene.collection("messages")

    def latest() -> dict[int, Record]:
        last = {fan: ids[-1] for fan, ids in messages.ids("withUserId").items()}
        return {fan: next(iter(messages.found("id", id))) for fan, id in last.items()}

    found: dict[int, Record] = messages.memo("last messages", latest)
    return found


def pinned_messages(scene: Scene) -> dict[int, int]:
    """Return the number of pinned messages of each chat by the fan's id; chats without any are left out."""
    messages = scene.collection("messages")

    def counted() -> dict[int, int]:
        return {fan: len(ids) for fan, ids in messages.ids("withUserId", "isPinned").items()}

    found: dict[int, int] = messages.memo("pinned messages", counted)
    return found


def last_read(scene: Scene, fan: int, unread: int) -> int:
    """Return the id of the message before the last ``unread`` ones that the fan wrote; 0 if there is none."""
    messages = scene.collection("messages")
    of_chat, written = (messages.ids(field).get(fan, ()) for field in ("withUserId", "fromUser.id"))
    if unread > len(written):
        return 0
    read = bisect_left(of_chat, written[-unread]) if unread else len(of_chat)
    return of_chat[read - 1] if read else 0


def seconds_to_cancel(message: Record, scene: Scene) -> int:
    """Return how long a message can still be unsent; 0 once its window has closed.

    `cancelSeconds` is the length of the window from `sentAt` on.
    A seeded message has no `sentAt`, so its window stays as it is.
    """
    length = int(message["cancelSeconds"])
    if "sentAt" not in message:
        return length
    return scene.seconds_until(timestamp(message, "sentAt") + length)


def media_of(scene: Scene, ids: Sequence[int]) -> Record:
    """Return a message's media fields for the vault media that it names."""
    if not ids:
        return _NO_MEDIA
    vault = scene.collection("vault_media")
    found = [vault.get(row) for id in ids for row in vault.find("id", id)]
    media = [{"id": m["id"], "type": m["type"], "isReady": m["isReady"]} for m in found]
    return {
        "media": media,
        "mediaCount": len(media),
        "hasMedia": bool(media),
    }
