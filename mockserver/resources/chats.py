"""What chats and messages know of each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

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
        rows = messages.find("isPinned", True)
        return Counter(messages.get(row)["withUserId"] for row in rows)

    found: dict[int, int] = messages.memo("pinned messages", counted)
    return found


def last_read(scene: Scene, fan: int, unread: int) -> int:
    """Return the id of the message before the last ``unread`` ones that the fan wrote; 0 if there is none."""
    messages = scene.collection("messages")
    chat = [messages.get(row) for row in messages.find("withUserId", fan)]
    written = sorted(message["id"] for message in chat if message["fromUser"]["id"] == fan)
    if unread > len(written):
        return 0
    end = written[-unread] if unread else math.inf
    return max((message["id"] for message in chat if message["id"] < end), default=0)


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
