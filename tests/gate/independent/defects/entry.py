"""The service with one promise broken about who is let in, each a subclass whose sentence says how."""

from __future__ import annotations

from collections.abc import Mapping

from tests.gate.independent.people import Key
from tests.gate.independent.service import Service
from tests.gate.independent.spec import Endpoint
from tests.gate.independent.wire import Asked, Call, Refusal


class AcceptsRevoked(Service):
    """A revoked key still opens."""

    def is_void(self, key: Key) -> bool:
        return key.ended


class AcceptsExpired(Service):
    """An expired key still opens."""

    def is_void(self, key: Key) -> bool:
        return key.withdrawn


class IgnoresHeaderKey(Service):
    """Only Authorization is looked at."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        return super().presented({"authorization": headers.get("authorization", "")})


class TakesAnyScheme(Service):
    """The scheme's name is skipped, whatever it is."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        secret = headers.get("authorization", "").split(" ")[-1]
        return super().presented({**headers, "authorization": f"Bearer {secret}"})


class PrefersFirstKey(Service):
    """Of two different keys, one that is known is enough."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        secrets = super().presented(headers)
        return secrets & self.people.keys.keys() or secrets


class OpensOneOperation(Service):
    """One operation asks for no permission."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        if endpoint.name != "listEarnings":
            super().permit(key, endpoint)


class RefusesRoles(Service):
    """A key whose role grants a part is refused everything."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        if key.permissions is not None:
            raise Refusal(403, "Restricted keys are not welcome.")


class ValidatesBeforePermission(Service):
    """What is wrong with the parameters is said to those who may not even ask."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        """Leave it for later."""

    def enter(self, key: Key, endpoint: Endpoint, asked: Asked) -> None:
        super().permit(key, endpoint)
        super().enter(key, endpoint, asked)


class ReadsForeignAccounts(Service):
    """Any account that exists will do."""

    def owns(self, key: Key, account: int) -> bool:
        return any(account in one.organization.accounts for one in self.people.keys.values())


class AsksForKeyFirst(Service):
    """Without a key nobody learns what exists."""

    def locate(self, call: Call) -> tuple[Endpoint, dict[str, str]]:
        if call.path != "/health":
            self.identify(call.headers)
        return super().locate(call)


class LetsDebtorsRead(Service):
    """Reads go on while an invoice is overdue."""

    def bill(self, key: Key, call: Call) -> None:
        if call.method != "GET" or "overdue" not in key.organization.unpaid:
            super().bill(key, call)

    def owns(self, key: Key, account: int) -> bool:
        return super().owns(key, account) or bool(key.organization.unpaid)
