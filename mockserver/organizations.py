"""An organization: the unit of isolation. It owns its clock, windows, accounts, journal and faults."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from mockserver.clock import Clock
from mockserver.faults import Faults
from mockserver.journal import Journal
from mockserver.population import Population
from mockserver.seeds import AccountState, OrganizationSeed, Subscription
from mockserver.store import Collection
from mockserver.windows import Windows


@dataclass(slots=True)
class Account:
    """A connected OnlyFans account and its own records."""

    id: int
    name: str
    username: str
    population: Population
    state: AccountState = AccountState.CONNECTED
    _collections: dict[str, Collection] = field(default_factory=dict)

    def collection(self, name: str) -> Collection:
        """Return the account's collection ``name``, forked from the seeded one at first use."""
        own = self._collections.get(name)
        if own is None:
            own = self._collections.setdefault(name, self.population.collection(name).fork())
        return own

    def lose_sync(self) -> None:
        """Let the service lose the account's session: upstream operations answer 424."""
        self.state = AccountState.SYNC_LOST

    def restore_sync(self) -> None:
        """Restore the account's session."""
        self.state = AccountState.CONNECTED


@dataclass(slots=True)
class Organization:
    """A customer of FansMetric; its keys live in the world, where they are looked up."""

    seed: OrganizationSeed
    """What it was made from, and returns to at a reset."""
    clock: Clock
    windows: Windows
    shared: Population
    """The seeded collections that all its accounts share, such as tags."""
    subscription: Subscription = Subscription.ACTIVE
    retry_after: bool = False
    """Whether a 429 carries Retry-After, which no page documents."""
    accounts: dict[int, Account] = field(default_factory=dict)
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever writes to a collection."""
    _collections: dict[str, Collection] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name under which the control API knows it."""
        return self.seed.id

    def collection(self, name: str) -> Collection:
        """Return the collection ``name`` that all accounts share."""
        own = self._collections.get(name)
        if own is None:
            own = self._collections.setdefault(name, self.shared.collection(name).fork())
        return own
