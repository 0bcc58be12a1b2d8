"""An organization: the unit of isolation. It owns its clock, windows, accounts, journal and faults."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from mockserver.clock import Clock, TimeReversed, isoformat
from mockserver.faults import Faults
from mockserver.journal import Journal
from mockserver.population import Population
from mockserver.roles import Key
from mockserver.seeds import AccountState, OrganizationSeed, OrganizationState, Subscription
from mockserver.store import Collection, Record
from mockserver.windows import Windows


class Collections(dict[str, Collection]):
    """The collections that an account or an organization has of its own, each forked from the seeded one at first use."""

    __slots__ = ("_seeded",)

    def __init__(self, seeded: Population) -> None:
        super().__init__()
        self._seeded = seeded

    def __missing__(self, name: str) -> Collection:
        return self.setdefault(name, self._seeded.collection(name).fork())


@dataclass(slots=True)
class Account:
    """A connected OnlyFans account and its own records."""

    id: int
    name: str
    username: str
    population: Population
    state: AccountState = AccountState.CONNECTED
    collections: Collections = field(init=False)

    def __post_init__(self) -> None:
        self.collections = Collections(self.population)

    def collection(self, name: str) -> Collection:
        """Return the account's collection ``name``."""
        return self.collections[name]

    def records(self, *, whole: bool = False) -> dict[str, list[Record]]:
        """Return the collections that were written to, or all of them."""
        names = self.population.names(shared=False) if whole else list(self.collections)
        return _records(self, names, self.population, whole)

    def load(self, name: str, records: Iterable[Record]) -> None:
        """Put ``records`` in the place of the collection ``name``."""
        self.collections[name] = Collection(records)

    def lose_sync(self) -> None:
        """Let the service lose the account's session: upstream operations answer 424."""
        self.state = AccountState.SYNC_LOST

    def restore_sync(self) -> None:
        """Restore the account's session."""
        self.state = AccountState.CONNECTED


@dataclass(slots=True)
class Organization:
    """A customer of FansMetric; the world looks its keys up by their secrets."""

    seed: OrganizationSeed
    """What it was made from, and returns to at a reset."""
    clock: Clock
    windows: Windows
    shared: Population
    """The seeded collections that all its accounts share, such as tags."""
    name: str = ""
    subscription: Subscription = Subscription.ACTIVE
    retry_after: bool = False
    """Whether a 429 carries Retry-After, which no page documents."""
    accounts: dict[int, Account] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    """Its keys by id, oldest first."""
    minted: int = 0
    """Keys that were made up for it."""
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever reads or writes its collections."""
    collections: Collections = field(init=False)
    """Those that all its accounts share."""

    def __post_init__(self) -> None:
        self.collections = Collections(self.shared)

    @property
    def id(self) -> str:
        """The name under which the control API knows it."""
        return self.seed.id

    def collection(self, name: str) -> Collection:
        """Return the collection ``name`` that all accounts share."""
        return self.collections[name]

    def records(self, *, whole: bool = False) -> dict[str, list[Record]]:
        """Return the shared collections that were written to, or all of them."""
        names = self.shared.names(shared=True) if whole else list(self.collections)
        return _records(self, names, self.shared, whole)

    def load(self, name: str, records: Iterable[Record]) -> None:
        """Put ``records`` in the place of the collection ``name`` that all accounts share."""
        self.collections[name] = Collection(records)

    def freeze(self, at: float | None = None) -> None:
        """Stop its clock at ``at`` (seconds since the epoch), or at the present time.

        Raises ``TimeReversed`` when ``at`` has passed and requests were answered since.
        """
        if at is not None and at < self.clock.now() and self.journal.was_used:
            raise TimeReversed(
                f"time only moves forward: the clock of {self.id} says {isoformat(self.clock.now())}"
                " and has dated answers; reset the organization to begin earlier"
            )
        self.clock.freeze(at)

    def resume(self, state: OrganizationState) -> None:
        """Take up a saved state: clock, windows and records."""
        self.clock.restore(state.shift, state.frozen)
        for window, saved in ((self.windows.minute, state.minute), (self.windows.day, state.day)):
            window.used, window.opened = saved
        for account, collections in state.records.items():
            holder: Account | Organization = self if account is None else self.accounts[account]
            for name, records in collections.items():
                holder.load(name, records)


def _records(
    holder: Account | Organization, names: list[str], seeded: Population, whole: bool
) -> dict[str, list[Record]]:
    return {
        name: holder.collection(name).records()
        for name in names
        if whole or not holder.collection(name).is_fork_of(seeded.collection(name))
    }
