"""What chats and messages know of each other."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

from mockserver.resources.scene import Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Record

_NO_MEDIA = {"media": [], "mediaCount": 0, "hasMedia": False}


def last_messages(scene: Scene) -> dict[int, Record]:
    """Return the latest message of each chat by the fan's id; remembered until a message changes."""
    messages = scene.collection("messages")

    def latest() -> dict[int, Record]:
        last: dict[int, Record] = {}
        for message in messages.records():
            fan = message["withUserId"]
            if fan not in last or message["id"] > last[fan]["id"]:
                last[fan] = message
        return last

    found: dict[int, Record] = messages.memo("last messages", latest)
    return found


def pinned_messages(scene: Scene) -> dict[int, int]:
    """Return the number of pinned messages of each chat by the fan's id."""
    messages = scene.collection("messages")

    def counted() -> dict[int, int]:
        pinned: dict[int, int] = {}
        for message in messages.records():
            if message["isPinned"]:
                pinned[message["withUserId"]] = pinned.get(message["withUserId"], 0) + 1
        return pinned

    found: dict[int, int] = messages.memo("pinned messages", counted)
    return found


def last_read(scene: Scene, fan: int, unread: int) -> int:
    """Return the id of the message before the last ``unread`` ones that the fan wrote; 0 if there is none."""
    ids, written = _message_ids(scene).get(fan, ([], []))
    if unread > len(written):
        return 0
    read = bisect_left(ids, written[-unread]) if unread else len(ids)
    return ids[read - 1] if read else 0


def _message_ids(scene: Scene) -> dict[int, tuple[list[int], list[int]]]:
    """Return the ids of each chat's messages and of those that the fan wrote, oldest first, by the fan's id."""
    messages = scene.collection("messages")

    def sorted_ids() -> dict[int, tuple[list[int], list[int]]]:
        ids: dict[int, tuple[list[int], list[int]]] = {}
        for message in sorted(messages.records(), key=itemgetter("id")):
            fan = message["withUserId"]
            of_chat, written = ids.setdefault(fan, ([], []))
            of_chat.append(message["id"])
            if message["fromUser"]["id"] == fan:
                written.append(message["id"])
        return ids

    found: dict[int, tuple[list[int], list[int]]] = messages.memo("message ids", sorted_ids)
    return found


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
