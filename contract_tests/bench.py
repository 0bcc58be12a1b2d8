"""What a check works with: tenants, samples, sending, and judging what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.observe import observe
from contract_tests.samples import Sample, bearer, sample_of
from contract_tests.target import Target
from contract_tests.tenants import Tenant, Tenants, Unmet
from contract_tests.verdicts import Breach, Ledger
from mockserver.contract import Contract, Operation, Schemas
from mockserver.rules import Need, Rule

T = TypeVar("T")

WHOLE_SERVER = "*"


class NotJudged(Exception):
    """Raised when an answer neither keeps nor breaks the rule, such as a 429 in the wrong place."""


class Shared:
    """What the checks of one run find out once for all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}

    def once(self, name: str, find: Callable[[], T]) -> T:
        """Return what ``find`` returned when it was first called for ``name``."""
        with self._lock:
            if name not in self._known:
                self._known[name] = find()
            known: T = self._known[name]
            return known


@dataclass(frozen=True, slots=True)
class Bench:
    """One check at work on one rule, on one operation or on the whole server."""

    contract: Contract
    schemas: Schemas
    target: Target
    tenants: Tenants
    ledger: Ledger
    shared: Shared
    rule: Rule
    operation: Operation | None = None

    @property
    def label(self) -> str:
        """What reports call the operation."""
        return self.operation.label if self.operation else WHOLE_SERVER

    def on(self, operation: Operation) -> Bench:
        """Return the bench of the same check on an operation."""
        return replace(self, operation=operation)

    def judging(self, rule: Rule) -> Bench:
        """Return the bench of the same check for another rule."""
        return replace(self, rule=rule)

    def sample(self, tenant: Tenant, operation: Operation | None = None) -> Sample:
        """Return a valid request of the operation on the tenant's healthy account."""
        asked = operation or self.operation
        if asked is None:
            raise RuntimeError("a check of the whole server must name the operation")
        account = tenant.account() if asked.on_account else None
        return sample_of(asked, account, self.target.profile.values)

    def example(self) -> Sample:
        """Return the contract's own example request, for callers who are refused whatever they ask."""
        if self.operation is None:
            raise RuntimeError("a check of the whole server must name the operation")
        return sample_of(self.operation, None, self.target.profile.values)

    def probe(self, tenant: Tenant, key: Secret | None = None) -> Exchange:
        """Send a harmless read that a valid key may always make, and return what came."""
        operation = next(
            op for op in self.contract if op.on_account and not op.writes and not op.looks_up
        )
        return self.send(self.sample(tenant, operation), key or tenant.key)

    def left(self, tenant: Tenant, key: Secret | None = None) -> tuple[int, int]:
        """Return what a probe reports as left; the probe itself takes one from both windows."""
        exchange = self.probe(tenant, key)
        if not exchange.is_success or exchange.headroom is None:
            raise NotJudged(f"the probe answered {exchange.status}, without headroom")
        return exchange.headroom

    def step(self, tenant: Tenant) -> tuple[int, int]:
        """Return what one probe takes from both windows.

        Checks that compare headrooms use it instead of one, so that a server which counts wrongly
        breaks the rule that says so (``rate.counts-down``) and no other.
        """
        first, second = self.left(tenant), self.left(tenant)
        if second[0] > first[0]:
            raise NotJudged("a new minute began")
        if first == second:
            raise NotJudged("requests don't move the windows")
        return first[0] - second[0], first[1] - second[1]

    def send(
        self,
        sample: Sample,
        key: Secret | None = None,
        form: Callable[[Secret], tuple[str, str, Secret]] = bearer,
        *,
        permitted: bool = True,
    ) -> Exchange:
        """Send a sample with a key; ``permitted`` says whether the key would be let in."""
        request = sample.request(form(key)) if key else sample.request()
        return self.send_request(request, sample.operation, permitted=permitted and key is not None)

    def send_request(self, request: Request, operation: Operation, *, permitted: bool) -> Exchange:
        """Send a request and judge what holds of every answer."""
        exchange = self.target.send(request, may_write=operation.writes and permitted)
        observe(self.ledger, self.schemas, exchange, operation)
        return exchange

    def keep(self) -> None:
        """Record that the rule was kept here."""
        self.ledger.keep(self.rule, self.label)

    def break_(self, exchange: Exchange | None, allowed: str, found: str) -> None:
        """Record that the rule was broken here."""
        self.ledger.break_(Breach(self.rule, self.label, allowed, found, exchange))

    def require(self, holds: bool, exchange: Exchange | None, allowed: str, found: str) -> None:
        """Record whether the rule was kept."""
        if holds:
            self.keep()
        else:
            self.break_(exchange, allowed, found)

    def expect(self, exchange: Exchange, *statuses: int, what: str = "") -> None:
        """Require one of ``statuses``; a 429 that nobody asked for judges nothing."""
        if exchange.status == 429 and 429 not in statuses:
            raise NotJudged("429 instead of an answer")
        allowed = " or ".join(map(str, statuses)) + (f" {what}" if what else "")
        self.require(exchange.status in statuses, exchange, allowed, f"{exchange.status}")

    def expect_not(self, exchange: Exchange, statuses: Collection[int], what: str) -> None:
        """Require any status but ``statuses``."""
        if exchange.status == 429 and 429 not in statuses:
            raise NotJudged("429 instead of an answer")
        self.require(exchange.status not in statuses, exchange, what, f"{exchange.status}")

    def success(self, exchange: Exchange) -> Exchange:
        """Return ``exchange`` if it is a success. Raises ``NotJudged`` when it isn't."""
        if not exchange.is_success:
            raise NotJudged(
                f"{exchange.request.method} {exchange.request.path} answered {exchange.status}"
            )
        return exchange

    def fresh(self) -> None:
        """Raise ``Unmet`` unless every check has an organization of its own."""
        if not self.tenants.fresh:
            raise Unmet(Need.FRESH)
