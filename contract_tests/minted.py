"""Organizations that the gate makes for its checks, a new one for each, over the target's control API."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import orjson

from contract_tests.exchange import Request, Secret
from contract_tests.target import Target
from contract_tests.tenants import Tenant

_HEALTHY, _SYNC_LOST = 1001, 1003
"""Accounts of every minted organization; the examples of the contract name the healthy one."""


class Refused(Exception):
    """Raised when the control API refuses what a check asks it for, as that of a mock of another contract does."""


class MintedTenant:
    """A fresh organization of the target's, made and moved over its control API."""

    def __init__(self, minter: Minter, made: dict[str, Any]) -> None:
        self._minter = minter
        self._path = f"/_mock/organizations/{made['id']}"
        self.held = ""
        """The instant at which the clock stands, once it is held."""
        self.key = Secret("key", made["keys"][0]["key"])

    def account(self) -> int:
        """Return a healthy account."""
        return _HEALTHY

    def lost_account(self) -> int:
        """Return an account in sync_lost."""
        return _SYNC_LOST

    def key_with(self, permission: str) -> Secret:
        """Return a key with exactly that permission."""
        return self._key({"permissions": [permission]})

    def key_without(self, permission: str) -> Secret:
        """Return a key with every other permission."""
        try:
            return self._key({"permissions": sorted(self._minter.permissions - {permission})})
        except Refused:
            known = self._minter.known(self._path)
            return self._key({"permissions": sorted(known - {permission})})

    def second_key(self) -> Secret:
        """Return another key with every permission."""
        return self._key({})

    def revoked_key(self, *, useless: bool = False) -> Secret:
        """Return a revoked key; of a role that grants nothing if it is to be ``useless`` besides."""
        return self._key({"revoked": True, **({"permissions": []} if useless else {})})

    def expired_key(self) -> Secret:
        """Return a key that expired long ago."""
        return self._key({"expires": "2020-01-01T00:00:00Z"})

    def key_until(self, seconds: float) -> Secret:
        """Hold the clock at a whole second and return a key that expires ``seconds`` from then."""
        self.hold()
        second = datetime.fromisoformat(self.held).replace(microsecond=0) + timedelta(seconds=1)
        self._freeze(second.isoformat())
        return self._key({"expires": (second + timedelta(seconds=seconds)).isoformat()})

    def advance(self, seconds: float) -> None:
        """Move the organization's clock ahead."""
        self._minter.control("POST", f"{self._path}/clock", {"advance": seconds})

    def hold(self, like: Tenant | None = None) -> None:
        """Let the clock stand still, so that no window moves by itself; at the same instant as ``like``'s."""
        self._freeze(like.held if isinstance(like, MintedTenant) else True)

    def _freeze(self, at: str | bool) -> None:
        self.held = self._minter.control("POST", f"{self._path}/clock", {"freeze": at})["now"]

    def subscribe(self, state: str) -> None:
        """Change the subscription: ``active``, ``none`` or ``past_due``."""
        self._minter.control("PATCH", self._path, {"subscription": state})

    def leave(self, *, minute: int | None = None, day: int | None = None) -> None:
        """Leave exactly so many requests in the windows."""
        asked = {"remaining_minute": minute, "remaining_day": day}
        body = {name: value for name, value in asked.items() if value is not None}
        self._minter.control("PUT", f"{self._path}/headroom", body)

    def fail_next(self, status: int, operation: str) -> None:
        """Let the next request of an operation fail as upstream would."""
        self._minter.control(
            "POST", f"{self._path}/faults", {"status": status, "operation": operation}
        )

    def _key(self, body: dict[str, Any]) -> Secret:
        made = self._minter.control("POST", f"{self._path}/keys", body)
        return Secret(self._minter.name_of(body), made["key"])


class Minter:
    """Makes a fresh organization for every check, over the target's control API."""

    fresh = True

    def __init__(self, target: Target, permissions: Iterable[str]) -> None:
        self._target = target
        self.permissions = frozenset(permissions)
        self._lock = threading.Lock()
        self._known: frozenset[str] | None = None

    def tenant(self, **settings: Any) -> MintedTenant:
        """Return a new organization with a healthy account and one in sync_lost."""
        accounts = [{"id": _HEALTHY}, {"id": _SYNC_LOST, "state": "sync_lost"}]
        return MintedTenant(self, self._made(accounts=accounts, **settings))

    def other(self) -> MintedTenant:
        """Return an organization with an account that no other tenant has."""
        return _Elsewhere(self, self._made(accounts=[{"id": 2001}]))

    def unsubscribed(self) -> MintedTenant:
        """Return an organization without a subscription."""
        return self.tenant(subscription="none")

    def past_due(self) -> MintedTenant:
        """Return an organization that is past due."""
        return self.tenant(subscription="past_due")

    def known(self, organization: str) -> frozenset[str]:
        """Return those of the permissions that the target knows, tried one by one on an organization, once."""
        with self._lock:
            if self._known is None:
                self._known = frozenset(p for p in self.permissions if self._knows(p, organization))
            return self._known

    def _knows(self, permission: str, organization: str) -> bool:
        try:
            self.control("POST", f"{organization}/keys", {"permissions": [permission]})
        except Refused:
            return False
        return True

    def control(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call the control API.

        Raises ``Refused`` when it makes no sense to the target, and ``RuntimeError`` when the API refuses
        for another reason: that is the suite's own mistake.
        """
        headers = (("Content-Type", "application/json"),)
        exchange = self._target.send(Request(method, path, headers, (), orjson.dumps(body)))
        if "x-mock-misuse" in exchange.headers:
            told = exchange.json.get("error") if isinstance(exchange.json, dict) else None
            raise Refused(f"the target's control API says: {told}")
        if not exchange.is_success or not isinstance(exchange.json, dict):
            raise RuntimeError(f"the control API refused {method} {path}: {exchange.status}")
        answer: dict[str, Any] = exchange.json
        return answer

    def _made(self, **settings: Any) -> dict[str, Any]:
        return self.control(
            "POST", "/_mock/organizations", {"keys": [{}], "journal_size": 1, **settings}
        )

    def name_of(self, body: dict[str, Any]) -> str:
        """Return the name under which reports show a minted key."""
        kind = (
            "revoked" if body.get("revoked") else "restricted" if "permissions" in body else "key"
        )
        return "expiring" if "expires" in body else kind


class _Elsewhere(MintedTenant):
    def account(self) -> int:
        return 2001
