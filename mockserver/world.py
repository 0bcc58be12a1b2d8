"""The mock's whole state: organizations, and the keys that name them."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from mockserver.clock import EARLIEST, LATEST, Clock, TimeReversed, isoformat, start_of_day
from mockserver.errors import BadState, Misuse, NotThere, Taken, UnknownPermission
from mockserver.journal import BUDGET, Journal, Shelf
from mockserver.organizations import Account, Organization
from mockserver.population import Population
from mockserver.roles import ALL, KEY_PREFIX, Key, Role
from mockserver.seeds import AccountSeed, KeySeed, OrganizationSeed, Saved, Seed
from mockserver.windows import Windows

_RECENT = 64
"""Populations that are kept although no organization uses them."""


class World:
    """Organizations and keys. A reset builds anew; it doesn't empty."""

    def __init__(
        self,
        seed: Seed,
        permissions: frozenset[str],
        clock: Clock | None = None,
        journal_budget: int = BUDGET,
    ) -> None:
        self.seed = seed
        self.permissions = permissions
        """Every permission of the contract, to refuse unknown ones."""
        self.clock = clock or Clock()
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, Key] = {}
        self._organizations, self._keys = self.organizations, self.keys
        """The same, but while a reset fills them anew: nobody who asks meanwhile sees half a world."""
        self._lock = threading.RLock()
        self._minted = 0
        self._shelf = Shelf(journal_budget)
        self.unclaimed = Journal(shelf=self._shelf)
        """The requests that named no organization, and those for no route."""
        self._populations: WeakValueDictionary[tuple[int, float], Population] = (
            WeakValueDictionary()
        )
        self._recent: deque[Population] = deque(maxlen=_RECENT)
        self._removed: deque[str] = deque(maxlen=1_000)
        self._day = 0.0
        self.reset()

    def reset(self) -> None:
        """Return to the seeded organizations and keys, with full windows and empty journals.

        Raises ``BadState``, and changes nothing, when the world's clock was moved to where a saved one would leave its years.
        """
        with self._lock:
            before = self.organizations
            self._day = start_of_day(self.clock.now())
            self._organizations, self._keys = {}, {}
            try:
                self._fill()
                self.organizations, self.keys = self._organizations, self._keys
            finally:
                self._organizations, self._keys = self.organizations, self.keys
            for organization in before.values():
                organization.journal.clear()
            self.unclaimed.clear()

    def _fill(self) -> None:
        """Make the seeded organizations and keys."""
        for seed in self.seed.organizations:
            self.add_organization(seed)
        for key in self.seed.keys:
            self._add_seeded_key(key)
        for saved in self.seed.saved:
            self.load_organization(saved)

    def add_organization(self, seed: OrganizationSeed) -> Organization:
        """Create the organization that ``seed`` describes.

        Raises ``Taken`` when its id is, ``Misuse`` when two of its accounts have one id.
        """
        with self._lock:
            if seed.id in self._organizations:
                raise Taken(
                    f"organization {seed.id} exists already; leave the id out to get a free one"
                )
            _check_accounts(seed)
            organization = self._build(seed)
            self._organizations[seed.id] = organization
            return organization

    def mint_id(self) -> str:
        """Return an organization id that is free."""
        with self._lock:
            while True:
                self._minted += 1
                if f"org-{self._minted}" not in self.organizations:
                    return f"org-{self._minted}"

    def organization(self, id: str) -> Organization:
        """Return an organization. Raises ``NotThere`` when there is none with this id."""
        try:
            return self.organizations[id]
        except KeyError:
            gone = " any more: it was removed" if id in self._removed else ""
            raise NotThere(
                f"there is no organization {ascii(id)[1:-1][:64]}{gone}; make one of your own"
            ) from None

    def remove_organization(self, id: str) -> None:
        """Remove an organization and its keys. Raises ``NotThere`` when there is none with this id."""
        with self._lock:
            organization = self.organization(id)
            del self.organizations[id]
            self._removed.append(id)
            self._retire(organization)

    def _retire(self, organization: Organization) -> None:
        """Forget the keys and the journal of ``organization``, which isn't there any more."""
        organization.journal.clear()
        for key in organization.keys.values():
            _forget(self._keys, key.secret, key)

    def load_organization(
        self, saved: Saved, id: str | None = None, *, new_keys: bool = False
    ) -> Organization:
        """Make a saved organization, in the place of the one with its id if there is one.

        ``id`` names it otherwise than it was saved; ``new_keys`` makes up a new secret for each key.
        Raises ``Taken`` when another organization has one of the keys, ``Misuse`` when the state has a key or
        an account twice, or a clock that would leave its years; what it would replace then stays as it is.
        """
        seed = replace(saved.organization, id=id or saved.organization.id)
        _check_accounts(seed)
        twice = _twice([key.secret for key in saved.keys])
        if twice is not None and not new_keys:
            raise Misuse("keys: one key stands there twice; leave one of them out")
        with self._lock:
            others = (self._keys.get(key.secret) for key in saved.keys)
            if not new_keys and any(key and key.organization.id != seed.id for key in others):
                raise Taken(
                    f"another organization has a key of {saved.organization.id}; ask for new keys"
                )
            organization = self._build(seed)
            for key in saved.keys:
                secret = self._new_secret(organization) if new_keys else key.secret
                made = Key(secret, key.role, organization, key.revoked, key.expires, key.note)
                organization.keys[made.id] = made
            self._replace(organization)
            return organization

    def _replace(self, organization: Organization) -> None:
        """Put ``organization`` and its keys in the place of those with its id; a key of both opens one of them."""
        old = self._organizations.get(organization.id)
        self._keys.update({key.secret: key for key in organization.keys.values()})
        self._organizations[organization.id] = organization
        if old is not None:
            self._retire(old)

    def reset_organization(self, id: str) -> Organization:
        """Rebuild one organization as it was made, with the keys that it has now."""
        with self._lock:
            old = self.organization(id)
            new = self._build(old.seed)
            self.organizations[id] = new
            new.keys, new.minted = old.keys, old.minted
            for key in new.keys.values():
                key.organization = new
            old.journal.clear()
            return new

    def freeze(self, at: float | None = None) -> None:
        """Stop the clock that all organizations follow at ``at``, or at the present time.

        Raises ``TimeReversed`` when ``at`` has passed and requests were answered since.
        """
        used = any(o.journal.was_used for o in list(self.organizations.values()))
        if at is not None and at < self.clock.now() and used:
            raise TimeReversed(
                f"time only moves forward: the world's clock says {isoformat(self.clock.now())}"
                " and has dated answers; reset the world to begin earlier"
            )
        self.clock.freeze(at)

    def add_account(self, organization: Organization, seed: AccountSeed) -> Account:
        """Connect an account.

        Raises ``Taken`` when the organization has one with this id, ``NotThere`` when it was removed.
        """
        with self._lock:
            self._check_present(organization)
            if seed.id in organization.accounts:
                raise Taken(f"organization {organization.id} has an account {seed.id} already")
            account = self._account(seed, organization.shared.day)
            organization.accounts[seed.id] = account
            return account

    def add_key(
        self,
        organization: Organization,
        permissions: Iterable[str] = (ALL,),
        *,
        expires: float | None = None,
        revoked: bool = False,
        note: str = "",
        secret: str | None = None,
        role: str | None = None,
    ) -> Key:
        """Create a key of ``organization`` whose role has exactly ``permissions``.

        ``expires`` is in seconds since the epoch; without a ``secret`` a new one is made up, and without a
        ``role`` a name for it.
        Raises ``UnknownPermission``, ``Taken`` when another key has the secret,
        and ``NotThere`` when the organization was removed.
        """
        granted = frozenset(permissions)
        self.check_permissions(granted)
        with self._lock:
            self._check_present(organization)
            secret = secret or self._new_secret(organization)
            if secret in self._keys:
                raise Taken("another key has this secret; leave it out to get a new one")
            key = Key(
                secret,
                Role(role or f"{organization.id}-{len(organization.keys) + 1}", granted),
                organization,
                revoked,
                expires,
                note,
            )
            self._keep(key)
            return key

    def _new_secret(self, organization: Organization) -> str:
        """Return a key that the organization never had; a removed one is never made up again.

        Those of the one whose place it is going to take are free.
        """
        while True:
            organization.minted += 1
            secret = f"{KEY_PREFIX}test_{organization.id}_{organization.minted:06d}"
            owner = self._keys[secret].organization if secret in self._keys else None
            if owner is None or (owner is not organization and owner.id == organization.id):
                return secret

    def check_permissions(self, granted: frozenset[str]) -> None:
        """Raise ``UnknownPermission``, which names the nearest one, unless the contract knows all of them."""
        unknown = sorted(granted - self.permissions - {ALL})
        if unknown:
            near = get_close_matches(unknown[0], self.permissions, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else "`mockserver routes` lists them all"
            raise UnknownPermission(f"unknown permission {ascii(unknown[0])[1:-1][:80]}; {hint}")

    def remove_key(self, key: Key) -> None:
        """Let the world forget a key: it is no key any more, where a revoked one still is."""
        with self._lock:
            _forget(self._keys, key.secret, key)
            _forget(key.organization.keys, key.id, key)

    def keys_of(self, organization: Organization) -> list[Key]:
        """Return the keys of ``organization``, oldest first."""
        return list(organization.keys.values())

    def _keep(self, key: Key) -> None:
        self._keys[key.secret] = key
        key.organization.keys[key.id] = key

    def _check_present(self, organization: Organization) -> None:
        if self.organization(organization.id) is not organization:
            raise NotThere(f"organization {organization.id} was reset; ask the world for it again")

    def _add_seeded_key(self, seed: KeySeed) -> None:
        expires = None if seed.expires_in is None else self.clock.now() + seed.expires_in
        self._keep(
            Key(
                seed.secret,
                self.seed.roles[seed.role],
                self._organizations[seed.organization],
                seed.revoked,
                expires,
                seed.note,
            )
        )

    def _build(self, seed: OrganizationSeed) -> Organization:
        _check_clock(seed, self.clock.now())
        born = seed.state.born if seed.state else self._day
        organization = Organization(
            seed=seed,
            clock=Clock(self.clock.now),
            windows=Windows(seed.limit_minute, seed.limit_day, seed.mode, rolling=seed.rolling),
            shared=self._population(0, born),
            name=seed.name,
            subscription=seed.subscription,
            retry_after=seed.retry_after,
            accounts={account.id: self._account(account, born) for account in seed.accounts},
            journal=Journal(seed.journal_size, self._shelf),
        )
        if seed.state is not None:
            organization.resume(seed.state)
        return organization

    def _account(self, seed: AccountSeed, born: float) -> Account:
        return Account(
            id=seed.id,
            name=seed.name or f"Account {seed.id}",
            username=seed.username or f"account_{seed.id}",
            population=self._population(seed.id, born),
            state=seed.state,
        )

    def _population(self, account: int, born: float) -> Population:
        """Return the seeded records of an account id; organizations with the same id share them."""
        with self._lock:
            population = self._populations.get((account, born))
            if population is None:
                population = Population(
                    self.seed.plans, account, self.seed.seed, born, partial(self._born, born)
                )
                self._populations[account, born] = population
                self._recent.append(population)
            return population

    def _born(self, day: float) -> list[Population]:
        """Return the populations of a day, without waiting for the lock: whoever asks holds another."""
        found = (reference() for reference in self._populations.valuerefs())
        return [each for each in found if each is not None and each.day == day]


def _forget(keys: dict[str, Key], name: str, key: Key) -> None:
    """Take ``key`` out of ``keys``, unless a state was loaded meanwhile and another one stands in its place."""
    if keys.get(name) is key:
        del keys[name]


def _check_accounts(seed: OrganizationSeed) -> None:
    twice = _twice([account.id for account in seed.accounts])
    if twice is not None:
        raise Misuse(f"accounts: {twice} stands there twice; give each account its own id")


def _check_clock(seed: OrganizationSeed, now: float) -> None:
    state = seed.state
    if state is None or state.frozen is not None:
        return
    if not EARLIEST <= now + state.shift < LATEST:
        raise BadState(f"clock.shift: it leads {seed.id} to a time before 1900 or after 5899")


def _twice(values: list[Any]) -> Any:
    """Return the first value that is there twice, or ``None``."""
    return next((value for value, count in Counter(values).items() if count > 1), None)
