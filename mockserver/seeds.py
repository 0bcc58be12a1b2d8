"""What a world is built from, as fixtures or callers describe it: plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mockserver.journal import CAPACITY
from mockserver.population import Plan
from mockserver.roles import Role
from mockserver.windows import DEFAULT_LIMIT_DAY, DEFAULT_LIMIT_MINUTE, LimiterMode

DEFAULT_ACCOUNT = 1001
"""The account that an organization gets when nothing else is said; the contract's examples use it."""


class Subscription(StrEnum):
    """The state of an organization's billing."""

    ACTIVE = "active"
    NONE = "none"
    PAST_DUE = "past_due"


class AccountState(StrEnum):
    """Whether the service still holds an account's session."""

    CONNECTED = "connected"
    SYNC_LOST = "sync_lost"


@dataclass(frozen=True, slots=True)
class AccountSeed:
    """An account as a fixture or a caller describes it."""

    id: int = DEFAULT_ACCOUNT
    state: AccountState = AccountState.CONNECTED
    name: str = ""
    username: str = ""


@dataclass(frozen=True, slots=True)
class OrganizationState:
    """What became of an organization after it was made, as a saved state tells it."""

    born: float
    """The day whose seeded records it has, in seconds since the epoch."""
    shift: float = 0.0
    """How far its clock runs ahead of the world's, in seconds."""
    frozen: float | None = None
    """Where its clock stands, if it does."""
    minute: tuple[int, float] = (0, float("-inf"))
    """Requests used in the minute window, and when that opened."""
    day: tuple[int, float] = (0, float("-inf"))
    """The same for the day window."""
    records: Mapping[int | None, Mapping[str, tuple[Any, ...]]] = field(default_factory=dict)
    """Whole collections by account and name; ``None`` holds those that all accounts share."""


@dataclass(frozen=True, slots=True)
class OrganizationSeed:
    """An organization as a fixture or a caller describes it."""

    id: str
    name: str = ""
    subscription: Subscription = Subscription.ACTIVE
    limit_minute: int = DEFAULT_LIMIT_MINUTE
    limit_day: int = DEFAULT_LIMIT_DAY
    mode: LimiterMode = LimiterMode.ENFORCE
    rolling: bool = False
    retry_after: bool = False
    accounts: tuple[AccountSeed, ...] = (AccountSeed(),)
    journal_size: int = CAPACITY
    """Exchanges that its journal keeps."""
    state: OrganizationState | None = None
    """Where it begins, if not fresh."""


@dataclass(frozen=True, slots=True)
class KeySeed:
    """A key as a fixture describes it; ``expires_in`` is in seconds from the world's start."""

    secret: str
    organization: str
    role: str
    revoked: bool = False
    expires_in: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SavedKey:
    """A key as a saved state tells it."""

    secret: str = field(repr=False)
    role: Role
    revoked: bool = False
    expires: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved organization with its keys."""

    organization: OrganizationSeed
    keys: tuple[SavedKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that fixtures say: a world can be built anew from it at any time."""

    organizations: tuple[OrganizationSeed, ...]
    roles: Mapping[str, Role]
    keys: tuple[KeySeed, ...]
    plans: Mapping[str, Plan]
    seed: int = 1
    saved: tuple[Saved, ...] = ()
    """Organizations whose state was saved."""
