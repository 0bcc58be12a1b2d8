"""What chats show of their messages is what a look at every message finds, whatever was written."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mockserver.state import dump, read

if TYPE_CHECKING:
    from tests.conftest import Tenant

BODIES: dict[str, Callable[[int], Any]] = {
    "sendMessage": lambda _: {"text": "Hi"},
    "likeMessage": lambda fan: {"withUserId": fan},
    "sendMassMessage": lambda fan: {"text": "Hi", "userIds": [fan, 50002]},
    "schedule": lambda fan: {"text": "Hi", "userIds": [fan], "scheduledDate": "2026-01-31T12:01Z"},
}
"""What writes send to a fan or about a message of one; the others send nothing."""
REQUESTS = [*BODIES, "unsendMessage", "pinMessage", "unpinMessage"]
REQUESTS += ["hideChat", "deleteChat", "markChatAsUnread"]
SAME = settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def records(tenant: Tenant, name: str) -> list[Any]:
    return tenant.organization.accounts[1001].collection(name).records()


def write(tenant: Tenant, name: str, number: int) -> None:
    """Let happen what ``name`` says, to one of the latest messages or to its chat."""
    if name == "wait":
        tenant.organization.clock.advance(number)
    elif name == "load":
        state = dump(tenant.organization)
        for collections in state["records"].values():
            collections.get("messages", []).reverse()
        tenant.world.load_organization(read(state, tenant.contract))
    else:
        message = sorted(records(tenant, "messages"), key=itemgetter("id"))[-1 - number]
        fan = message["withUserId"]
        body = BODIES[name](fan) if name in BODIES else None
        path = {"message_id": message["id"], "user_id": fan}
        tenant.call(name.replace("schedule", "sendMassMessage"), path_arguments=path, body=body)


def shown(tenant: Tenant) -> list[tuple[int, ...]]:
    """Return what the list shows: the fan, the last message, how many are pinned, and the last one that was read."""
    return [
        (
            chat["withUser"]["id"],
            chat.get("lastMessage", {}).get("id", 0),
            chat["countPinnedMessages"],
            chat["lastReadMessageId"],
        )
        for chat in tenant.data("listChats", query={"limit": 100})["list"]
    ]


def looked_up(tenant: Tenant) -> list[tuple[int, ...]]:
    """Return the same, found by looking at every message."""
    messages: dict[int, list[Any]] = {}
    for message in sorted(records(tenant, "messages"), key=itemgetter("id")):
        messages.setdefault(message["withUserId"], []).append(message)
    chats = [chat for chat in records(tenant, "chats") if not chat["isHidden"]]
    found = [_looked_up(chat, messages.get(chat["withUser"]["id"], [])) for chat in chats]
    return sorted(found, key=itemgetter(1), reverse=True)


def _looked_up(chat: Any, messages: list[Any]) -> tuple[int, ...]:
    fan, unread = chat["withUser"]["id"], chat["unreadMessagesCount"]
    ids = [0, *(message["id"] for message in messages)]
    written = [0, *(message["id"] for message in messages if message["fromUser"]["id"] == fan)]
    first_unread = [*written, math.inf][max(-1 - unread, -1 - len(written))]
    read = max((id for id in ids if id < first_unread), default=0)
    return fan, ids[-1], sum(message["isPinned"] for message in messages), read


@SAME
@given(
    st.lists(
        st.tuples(st.sampled_from([*REQUESTS, "wait", "load"]), st.integers(0, 40)), max_size=8
    )
)
def test_chats_agree_with_their_messages(tenant: Tenant, writes: list[tuple[str, int]]) -> None:
    """After each write, message that comes due and loaded state, and after the reset that begins the next try."""
    tenant.world.reset_organization(tenant.id)
    for one in [None, *writes]:
        if one is not None:
            write(tenant, *one)

        assert looked_up(tenant) == shown(tenant)
