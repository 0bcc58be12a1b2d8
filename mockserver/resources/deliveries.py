"""What becomes of a mass message when it goes out: it is done, and in the chats and the statistics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mockserver.organizations import Account
from mockserver.resources.chats import media_of
from mockserver.resources.scene import Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Collection, Record

_NEVER = float("inf")
QUEUE = "mass_message_queue"
_MESSAGE = {
    "responseType": "message",
    "isTip": False,
    "isLiked": False,
    "isPinned": False,
    "canBePinned": True,
    "isFromQueue": True,
    "cancelSeconds": 86_400,
    "isOpened": False,
    "isNew": True,
    "isOwn": True,
    "isPurchased": False,
    "buyerId": None,
}
"""What is the same for all messages that come from the queue, as they arrive."""


def is_due(account: Account, now: float) -> bool:
    """Whether a scheduled mass message of the account should have gone out by ``now``."""
    return now >= next_due(account)


def deliver_due(scene: Scene) -> None:
    """Send the account's scheduled mass messages whose time has come since the last request."""
    queue = scene.collection(QUEUE)
    due = [row for row in _waiting(queue) if timestamp(queue.get(row), "date") <= scene.now]
    for row in sorted(due, key=lambda row: timestamp(queue.get(row), "date")):
        queue.change([row], delivered(scene, queue.get(row)))


def delivered(scene: Scene, item: Record) -> dict[str, Any]:
    """Add the queue's ``item`` to the chats and the statistics; return the fields that its delivery sets."""
    recipients = _recipients(scene, item)
    _put_into_chats(scene, item, recipients)
    scene.collection("mass_messages").add(
        {
            "date": item["date"],
            "text": item["text"],
            "sentCount": len(recipients),
            "viewedCount": 0,
            "mediaCount": len(item.get("mediaFiles", ())),
            "price": item.get("price", 0),
            "isFree": item["isFree"],
            "purchases": 0,
        }
    )
    return {"isDone": True, "sentCount": len(recipients)}


def _put_into_chats(scene: Scene, item: Record, recipients: Iterable[int]) -> None:
    """Add the message to the chats of those who have one; `isFromQueue` tells where it came from."""
    chats, messages = scene.collection("chats"), scene.collection("messages")
    message = {
        **_MESSAGE,
        **media_of(scene, item.get("mediaFiles", ())),
        "text": item["text"],
        "giphyId": item.get("giphyId"),
        "lockedText": item.get("lockedText", False),
        "isFree": item["isFree"],
        "price": item.get("price", 0),
        "previews": item.get("previews", []),
        "fromUser": {"id": scene.account_id, "_view": "s"},
        **dict.fromkeys(("createdAt", "changedAt", "sentAt"), item["date"]),
    }
    for fan in sorted(recipients):
        if chats.find("withUser.id", fan):
            messages.add({**message, "id": messages.next_id(), "withUserId": fan})


def next_due(account: Account) -> float:
    """Return when the account's next message goes out; remembered until the queue changes."""
    queue = account.collections[QUEUE]
    found: float | None = queue.memory.get("next due")
    if found is None:
        dates = [timestamp(queue.get(row), "date") for row in _waiting(queue)]
        found = queue.memo("next due", lambda: min(dates, default=_NEVER))
    return found


def _waiting(queue: Collection) -> list[int]:
    rows = {row: queue.get(row) for row in queue.rows()}
    return [row for row, item in rows.items() if not item["isCanceled"] and not item.get("isDone")]


def _recipients(scene: Scene, item: Record) -> set[int]:
    """Return the fans that the item's lists and ids name, without the excluded ones."""
    members = _members(scene, item.get("userLists", ())) | set(item.get("userIds", ()))
    return members - _members(scene, item.get("excludedLists", ()))


def _members(scene: Scene, lists: Iterable[Any]) -> set[int]:
    named = {str(id) for id in lists}
    return {
        fan
        for record in scene.collection("user_lists").records()
        if str(record["id"]) in named
        for fan in record["memberIds"]
    }
