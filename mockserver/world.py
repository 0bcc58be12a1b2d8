"""The mock's whole state: organizations, and the keys that name them."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from mockserver.clock import Clock, start_of_day
from mockserver.errors import Misuse
from mockserver.organizations import Account, Organization
from mockserver.population import Population
from mockserver.roles import ALL, KEY_PREFIX, Key, Role
from mockserver.seeds import AccountSeed, KeySeed, OrganizationSeed, Seed
from mockserver.windows import Windows


class World:
    """Organizations and keys. A reset builds anew; it doesn't empty."""

    def __init__(self, seed: Seed, permissions: frozenset[str], clock: Clock | None = None) -> None:
        self.seed = seed
        self.permissions = permissions
        """Every permission of the contract, to refuse unknown ones."""
        self.clock = clock or Clock()
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, Key] = {}
        self._lock = threading.RLock()
        self._minted = 0
        self._populations: dict[int, Population] = {}
        self._day = 0.0
        self.reset()

    def reset(self) -> None:
        """Return to the seeded organizations and keys, with full windows and empty journals."""
        with self._lock:
            self._day = start_of_day(self.clock.now())
            self._populations = {}
            self.organizations = {}
            self.keys = {}
            for organization in self.seed.organizations:
                self.add_organization(organization)
            for key in self.seed.keys:
                self._add_seeded_key(key)

    def add_organization(self, seed: OrganizationSeed) -> Organization:
        """Create the organization that ``seed`` describes. Raises ``Misuse`` when its id is taken."""
        with self._lock:
            if seed.id in self.organizations:
                raise Misuse(f"organization {seed.id} exists already")
            organization = self._build(seed)
            self.organizations[seed.id] = organization
            return organization

    def mint_id(self) -> str:
        """Return an organization id that is free."""
        with self._lock:
            self._minted += 1
            return f"org-{self._minted}"

    def organization(self, id: str) -> Organization:
        """Return an organization. Raises ``Misuse`` when there is none with this id."""
        try:
            return self.organizations[id]
        except KeyError:
            raise Misuse(f"there is no organization {id}; it may have been removed") from None

    def remove_organization(self, id: str) -> None:
        """Remove an organization and its keys. Raises ``Misuse`` when there is none with this id."""
        with self._lock:
            organization = self.organization(id)
            del self.organizations[id]
            for secret in [s for s, key in self.keys.items() if key.organization is organization]:
                del self.keys[secret]

    def reset_organization(self, id: str) -> Organization:
        """Rebuild one organization as it was made, with the keys that it has now."""
        with self._lock:
            old = self.organization(id)
            new = self._build(old.seed)
            self.organizations[id] = new
            for key in self.keys_of(old):
                key.organization = new
            return new

    def add_account(self, organization: Organization, seed: AccountSeed) -> Account:
        """Connect an account. Raises ``Misuse`` when the organization has one with this id."""
        with self._lock:
            if seed.id in organization.accounts:
                raise Misuse(f"organization {organization.id} has an account {seed.id} already")
            account = self._account(seed)
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
    ) -> Key:
        """Create a key of ``organization`` whose role has exactly ``permissions``.

        ``expires`` is in seconds since the epoch. Raises ``Misuse`` at an unknown permission.
        """
        granted = frozenset(permissions)
        unknown = sorted(granted - self.permissions - {ALL})
        if unknown:
            raise Misuse(f"unknown permission {unknown[0]}; `mockserver routes` lists them all")
        with self._lock:
            self._minted += 1
            secret = f"{KEY_PREFIX}test_{organization.id}_{self._minted:06d}"
            key = Key(
                secret,
                Role(f"{organization.id}-{self._minted}", granted),
                organization,
                revoked,
                expires,
                note,
            )
            self.keys[secret] = key
            return key

    def keys_of(self, organization: Organization) -> list[Key]:
        """Return the keys of ``organization``, oldest first."""
        return [key for key in self.keys.values() if key.organization is organization]

    def _add_seeded_key(self, seed: KeySeed) -> None:
        expires = None if seed.expires_in is None else self.clock.now() + seed.expires_in
        self.keys[seed.secret] = Key(
            seed.secret,
            self.seed.roles[seed.role],
            self.organizations[seed.organization],
            seed.revoked,
            expires,
            seed.note,
        )

    def _build(self, seed: OrganizationSeed) -> Organization:
        return Organization(
            seed=seed,
            clock=Clock(self.clock.now),
            windows=Windows(seed.limit_minute, seed.limit_day, seed.mode, rolling=seed.rolling),
            shared=self._population(0),
            subscription=seed.subscription,
            retry_after=seed.retry_after,
            accounts={account.id: self._account(account) for account in seed.accounts},
        )

    def _account(self, seed: AccountSeed) -> Account:
        return Account(
            id=seed.id,
            name=seed.name or f"Account {seed.id}",
            username=seed.username or f"account_{seed.id}",
            population=self._population(seed.id),
            state=seed.state,
        )

    def _population(self, account: int) -> Population:
        """Return the seeded records of an account id; organizations with the same id share them."""
        population = self._populations.get(account)
        if population is None:
            population = Population(self.seed.plans, account, self.seed.seed, self._day)
            self._populations[account] = population
        return population
