"""Fields that are computed when a record is read, so that they can't disagree with what they count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.resources.chats import (
    last_messages,
    last_read,
    pinned_messages,
    seconds_to_cancel,
)
from mockserver.resources.scene import Scene
from mockserver.resources.selection import timestamp
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


def _message(record: Record, scene: Scene) -> dict[str, Any]:
    left = seconds_to_cancel(record, scene)
    shown = {**record, "cancelSeconds": left, "canUnsendQueue": left > 0}
    if scene.arguments.query.get("skip_users") != "none":
        return shown
    return {**shown, "fromUser": {**record["fromUser"], **_names(scene, record["fromUser"]["id"])}}


def _names(scene: Scene, user: int) -> dict[str, Any]:
    """Return the username and the name of a fan or of the account itself; nothing for anyone else."""
    if user == scene.owner.id:
        return {"username": scene.owner.username, "name": scene.owner.name}
    fans = scene.collection("fans")
    found = [fans.get(row) for row in fans.find("id", user)]
    return {name: fan[name] for fan in found for name in ("username", "name") if name in fan}


def _chat(record: Record, scene: Scene) -> dict[str, Any]:
    fan = record["withUser"]["id"]
    last = last_messages(scene).get(fan)
    shown = {
        **record,
        "countPinnedMessages": pinned_messages(scene).get(fan, 0),
        "lastReadMessageId": last_read(scene, fan, record["unreadMessagesCount"]),
    }
    # A chat whose messages are all gone has no last one.
    if not last:
        return shown
    message = _message(last, scene)
    return {**shown, "lastMessage": {name: message[name] for name in _LAST_MESSAGE}}


def _user_list(record: Record, _: Scene) -> dict[str, Any]:
    return {**record, "usersCount": len(record["memberIds"])}


def _vault_list(record: Record, _: Scene) -> dict[str, Any]:
    return {**record, "mediaCount": len(record["mediaIds"])}


def _trial_link(record: Record, scene: Scene) -> dict[str, Any]:
    owner = {"id": scene.owner.id, "username": scene.owner.username}
    return {**record, "user": owner, "isFinished": _is_over(record, "expiredAt", scene)}


def _promotion(record: Record, scene: Scene) -> dict[str, Any]:
    over = _is_over(record, "finishedAt", scene)
    return {**record, "isFinished": over, "canClaim": record["canClaim"] and not over}


def _is_over(record: Record, field: str, scene: Scene) -> bool:
    """Whether what ends at the time in ``field`` has ended; nothing ends where there is no time."""
    if record["isFinished"] or not record[field]:
        return bool(record["isFinished"])
    return not scene.seconds_until(timestamp(record, field))


def _queue_item(record: Record, scene: Scene) -> dict[str, Any]:
    """Count down how long a delivered message can be unsent; `unsendSeconds` is the whole window."""
    if not record.get("isDone"):
        return dict(record)
    left = scene.seconds_until(timestamp(record, "date") + record["unsendSeconds"])
    return {**record, "unsendSeconds": left, "canUnsend": record["canUnsend"] and left > 0}


def _payment(record: Record, scene: Scene) -> dict[str, Any]:
    """Show who paid under the display name that the account gave since."""
    fans = scene.collection("fans")
    given = [fans.get(row).get("displayName") for row in fans.find("id", record["user"]["id"])]
    user = record["user"]
    return {**record, "user": {**user, "displayName": given[0]} if given else user}


VIEWS: dict[str, Callable[[Record, Scene], dict[str, Any]]] = {
    "chats": _chat,
    "mass_message_queue": _queue_item,
    "messages": _message,
    "promotions": _promotion,
    "transactions": _payment,
    "trial_links": _trial_link,
    "user_lists": _user_list,
    "vault_lists": _vault_list,
}
"""The view of each collection that has computed fields."""


def view_of(scene: Scene, record: Record, collection: str | None = None) -> Record:
    """Return ``record`` with its computed fields; it is of the operation's collection unless another is named."""
    view = VIEWS.get(collection or scene.operation.resource.collection or "")
    return view(record, scene) if view else record


def show(scene: Scene, record: Record) -> dict[str, Any]:
    """Return what the answer shows of ``record``, its computed fields included."""
    return scene.shape.show(view_of(scene, record))
