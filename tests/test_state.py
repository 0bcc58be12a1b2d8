"""Writes are real: each shows in every read that is about the same thing, and in no other organization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import rules

if TYPE_CHECKING:
    from tests.conftest import NewTenant, Tenant

CHAT, FAN, MESSAGE, RECENT_FAN = 60001, 50001, 7000000000001, 50239
MANY = {"limit": 100}


@dataclass(frozen=True, slots=True)
class Call:
    """An operation, and what differs from its example."""

    operation: str
    path: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    body: Any = None

    def data(self, tenant: Tenant, **path: Any) -> Any:
        """Make the call, which must succeed, and return its ``data``."""
        changes: dict[str, Any] = {"path_arguments": self.path | path, "query": self.query}
        if self.body is not None:
            changes["body"] = self.body
        return tenant.data(self.operation, **changes)


Look = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a read shows before a write and after it."""

    write: Call
    read: Call
    look: Look
    before: Any
    after: Any
    first: Call | None = None
    """A write that comes before both, where the seeded state isn't the one to start from."""


def items(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    found: list[Any] = data["list"] if "list" in data else data["items"]
    return found


def of(id: Any, name: str, key: str = "id") -> Look:
    """Look at one field of the item with this id; ``None`` where the item isn't listed."""
    return lambda data: next((i.get(name) for i in items(data) if dig(i, key) == id), None)


def dig(item: Any, path: str) -> Any:
    for step in path.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item


def has(value: Any, path: str = "id") -> Look:
    """Look whether an item with this value is listed."""
    return lambda data: value in [dig(item, path) for item in items(data)]


def at(path: str) -> Look:
    return lambda data: dig(data, path)


TEXT = "Fresh beans from today."
SEND = Call("sendMessage", body={"text": TEXT})
CHATS = Call("listChats", query=MANY)
MESSAGES = Call("listMessages", query=MANY | {"order": "asc"})
PINNED = Call("listMessages", query=MANY | {"filter": "pinned"})
chat = {"user_id": FAN}
like = {"withUserId": FAN}

MESSAGING = {
    "send-in-the-chat": Effect(SEND, Call("listMessages"), lambda d: d["list"][0]["text"] == TEXT, False, True),
    "send-found-by-search": Effect(SEND, Call("searchMessages", query={"query": "FRESH beans"}), has(TEXT, "text"), False, True),
    "send-is-the-chats-last": Effect(SEND, CHATS, lambda d: of(CHAT, "lastMessage")(d)["text"] == TEXT, False, True),
    "send-moves-the-chat-up": Effect(SEND, CHATS, lambda d: d["list"][0]["id"] == CHAT, False, True),
    "send-media-in-the-chats-media": Effect(Call("sendMessage", body={"text": TEXT, "mediaFiles": [30001]}), Call("listChatMedia"), has(TEXT, "text"), False, True),
    "send-media-of-two-types": Effect(Call("sendMessage", body={"text": TEXT, "mediaFiles": [30001, 30006]}), Call("listChatMedia", query={"type": "videos"}), has(TEXT, "text"), False, True),
    "send-in-the-statistics": Effect(SEND, Call("listDirectMessages"), has(TEXT, "text"), False, True),
    "send-leaves-a-hidden-chat": Effect(SEND, CHATS, has(CHAT), False, False, Call("hideChat")),
    "like": Effect(Call("likeMessage", body=like), MESSAGES, of(MESSAGE, "isLiked"), False, True),
    "unlike": Effect(Call("unlikeMessage"), MESSAGES, of(MESSAGE, "isLiked"), True, False, Call("likeMessage", body=like)),
    "pin": Effect(Call("pinMessage"), MESSAGES, of(MESSAGE, "isPinned"), False, True),
    "pin-in-the-pinned": Effect(Call("pinMessage"), PINNED, has(MESSAGE), False, True),
    "pin-counted": Effect(Call("pinMessage"), CHATS, of(CHAT, "countPinnedMessages"), 12, 13),
    "unpin": Effect(Call("unpinMessage"), PINNED, has(MESSAGE), True, False, Call("pinMessage")),
    "unsend": Effect(Call("unsendMessage"), MESSAGES, has(MESSAGE), True, False),
    "hide-chat": Effect(Call("hideChat"), CHATS, has(CHAT), True, False),
    "delete-chat": Effect(Call("deleteChat", chat), CHATS, has(CHAT), True, False),
    "mute": Effect(Call("muteChat", chat), CHATS, of(CHAT, "isMutedNotifications"), False, True),
    "unmute": Effect(Call("unmuteChat", chat), CHATS, of(CHAT, "isMutedNotifications"), True, False, Call("muteChat", chat)),
    "mark-as-read": Effect(Call("markChatAsRead", chat), CHATS, of(CHAT, "unreadMessagesCount"), 2, 0),
    "mark-as-read-leaves-the-unread": Effect(Call("markChatAsRead", chat), Call("listChats", query=MANY | {"filter": "unread"}), has(CHAT), True, False),
    "mark-as-unread": Effect(Call("markChatAsUnread", chat), Call("listChats", query=MANY | {"filter": "unread"}), has(CHAT), False, True, Call("markChatAsRead", chat)),
    "mark-as-unread-is-counted": Effect(Call("markChatAsUnread", chat), CHATS, of(CHAT, "unreadMessagesCount"), 0, 1, Call("markChatAsRead", chat)),
    "mark-as-unread-keeps-the-count": Effect(Call("markChatAsUnread", chat), CHATS, of(CHAT, "unreadMessagesCount"), 2, 2),
    "mark-all-as-read": Effect(Call("markAllChatsAsRead"), CHATS, lambda d: sum(c["unreadMessagesCount"] for c in d["list"]) == 0, False, True),
    "mark-all-leaves-none-unread": Effect(Call("markAllChatsAsRead"), Call("listChats", query={"filter": "unread"}), lambda d: d["list"] == [], False, True),
}  # fmt: skip

LISTS = Call("listUserLists", query=MANY)
MEMBERS = Call("listUserListMembers", query=MANY)
VAULT = Call("listVaultLists", query=MANY)
FANS = Call("listSubscribers", query=MANY)
recent_fan = {"user_id": RECENT_FAN}

LISTING = {
    "create-list": Effect(Call("createUserList", body={"name": "Decaf"}), LISTS, has("Decaf", "name"), False, True),
    "create-list-in-the-chats-lists": Effect(Call("createUserList", body={"name": "Decaf"}), Call("listChatLists", query=MANY), has("Decaf", "name"), False, True),
    "create-list-for-mass-messages": Effect(Call("createUserList", body={"name": "Decaf"}), Call("listMassMessageLists", query={"query": "decaf"}), has("Decaf", "name"), False, True),
    "rename-list": Effect(Call("renameUserList", body={"name": "Decaf"}), LISTS, of(801, "name"), "Espresso regulars", "Decaf"),
    "delete-list": Effect(Call("deleteUserList"), LISTS, has(801), True, False),
    "add-members": Effect(Call("addUserListMembers", body={"userIds": [50002, 50006]}), MEMBERS, lambda d: {50002, 50006} <= {m["id"] for m in d["list"]}, False, True),
    "add-members-counted": Effect(Call("addUserListMembers", body={"userIds": [50002, 50006]}), LISTS, of(801, "usersCount"), 60, 62),
    "add-members-once": Effect(Call("addUserListMembers", body={"userIds": [50002, 50002, 50001]}), LISTS, of(801, "usersCount"), 60, 61),
    "add-members-found-by-fan": Effect(Call("addUserListMembers", body={"userIds": [50002]}), Call("listUserLists", query=MANY | {"related_user": 50002}), has(801), False, True),
    "add-members-in-the-lists-chats": Effect(Call("addUserListMembers", body={"userIds": [50002]}), Call("listChats", query=MANY | {"list_id": 801}), has(60002), False, True),
    "remove-member": Effect(Call("removeUserListMember"), MEMBERS, has(FAN), True, False),
    "remove-member-counted": Effect(Call("removeUserListMember"), LISTS, of(801, "usersCount"), 60, 59),
    "display-name": Effect(Call("updateFanDisplayName", recent_fan, body={"displayName": "Flo"}), FANS, of(RECENT_FAN, "displayName"), "Florian Hawthorn", "Flo"),
    "display-name-cleared": Effect(Call("updateFanDisplayName", recent_fan, body={"displayName": ""}), FANS, of(RECENT_FAN, "displayName"), "Flo", "Florian Hawthorn", Call("updateFanDisplayName", recent_fan, body={"displayName": "Flo"})),
    "display-name-in-the-chats": Effect(Call("updateFanDisplayName", chat, body={"displayName": "Zed"}), Call("listChats", query={"query": "zED"}), has(CHAT), False, True),
    "display-name-cleared-in-the-chats": Effect(Call("updateFanDisplayName", chat, body={"displayName": ""}), Call("listChats", query={"query": "zed"}), has(CHAT), True, False, Call("updateFanDisplayName", chat, body={"displayName": "Zed"})),
    "display-name-in-the-earnings": Effect(Call("updateFanDisplayName", {"user_id": 50156}, body={"displayName": "Flo"}), Call("listEarnings"), has("Flo", "user.displayName"), False, True),
    "create-vault-list": Effect(Call("createVaultList", body={"name": "Winter menu"}), VAULT, has("Winter menu", "name"), False, True),
    "rename-vault-list": Effect(Call("renameVaultList", body={"name": "Shots"}), VAULT, of(901, "name"), "Espresso shots", "Shots"),
    "delete-vault-list": Effect(Call("deleteVaultList"), VAULT, has(901), True, False),
    "sort-vault-lists": Effect(Call("sortVaultLists", body={"sort": "name", "order": "asc"}), VAULT, lambda d: (names := [i["name"] for i in d["list"]]) == sorted(names, key=str.casefold), False, True),
    "add-vault-media": Effect(Call("addVaultListMedia", body={"mediaIds": [30010, 30011]}), VAULT, of(901, "mediaCount"), 3, 5),
    "remove-vault-media": Effect(Call("removeVaultListMedia"), VAULT, of(901, "mediaCount"), 3, 2),
}  # fmt: skip

TRACK = Call("createTrackingLink", body={"name": "Cupping", "tags": [12]})
TRIAL = Call("createTrialLink", body={"name": "Filter", "subscribeDays": 7, "subscribeCounts": 5})
PROMOTE = Call(
    "createPromotion",
    body={
        "type": "new",
        "discount": 50,
        "subscribeCounts": 20,
        "subscribeDays": 30,
        "finishDays": 7,
        "message": "Half off.",
    },
)
SOON = "2026-02-14T09:00:00.000Z"
TONIGHT, HOUR = "2026-01-31T15:00:00Z", 3_600
TODAY = {"start_date": "2026-01-31"}
QUEUE = Call("sendMassMessage", body={"text": TEXT, "userLists": [801], "scheduledDate": SOON})
SEND_NOW = Call("sendMassMessage", body={"text": TEXT, "userLists": [801]})
QUEUED = Call("listMassMessageQueue", query=MANY)
THAT_DAY = Call("listScheduledItems", query=MANY | {"start_date": "2026-02-14"})
MOVE = Call("updateMassMessage", body={"scheduledDate": SOON})
POST_LATER = Call("createPost", body={"text": f"<p>{TEXT}</p>", "scheduledTime": SOON})
SETTINGS = Call("getMessageNotificationSettings")
SWITCH = Call(
    "updateNotificationSettings",
    body={"notifications": {"message": [{"code": "new_message", "value": False}]}},
)


def switched_on(data: Any) -> Any:
    return [i["value"] for group in data for i in group["items"] if i["code"] == "new_message"]


PUBLISHING = {
    "create-tracking-link": Effect(TRACK, Call("listTrackingLinks", query=MANY), has("Cupping", "campaignName"), False, True),
    "create-tracking-link-as-a-campaign": Effect(TRACK, Call("listCampaigns", query=MANY), has("Cupping", "campaignName"), False, True),
    "create-trial-link": Effect(TRIAL, Call("listTrialLinks", query=MANY), has("Filter", "trialLinkName"), False, True),
    "create-trial-link-in-the-feed": Effect(TRIAL, Call("listPromotionsAndTrials", query=MANY), has("Filter", "trial.trialLinkName"), False, True),
    "create-trial-link-counted": Effect(TRIAL, Call("getTrialLinksOverview", query={"start_date": "2026-01-31"}), at("trials.offers.total"), 0, 1),
    "create-tag": Effect(Call("createTag", body={"name": "Seasonal"}), Call("listTags", query=MANY), has("Seasonal", "name"), False, True),
    "create-tag-for-all-accounts": Effect(Call("createTag", body={"name": "Seasonal"}), Call("listTags", {"account_id": 1002}, MANY), has("Seasonal", "name"), False, True),
    "delete-tag": Effect(Call("deleteTag"), Call("listTags", query=MANY), has(11), True, False),
    "create-promotion": Effect(PROMOTE, Call("listReachPromotions"), has("Half off.", "message"), False, True),
    "create-promotion-in-the-feed": Effect(PROMOTE, Call("listPromotionsAndTrials"), has("Half off.", "promo.message"), False, True),
    "queue": Effect(QUEUE, QUEUED, has(TEXT, "text"), False, True),
    "queue-scheduled": Effect(QUEUE, THAT_DAY, has(TEXT, "entity.text"), False, True),
    "queue-counted": Effect(QUEUE, Call("getScheduleCounters"), at("list.2026-02-14.chat"), None, 1),
    "queue-later": Effect(QUEUE, Call("listLaterChats", query={"limit": 10}), has(TEXT, "entity.text"), False, True),
    "send-now-in-the-statistics": Effect(SEND_NOW, Call("listMassMessages"), has(TEXT, "text"), False, True),
    "send-now-to-the-list": Effect(SEND_NOW, QUEUED, of(TEXT, "sentCount", "text"), None, 60),
    "send-now-in-the-chats": Effect(SEND_NOW, Call("listMessages"), lambda d: d["list"][0]["text"] == TEXT and d["list"][0]["isFromQueue"], False, True),
    "queue-not-yet-in-the-chats": Effect(QUEUE, Call("listMessages"), has(TEXT, "text"), False, False),
    "move": Effect(MOVE, Call("getMassMessage"), at("queue.date"), "2026-02-01T00:00:00+00:00", "2026-02-14T09:00:00+00:00"),
    "move-scheduled": Effect(MOVE, THAT_DAY, has(70001, "entity.id"), False, True),
    "cancel": Effect(Call("cancelMassMessage"), Call("getMassMessage"), at("queue.isCanceled"), False, True),
    "cancel-unscheduled": Effect(Call("cancelMassMessage"), THAT_DAY, has(70001, "entity.id"), True, False, MOVE),
    "post-scheduled": Effect(POST_LATER, THAT_DAY, has(TEXT, "entity.rawText"), False, True),
    "post-counted": Effect(POST_LATER, Call("getScheduleCounters"), at("list.2026-02-14.post"), None, 1),
    "post-in-the-overview": Effect(Call("createPost", body={"text": TEXT}), Call("getEarningsOverview", query={"by": "posts", "start_date": "2026-01-31"}), at("posts.count.total"), 0, 1),
    "settings": Effect(SWITCH, SETTINGS, switched_on, [True], [False]),
}  # fmt: skip

EFFECTS = {**MESSAGING, **LISTING, **PUBLISHING}
FOR_ALL_ACCOUNTS = {"delete-tag"}
"""Tags are the organization's, and a deleted one leaves the links of all its accounts."""


@pytest.mark.parametrize("case", EFFECTS)
def test_write_shows(case: str, tenant: Tenant) -> None:
    """The read tells of the write as soon as it is done."""
    effect = EFFECTS[case]
    if effect.first:
        effect.first.data(tenant)
    before = effect.look(effect.read.data(tenant))
    effect.write.data(tenant)

    assert (effect.before, effect.after) == (before, effect.look(effect.read.data(tenant)))


@pytest.mark.parametrize("case", EFFECTS)
def test_write_stays_in_its_organization(case: str, new_tenant: NewTenant) -> None:
    """Neither a second organization with the same accounts sees it, nor a seeded one."""
    effect, tenant, second = EFFECTS[case], new_tenant(), new_tenant()
    heron = tenant.world.organization("heron")
    seeded = {
        name: list(heron.accounts[1001].collection(name).records())
        for name in tenant.world.seed.plans
    }
    untouched = second.records()
    if effect.first:
        effect.first.data(tenant)
    effect.write.data(tenant)

    assert untouched == second.records()
    assert seeded == {
        name: list(heron.accounts[1001].collection(name).records()) for name in seeded
    }


@pytest.mark.parametrize("case", sorted(EFFECTS.keys() - FOR_ALL_ACCOUNTS))
def test_write_stays_in_its_account(case: str, tenant: Tenant) -> None:
    """The account's own records of the organization's other accounts are as before."""
    effect, other = EFFECTS[case], tenant.organization.accounts[1002]
    own = other.population.names(shared=False)
    records = {name: list(other.collection(name).records()) for name in own}
    if effect.first:
        effect.first.data(tenant)
    effect.write.data(tenant)

    assert records == {name: list(other.collection(name).records()) for name in records}


def test_every_write_has_an_effect_here(tenant: Tenant) -> None:
    """No write of the contract is left without a test that sees it."""
    shown = {
        call.operation
        for effect in EFFECTS.values()
        for call in (effect.write, effect.first)
        if call
    }
    elsewhere = {"createSignedUpload", "finishMultipartUpload", "updateFanNotes"}

    assert {op.id for op in tenant.contract if op.writes} == shown | elsewhere


def test_an_own_message_is_not_unread(tenant: Tenant) -> None:
    """What the account sends leaves the fan's messages unread, and so the last one that was read."""
    first = {chat["withUser"]["id"]: chat for chat in CHATS.data(tenant)["list"]}
    for fan in first:
        SEND.data(tenant, user_id=fan)
    then = {chat["withUser"]["id"]: chat for chat in CHATS.data(tenant)["list"]}

    for fan, chat in first.items():
        messages = Call("listMessages", {"user_id": fan}, MANY).data(tenant)["list"]
        after = [m for m in messages if m["id"] > then[fan]["lastReadMessageId"]]
        unread = [m for m in after if m["fromUser"]["id"] == fan]
        assert chat["unreadMessagesCount"] == then[fan]["unreadMessagesCount"] == len(unread)
        if unread:
            assert chat["lastReadMessageId"] == then[fan]["lastReadMessageId"]


def test_note_is_kept(tenant: Tenant) -> None:
    """No read of the contract shows a fan's note, but it is there, on that fan only."""
    fans = tenant.organization.accounts[1001].collection("fans")
    noted = [fan["id"] for fan in fans.records() if fan["notice"] == TEXT]
    answer = tenant.data("updateFanNotes", body={"notice": TEXT})

    assert {"id": FAN, "notice": TEXT} == answer
    assert [] == noted
    assert [FAN] == [fan["id"] for fan in fans.records() if fan["notice"] == TEXT]


GONE = {
    "unsent-message": (Call("unsendMessage"), Call("getMessage")),
    "deleted-chat": (Call("deleteChat", chat), Call("listMessages")),
    "deleted-chats-media": (Call("deleteChat", chat), Call("listChatMedia")),
    "deleted-chats-message": (Call("deleteChat", chat), Call("getMessage")),
    "deleted-list": (Call("deleteUserList"), Call("listUserListMembers")),
    "removed-member": (Call("removeUserListMember"), Call("removeUserListMember")),
    "deleted-vault-list": (Call("deleteVaultList"), Call("renameVaultList")),
    "removed-media": (Call("removeVaultListMedia"), Call("removeVaultListMedia")),
    "deleted-tag": (Call("deleteTag"), Call("deleteTag")),
}


@pytest.mark.parametrize("case", GONE)
def test_what_is_gone_is_not_found(case: str, tenant: Tenant) -> None:
    """404 from then on, where it was found before."""
    write, read = GONE[case]
    if write != read:
        read.data(tenant)
    write.data(tenant)
    answer = tenant.call(read.operation, path_arguments=read.path)

    assert (404, rules.NOT_FOUND.id) == (answer.status_code, answer.headers["X-Mock-Rule"])


CREATED = {
    "tracking-link": (TRACK, "getTrackingLink", "link_id", {"campaignName": "Cupping", "fmTags": [12], "fmRevenue": 0}),
    "trial-link": (TRIAL, "getTrialLink", "link_id", {"trialLinkName": "Filter", "subscribeDays": 7}),
    "message": (SEND, "getMessage", "message_id", {"text": TEXT, "isFree": True}),
    "mass-message": (QUEUE, "getMassMessage", "queue_id", {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CREATED)
def test_what_is_created_can_be_got(case: str, tenant: Tenant) -> None:
    """Under the id that its creation answered, with what was sent, and with the clock's time."""
    write, read, parameter, due = CREATED[case]
    first, second = (write.data(tenant) for _ in range(2))
    id = first["queue"]["id"] if "queue" in first else first["id"]
    found = Call(read, {parameter: id}).data(tenant)

    assert first != second
    assert due.items() <= found.items()
    assert first.get("createdAt", "2026-01-31T12:00:30+00:00") == "2026-01-31T12:00:30+00:00"


def test_an_upload_has_an_address_for_each_part(tenant: Tenant) -> None:
    """In one part it is a single address, and there is nothing to finish."""
    body = {"key": "upload/3f2b8c1e-0d4a-4c7e-9b1f-2a6d5e8c7f90/202601311020/art.mp4"}
    body |= {"contentType": "video/mp4"}
    one, two = (tenant.data("createSignedUpload", body=body | {"parts": n}) for n in (1, 2))

    assert {"url"} == set(one)
    assert {"uploadId", "keys"} == set(two)
    assert 2 == len(set(two["keys"]))


def test_upload_from_start_to_finish(tenant: Tenant) -> None:
    """A multipart upload is finished once, with the key, the parts and the id that it began with."""
    key = "upload/3f2b8c1e-0d4a-4c7e-9b1f-2a6d5e8c7f90/202601311020/art.mp4"
    begun = tenant.data(
        "createSignedUpload", body={"key": key, "parts": 2, "contentType": "video/mp4"}
    )
    parts = [{"ETag": '"5d41402abc4b2a76b9719d911017c592"', "PartNumber": n} for n in (1, 2)]
    body = {"key": key, "uploadId": begun["uploadId"], "parts": parts}
    wrong = (
        {"parts": parts[:1]},
        {"parts": parts[::-1]},
        {"secure": True},
        {"uploadId": "x"},
        {"key": "x"},
    )
    bodies = [*({**body, **change} for change in wrong), body, body]
    statuses = [tenant.call("finishMultipartUpload", body=sent).status_code for sent in bodies]

    assert 2 == len(begun["keys"])
    assert [400, 400, 400, 404, 404, 200, 404] == statuses


@pytest.mark.shows(rules.BAD_STATE)
@pytest.mark.parametrize(
    ("call", "first"),
    [
        pytest.param(Call("unsendMessage", {"message_id": 7000000000015}), None, id="unsend-anothers"),
        pytest.param(Call("unsendMessage", {"message_id": 7000000000002}), None, id="unsend-an-old-one"),
        pytest.param(Call("updateMassMessage", {"queue_id": 70030}), None, id="move-a-sent-one"),
        pytest.param(Call("updateMassMessage"), Call("cancelMassMessage"), id="move-a-canceled-one"),
        pytest.param(Call("cancelMassMessage", {"queue_id": 70030}), None, id="cancel-a-sent-one"),
    ],
)  # fmt: skip
def test_state_forbids(call: Call, first: Call | None, tenant: Tenant) -> None:
    """400, and nothing changes."""
    if first:
        first.data(tenant)
    records = tenant.records()
    answer = tenant.call(call.operation, path_arguments=call.path)

    assert (400, rules.BAD_STATE.id) == (answer.status_code, answer.headers["X-Mock-Rule"])
    assert records == tenant.records()


@pytest.mark.shows(rules.NOT_FOUND)
@pytest.mark.parametrize(
    ("operation", "body"),
    [
        pytest.param("addUserListMembers", {"userIds": [50002, 999_999]}, id="fan"),
        pytest.param("addUserListMembers", {"userIds": [30010]}, id="media-as-a-fan"),
        pytest.param("addVaultListMedia", {"mediaIds": [30010, 999_999]}, id="media"),
    ],
)
def test_lists_take_known_ids_only(operation: str, body: Any, tenant: Tenant) -> None:
    """404 for an id that the account doesn't have, and nothing of the request is added."""
    records = tenant.records()
    answer = tenant.call(operation, body=body)

    assert (404, rules.NOT_FOUND.id) == (answer.status_code, answer.headers["X-Mock-Rule"])
    assert records == tenant.records()


@pytest.mark.parametrize(
    ("read", "look", "before", "after"),
    [
        pytest.param(Call("listMassMessages"), of(TEXT, "sentCount", "text"), None, 60, id="list"),
        pytest.param(Call("listMassMessages"), of(TEXT, "date", "text"), None, "2026-01-31T15:00:00+00:00", id="date"),
        pytest.param(Call("getMassMessageChart", query=TODAY), at("group_messages.total"), 0, 60, id="chart"),
        pytest.param(Call("getEarningsOverview", query=TODAY), at("massMessages.count.total"), 0, 1, id="overview"),
        pytest.param(QUEUED, of(TEXT, "sentCount", "text"), 0, 60, id="queue"),
        pytest.param(Call("listScheduledItems"), has(TEXT, "entity.text"), True, False, id="schedule"),
        pytest.param(Call("listMessages"), lambda d: [m["createdAt"] for m in d["list"] if m["text"] == TEXT], [], ["2026-01-31T15:00:00+00:00"], id="chats"),
        pytest.param(CHATS, lambda d: sum(c["lastMessage"]["text"] == TEXT for c in d["list"]), 0, 15, id="last-of-chats"),
    ],
)  # fmt: skip
def test_scheduled_mass_message_goes_out(
    read: Call, look: Look, before: Any, after: Any, tenant: Tenant
) -> None:
    """Once its time has come it is in the statistics, with the fans of its lists, and only once."""
    tenant.data("sendMassMessage", body={**QUEUE.body, "scheduledDate": TONIGHT})
    early = look(read.data(tenant))
    tenant.organization.clock.advance(3 * HOUR)
    late = [look(read.data(tenant)) for _ in range(2)]

    assert before == early
    assert [after, after] == late


def test_a_mass_message_arrives_like_one_sent_by_hand(tenant: Tenant) -> None:
    """It says itself that it came from the queue; all else is the same, the media included."""
    media = [item["id"] for item in tenant.data("listVaultMedia")["list"][:2]]
    body = {"text": TEXT, "mediaFiles": media}
    tenant.data("sendMessage", body=body)
    tenant.data("sendMassMessage", body=body | {"userIds": [FAN]})
    mass, single = tenant.data("listMessages")["list"][:2]
    (row, *_) = tenant.data("listMassMessages")

    assert {"id", "isFromQueue"} == {name for name in single if single[name] != mass[name]}
    assert ((True, False), 2) == ((mass["isFromQueue"], single["isFromQueue"]), mass["mediaCount"])
    assert (1, 0, 2) == (row["sentCount"], row["viewedCount"], row["mediaCount"])


def test_a_mass_message_goes_out_on_the_second(tenant: Tenant) -> None:
    tenant.data("sendMassMessage", body={**QUEUE.body, "scheduledDate": TONIGHT})
    sent = []
    for seconds in (3 * HOUR - 31, 1):  # it is half a minute past noon
        tenant.organization.clock.advance(seconds)
        sent.append([one["text"] for one in tenant.data("listMassMessages")].count(TEXT))

    assert [0, 1] == sent


def test_delivered_mass_message_is_settled(tenant: Tenant) -> None:
    """After its time a message is neither moved nor canceled; a canceled one never goes out."""
    body = {**QUEUE.body, "scheduledDate": TONIGHT}
    sent, canceled = (tenant.data("sendMassMessage", body=body)["queue"]["id"] for _ in range(2))
    tenant.data("cancelMassMessage", path_arguments={"queue_id": canceled})
    tenant.organization.clock.advance(3 * HOUR)
    writes = ("updateMassMessage", "cancelMassMessage")
    answers = [tenant.call(name, path_arguments={"queue_id": sent}) for name in writes]
    listed = tenant.data("listMassMessages")

    assert [rules.BAD_STATE.id] * 2 == [answer.headers["X-Mock-Rule"] for answer in answers]
    assert 1 == [message["text"] for message in listed].count(TEXT)


@pytest.mark.shows(rules.BAD_STATE)
def test_a_message_can_be_unsent_for_a_while(tenant: Tenant) -> None:
    """As long as `cancelSeconds` has some left; it counts down from the sending on."""
    message = {"message_id": SEND.data(tenant)["id"]}
    seen = []
    for wait in (0, 86_399, 1):
        tenant.organization.clock.advance(wait)
        listed = tenant.data("listMessages")["list"]
        seen += [one["cancelSeconds"] for one in listed if one["id"] == message["message_id"]]
    late = tenant.call("unsendMessage", path_arguments=message)
    fresh = {"message_id": SEND.data(tenant)["id"]}
    tenant.organization.clock.advance(86_399)

    assert [86_400, 1, 0] == seen
    assert (400, rules.BAD_STATE.id) == (late.status_code, late.headers["X-Mock-Rule"])
    assert {"success": True} == tenant.data("unsendMessage", path_arguments=fresh)


@pytest.mark.parametrize("date", ["2026-01-31T12:00:30Z", "2020-01-01T00:00:00Z"])
def test_no_message_moves_into_the_past(date: str, tenant: Tenant) -> None:
    """400 for a new date that isn't later than now, and nothing changes."""
    records = tenant.records()
    answer = tenant.call("updateMassMessage", body={"scheduledDate": date})

    assert (400, rules.BAD_BODY.id) == (answer.status_code, answer.headers["X-Mock-Rule"])
    assert records == tenant.records()


def test_a_date_that_has_passed_sends_at_once(tenant: Tenant) -> None:
    """The message is dated by its sending, not by what was asked."""
    late = {**QUEUE.body, "scheduledDate": "2020-01-01T00:00:00Z"}
    item = tenant.data("sendMassMessage", body=late)["queue"]
    listed = [one["date"] for one in tenant.data("listMassMessages") if one["text"] == TEXT]

    assert ["2026-01-31T12:00:30+00:00"] == listed == [item["date"]]


def test_a_queued_text_is_cropped_to_100_characters(tenant: Tenant) -> None:
    """When it is sent and when it is changed; the whole text is there too."""
    texts = ["a" * 101, "b" * 101]
    made = tenant.data(
        "sendMassMessage", body={**QUEUE.body, "text": texts[0], "scheduledDate": SOON}
    )
    path = {"queue_id": made["queue"]["id"]}
    moved = tenant.data("updateMassMessage", path_arguments=path, body={"text": texts[1]})
    items = (made["queue"], moved["queue"])

    assert [(text, text[:100]) for text in texts] == [(i["text"], i["textCropped"]) for i in items]
    assert (True, True) == (made["success"], moved["success"])


def test_a_canceled_mass_message_has_nothing_to_unsend(tenant: Tenant) -> None:
    tenant.data("cancelMassMessage")
    item = tenant.data("getMassMessage")["queue"]

    assert (True, False) == (item["isCanceled"], item["canUnsend"])


def test_change_of_text_keeps_the_price(tenant: Tenant) -> None:
    """An update touches what it names: a paid message stays paid when its text changes."""
    paid = {
        "text": TEXT,
        "userLists": [801],
        "price": 5,
        "mediaFiles": [30001],
        "scheduledDate": SOON,
    }
    made = tenant.data("sendMassMessage", body=paid)["queue"]
    changed = Call("updateMassMessage", {"queue_id": made["id"]}, body={"text": "New."}).data(
        tenant
    )

    assert False is made["isFree"]
    assert (False, "New.") == (changed["queue"]["isFree"], changed["queue"]["text"])


def test_reset_brings_the_seeded_state_back(tenant: Tenant) -> None:
    """A reset of the organization undoes its writes and keeps its keys."""
    due = tenant.records()
    for effect in EFFECTS.values():
        tenant.call(effect.write.operation, path_arguments=effect.write.path)
    changed = tenant.records()
    tenant.world.reset_organization(tenant.id)

    assert due != changed
    assert due == tenant.records()
    assert 200 == tenant.call("listAccounts").status_code


def test_promotion_for_new_and_expired_fans(tenant: Tenant) -> None:
    """One request makes two promotions that belong together, one for each audience."""
    body = {**PROMOTE.body, "type": "new_and_expired"}
    made = {promotion["id"] for promotion in tenant.data("createPromotion", body=body)}
    listed = [p for p in tenant.data("listReachPromotions")["items"] if p["id"] in made]

    assert ["expired", "new"] == sorted(promotion["type"] for promotion in listed)
    assert [True, True] == [promotion["hasRelatedPromo"] for promotion in listed]
