"""What chats and messages know of each other."""

from __future__ import annotations

from collections import Counter
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
        in_order = sorted(messages.records(), key=itemgetter("id"))
        return {message["withUserId"]: message for message in in_order}

    found: dict[int, Record] = messages.memo("last messages", latest)
    return found


def pinned_messages(scene: Scene) -> dict[int, int]:
    """Return the number of pinned messages of each chat by the fan's id."""
    messages = scene.collection("messages")

    def counted() -> dict[int, int]:
        return Counter(message["withUserId"] for message in messages.found("isPinned", True))

    found: dict[int, int] = messages.memo("pinned messages", counted)
    return found


def last_read(scene: Scene, fan: int, unread: int) -> int:
    """Return the id of the message before the last ``unread`` ones that the fan wrote; 0 if there is none."""
    if not unread:
        last = last_messages(scene).get(fan)
        return int(last["id"]) if last else 0
    messages = scene.collection("messages")
    written = sorted(map(itemgetter("id"), messages.found("fromUser.id", fan)))
    if unread > len(written):
        return 0
    ids = map(itemgetter("id"), messages.found("withUserId", fan))
    return max(filter(written[-unread].__gt__, ids), default=0)


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
