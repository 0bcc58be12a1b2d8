"""Organizations that are there already, as far as the target's profile describes them."""

from __future__ import annotations

import threading
from typing import Any

from contract_tests.exchange import Secret
from contract_tests.target import Target
from contract_tests.tenants import Tenant, Unmet
from mockserver.rules import Need


class ProfileTenant:
    """The organization that a profile describes, as it is."""

    def __init__(self, target: Target, key: str = "full", need: Need = Need.KEY) -> None:
        self._profile = target.profile
        self._key, self._need = key, need

    @property
    def key(self) -> Secret:
        """The organization's key. Raises ``Unmet`` when the profile names none."""
        return self._named(self._key, self._need)

    def account(self) -> int:
        """Return the healthy account."""
        return self._account("healthy", Need.ACCOUNT)

    def lost_account(self) -> int:
        """Return the account in sync_lost."""
        return self._account("sync_lost", Need.SYNC_LOST)

    def key_with(self, permission: str) -> Secret:
        """Return the restricted key, if it grants the permission."""
        if permission not in self._profile.restricted_permissions:
            raise Unmet(Need.ROLES)
        return self._named("restricted", Need.ROLES)

    def key_without(self, permission: str) -> Secret:
        """Return the restricted key, if it lacks the permission."""
        if permission in self._profile.restricted_permissions:
            raise Unmet(Need.ROLES)
        return self._named("restricted", Need.ROLES)

    def second_key(self) -> Secret:
        """Return the second key."""
        return self._named("second", Need.SECOND_KEY)

    def revoked_key(self, *, useless: bool = False) -> Secret:
        """Return the revoked key, whose role nobody knows."""
        return self._named("revoked", Need.REVOKED)

    def expired_key(self) -> Secret:
        """Return the expired key."""
        return self._named("expired", Need.EXPIRED)

    def key_until(self, seconds: float) -> Secret:
        """Nobody can set a real key's expiry."""
        raise Unmet(Need.CLOCK)

    def advance(self, seconds: float) -> None:
        """Nobody can move a real clock."""
        raise Unmet(Need.CLOCK)

    def leave(self, *, minute: int | None = None, day: int | None = None) -> None:
        """Nobody can set real headroom; windows are exhausted by requests instead."""
        raise Unmet(Need.CLOCK)

    def fail_next(self, status: int, operation: str) -> None:
        """Nobody can make a real upstream fail."""
        raise Unmet(Need.FAULTS)

    def subscribe(self, state: str) -> None:
        """Nobody can change a real subscription."""
        raise Unmet(Need.CLOCK)

    def hold(self, like: Tenant | None = None) -> None:
        """Do nothing: a real clock runs on, and checks that a new minute disturbs don't judge."""

    def _named(self, name: str, need: Need) -> Secret:
        secret = self._profile.keys.get(name)
        if secret is None:
            raise Unmet(need)
        return secret

    def _account(self, name: str, need: Need) -> int:
        account = self._profile.accounts.get(name)
        if account is None:
            raise Unmet(need)
        return account


class OtherTenant(ProfileTenant):
    """Another organization of the profile's, of which only the key and an account are known."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, "other", Need.OTHER_KEY)

    def account(self) -> int:
        """Return the other organization's account."""
        return self._account("other", Need.OTHER_KEY)


class ProfileTenants:
    """The organizations that a profile names; all checks share them."""

    fresh = False

    def __init__(self, target: Target) -> None:
        self._target = target
        self.lock = threading.Lock()
        self.used_up = ""
        """The window that a check has used up: ``minute``, ``day``, or none that is known."""

    def tenant(self, **settings: Any) -> ProfileTenant:
        """Return the profile's organization; settings can't be had."""
        if settings:
            raise Unmet(Need.CLOCK)
        return ProfileTenant(self._target)

    def other(self) -> OtherTenant:
        """Return the other organization."""
        return OtherTenant(self._target)

    def unsubscribed(self) -> ProfileTenant:
        """Return the organization without a subscription."""
        return ProfileTenant(self._target, "unsubscribed", Need.UNSUBSCRIBED)

    def past_due(self) -> ProfileTenant:
        """Return the organization that is past due."""
        return ProfileTenant(self._target, "past_due", Need.PAST_DUE)
