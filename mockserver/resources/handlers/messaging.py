"""Chats in the order of their latest messages, the unread badge, and sending a message, which moves its chat to the top."""

from __future__ import annotations

from mockserver.resources.chats import last_messages, media_of
from mockserver.resources.paging import answer_page
from mockserver.resources.scene import DONE, Result, Scene
from mockserver.resources.selection import select
from mockserver.resources.views import show
from mockserver.store import Record


def list_chats(scene: Scene) -> Result:
    """Answer the chats, by default the one with the latest message first."""
    chats, last = scene.collection("chats"), last_messages(scene)
    found = [chats.get(row) for row in select(scene)]
    list_id = scene.arguments.query.get("list_id")
    if list_id is not None:
        row = scene.find("user_lists", "id", list_id)
        members = set(scene.collection("user_lists").get(row)["memberIds"])
        found = [chat for chat in found if chat["withUser"]["id"] in members]
    query = scene.arguments.query.get("query")
    if query is not None:
        found = [chat for chat in found if _is_with(scene, chat, query.casefold())]
    oldest_first = scene.arguments.query["order"] == "old"

    def latest(chat: Record) -> int:
        message = last.get(chat["withUser"]["id"])
        return int(message["id"]) if message else 0

    found.sort(key=latest, reverse=not oldest_first)
    return answer_page(scene, found, lambda chat: show(scene, chat))


def _is_with(scene: Scene, chat: Record, text: str) -> bool:
    """Whether a chat's fan goes by a name with this part, the one that the account gave included."""
    user, fans = chat["withUser"], scene.collection("fans")
    names = [user.get("username"), user.get("name")]
    names += [fans.get(row).get("displayName") for row in fans.find("id", user["id"])]
    return any(text in str(name or "").casefold() for name in names)


def mark_chat_as_unread(scene: Scene) -> Result:
    """Give a chat the unread badge, with one unread message unless it has some already."""
    chats = scene.collection("chats")
    row = scene.find("chats", "withUser.id", scene.arguments.path["user_id"])
    unread = chats.get(row)["unreadMessagesCount"] or 1
    chats.change([row], {"unreadMessagesCount": unread, "isUnread": True})
    return DONE


def send_message(scene: Scene) -> Result:
    """Put a message of the account's own into a chat and into the statistics of single messages.

    A hidden chat stays so until the fan writes.
    """
    scene.find("chats", "withUser.id", scene.arguments.path["user_id"])
    messages = scene.collection("messages")
    message = scene.form.record(scene, messages)
    if message.get("mediaFiles"):
        message |= media_of(scene, message["mediaFiles"])
    message["isFree"] = not message["price"]
    messages.add(message)
    scene.collection("direct_messages").add(
        {
            "id": message["id"],
            "date": message["createdAt"],
            "text": message["text"],
            "sentCount": 1,
            "viewedCount": 0,
            "mediaCount": message["mediaCount"],
            "isFree": message["isFree"],
            "isTip": False,
        }
    )
    return Result(scene.shape.show(message))
