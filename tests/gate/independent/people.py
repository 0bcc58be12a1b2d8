"""Organizations, keys, accounts and records of this server, and the two windows of an organization."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HEALTHY, LOST, FOREIGN = 770011, 770013, 880021
"""Accounts: two of the main organization, the second without a session, and one of another's."""

RECORDS: Mapping[str, Any] = {
    "user_id": 64001,
    "chat_id": 65001,
    "message_id": 8100000000001,
    "queue_id": 75001,
    "list_id": 733,
    "media_id": 35001,
    "story_id": 26001,
    "promo_id": 5501,
    "link_id": 4701,
    "tag_id": 57,
}
"""The records that exist, by the name of the parameter."""
FANS_MESSAGE = 8100000000002
"""A message that the fan wrote, so that the account can't take it back."""

RESTRICTED = frozenset(
    {"api_highlights_read", "api_messages_list", "api_referrals_list_payouts", "api_gifs_search"}
)
"""What the restricted key may do."""

_PREFIX = "fm_api_test_independent_"
_SECONDS = {"minute": 60, "day": 86_400}

Left = dict[str, int]


class Windows:
    """How many requests an organization has left in this minute and on this day."""

    def __init__(self, **limits: int) -> None:
        self.limits = limits
        self._spent: dict[tuple[str, int], int] = {}
        self._lock = threading.Lock()

    def take(self, now: float) -> Left | None:
        """Take one request and return what is left, or ``None`` when a window is used up."""
        with self._lock:
            slots = {name: (name, int(now) // _SECONDS[name]) for name in self.limits}
            spent = {name: self._spent.get(slot, 0) + 1 for name, slot in slots.items()}
            if any(spent[name] > limit for name, limit in self.limits.items()):
                return None
            self._spent = {slots[name]: number for name, number in spent.items()}
            return {name: limit - spent[name] for name, limit in self.limits.items()}

    def give_back(self) -> None:
        """Undo the last request."""
        with self._lock:
            self._spent = {slot: number - 1 for slot, number in self._spent.items()}


@dataclass(slots=True)
class Organization:
    """Who pays, and for which accounts."""

    windows: Windows
    accounts: frozenset[int] = frozenset()
    unpaid: str = ""
    """Why it may not use the API, if it may not."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an organization."""

    organization: Organization
    permissions: frozenset[str] | None = None
    """``None``: all of them."""
    withdrawn: bool = False
    ended: bool = False

    def may(self, permission: str | None) -> bool:
        """Whether the key's role grants a permission."""
        return self.permissions is None or permission in self.permissions


@dataclass(slots=True)
class People:
    """Everybody who is known here, by key."""

    minute: int
    day: int
    keys: dict[str, Key] = field(init=False)

    def __post_init__(self) -> None:
        main = self._organization(HEALTHY, LOST)
        self.keys = {
            secret("full"): Key(main),
            secret("second"): Key(main),
            secret("restricted"): Key(main, RESTRICTED),
            secret("revoked"): Key(main, withdrawn=True),
            secret("expired"): Key(main, ended=True),
            secret("other"): Key(self._organization(FOREIGN)),
            secret("unsubscribed"): Key(self._organization(unpaid="There is no subscription.")),
            secret("past_due"): Key(self._organization(unpaid="An invoice is overdue.")),
        }

    def _organization(self, *accounts: int, unpaid: str = "") -> Organization:
        windows = Windows(minute=self.minute, day=self.day)
        return Organization(windows, frozenset(accounts), unpaid)


def secret(name: str) -> str:
    """Return the key that a profile calls so."""
    return _PREFIX + name
