"""What the records of each collection must hold, and what they hold where nothing is said.

Answers show what their schemas name; this is about the fields that the mock itself looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver.clock import DAY


@dataclass(frozen=True, slots=True)
class Needs:
    """What one collection's records need."""

    required: tuple[str, ...] = ()
    """Fields without which a record can't be worked with; dots reach into objects."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The other fields that are looked at, with what they are if a record leaves them out."""
    ids_repeat: bool = False
    """Whether several records may have one id, as a fan has who viewed two stories."""
    ids_are_names: bool = False
    """Whether a text may be an id; others must be whole numbers, which put the records in their order."""


_NOTHING = Needs()
_NEEDS = {
    "chargebacks": Needs(("createdAt", "payment.amount")),
    "chats": Needs(("withUser.id",), {"unreadMessagesCount": 0, "isHidden": False}),
    "countries": Needs(("code", "name")),
    "direct_messages": Needs(("date",)),
    "fans": Needs(
        ("id",),
        {
            "isExpired": False,
            "spentTotal": 0,
            "messagesCount": 0,
            "postsBought": 0,
            "mediaBought": 0,
        },
    ),
    "gifs": Needs((), {"title": "", "alt_text": ""}),
    "highlights": Needs(
        ("category",),
        dict.fromkeys(("purchases", "tips", "views", "likes", "comments")),
    ),
    "mass_message_queue": Needs(
        ("id", "date", "text"),
        {
            "isCanceled": False,
            "isDone": False,
            "isFree": True,
            "canUnsend": True,
            "unsendSeconds": DAY,
        },
    ),
    "mass_messages": Needs(("date",), {"sentCount": 0, "viewedCount": 0, "purchases": 0}),
    "messages": Needs(
        ("id", "withUserId", "fromUser.id", "createdAt"),
        {
            "text": "",
            "giphyId": None,
            "lockedText": False,
            "isFree": True,
            "mediaCount": 0,
            "isTip": False,
            "isPinned": False,
            "isOpened": False,
            "cancelSeconds": 0,
        },
    ),
    "notification_settings": Needs(("group", "channel"), {"items": []}),
    "payout_requests": Needs(("createdAt",)),
    "posts": Needs(("id", "postedAt", "text"), {"viewsCount": 0}),
    "promotion_subscribers": Needs(("promoId",), ids_repeat=True),
    "promotions": Needs(
        ("id", "createdAt"), {"canClaim": True, "isFinished": False, "finishedAt": None}
    ),
    "referral_payouts": Needs(("createdAt", "amount", "gross")),
    "scheduled_streams": Needs(("id", "date", "text")),
    "stories": Needs(("id",)),
    "story_viewers": Needs(("storyId",), ids_repeat=True),
    "streaks": Needs(("startDate", "endDate"), {"daysCount": 0, "streamsDuration": 0}),
    "tags": Needs(("id",)),
    "tracking_links": Needs(
        ("id", "createdAt"),
        {"countTransitions": 0, "countSubscribers": 0, "deletedAt": None, "fmTags": []},
    ),
    "transactions": Needs(("createdAt", "kind", "amount", "net", "user.id"), {"isRenewal": False}),
    "trial_links": Needs(
        ("id", "trialLinkName", "url", "subscribeDays", "createdAt"),
        {
            "subscribeCounts": 0,
            "claimCounts": 0,
            "isFinished": False,
            "expiredAt": None,
            "fmTags": [],
        },
    ),
    "uploads": Needs(("uploadId", "key", "parts"), {"secure": False}),
    "user_lists": Needs(
        ("id",), {"type": "custom", "postsCount": 0, "memberIds": []}, ids_are_names=True
    ),
    "vault_lists": Needs(
        ("id", "name"), {"type": "custom", "position": 0, "changedAt": "", "mediaIds": []}
    ),
    "vault_media": Needs(("id", "type"), {"isReady": True}),
    "visitors": Needs(
        ("date", "countryCode"), {"guests": 0, "users": 0, "subscribers": 0, "duration": 0}
    ),
}

COLLECTIONS = frozenset(_NEEDS)
"""The collections that the mock's own code looks at."""


def completed(collection: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``record``, or what describes it, with the fields that it leaves out."""
    # The own fields keep their order and stand first: the verbs of the later ones may look at the earlier ones.
    return {**record, **needs_of(collection).defaults, **record}


def needs_of(collection: str) -> Needs:
    """Return what the records of ``collection`` need; nothing where the mock doesn't look at them."""
    return _NEEDS.get(collection, _NOTHING)


def lack_of(collection: str, record: Mapping[str, Any]) -> str | None:
    """Return what ``record``, or what describes it, lacks or has in another form, or ``None``."""
    needs = needs_of(collection)
    for name in needs.required:
        if not _has(record, name.split(".")):
            return f"lacks {name}, which every record of {collection} needs"
    id = None if "id" not in needs.required or needs.ids_are_names else record.get("id")
    if not (id is None or type(id) is int or _is_made(id)):
        return f"id must be a whole number, got {ascii(id)[:40]}"
    for name, default in needs.defaults.items():
        value = record.get(name, default)
        if isinstance(default, list) and not isinstance(value, list) and not _is_made(value):
            return f"{name} must be a list"
    return None


def repeated_id(collection: str, ids: Iterable[Any]) -> Any:
    """Return the first id that stands in ``ids`` again, or ``None``, also where ids may repeat."""
    if needs_of(collection).ids_repeat:
        return None
    seen = set()
    for id in _simple(ids):
        if id in seen:
            return id
        seen.add(id)
    return None


def _simple(ids: Iterable[Any]) -> Iterator[Any]:
    return (id for id in ids if isinstance(id, (int, str)))


def _has(record: Any, steps: list[str]) -> bool:
    """Whether ``steps`` lead to a value, as far as can be told before a verb makes it."""
    for step in steps:
        if _is_made(record):
            return True
        if not isinstance(record, Mapping) or record.get(step) is None:
            return False
        record = record[step]
    return True


def _is_made(value: Any) -> bool:
    """Whether a verb of the fixtures makes the value."""
    return isinstance(value, Mapping) and any(str(key).startswith("$") for key in value)
