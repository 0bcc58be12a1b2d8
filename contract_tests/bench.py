"""What a check works with: tenants, samples, sending, and judging what comes back."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.headroom import Rising
from contract_tests.lacks import Lacking, probe_of
from contract_tests.observe import observe
from contract_tests.samples import Sample, bearer, sample_of
from contract_tests.target import Target, Unsafe
from contract_tests.tenants import Tenant, Tenants, Unmet
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.contract import Contract, Operation, Schemas
from mockserver.rules import Need, Rule

T = TypeVar("T")

WHOLE_SERVER = "*"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_UPSTREAM_DOWN = frozenset({502, 503, 504})


class NotJudged(Exception):
    """Raised when an answer neither keeps nor breaks the rule, such as a 429 in the wrong place."""


class Limited(NotJudged):
    """Raised for a 429 that nobody asked for; what it keeps from being judged counts as not checked at all."""

    def __init__(self) -> None:
        super().__init__("429 instead of an answer")


class Shared:
    """What the checks of one run find out once for all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}
        self.rising = Rising()
        self.crowded = False
        """Whether others were seen to use an organization, whose headroom falls by itself then."""
        self.unanswered: Counter[Rule] = Counter()
        """Operations on which a check waited in vain for an answer, by its rule."""

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
        """Send a harmless request that a valid key may always make, and return what came.

        Raises ``Lacking`` where the contract has none.
        """
        return self.send(self.sample(tenant, self._probed), key or tenant.key)

    @property
    def _probed(self) -> Operation:
        return probe_of(self.contract, writes=self.tenants.fresh)

    def reached(self, tenant: Tenant, key: Secret | None = None) -> Exchange:
        """Return a probe that succeeded. Raises ``NotJudged`` when it doesn't."""
        return self.on(self._probed).success(self.probe(tenant, key))

    def left(self, tenant: Tenant, key: Secret | None = None) -> tuple[int, int]:
        """Return what a probe reports as left; the probe itself takes one from both windows."""
        exchange = self.reached(tenant, key)
        if exchange.headroom is None:
            raise NotJudged(f"the probe answered {exchange.status}, without headroom")
        return exchange.headroom

    def step(self, tenant: Tenant) -> tuple[int, int]:
        """Return what one probe takes from both windows.

        Checks that compare headrooms use it instead of one, so that a server which counts wrongly
        breaks the rule that says so (``rate.counts-down``) and no other.
        """
        first, second = self.left(tenant), self.left(tenant)
        same_windows(first, second)
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
        stray: bool = False,
    ) -> Exchange:
        """Send a sample with a key; ``permitted`` says whether the key would be let in.

        ``stray`` is as for ``send_request``.
        """
        request = sample.request(form(key)) if key else sample.request()
        let_in = permitted and key is not None
        return self.send_request(request, sample.operation, permitted=let_in, stray=stray)

    def send_request(
        self, request: Request, operation: Operation, *, permitted: bool, stray: bool = False
    ) -> Exchange:
        """Send a request and judge what holds of every answer.

        A ``stray`` one has a route or a method that the contract doesn't have, or was made to fail:
        its success isn't the operation's, and has no envelope to be judged by.
        Whether it could write is told by its own method, which may be one that the operation doesn't have.
        """
        writes = request.method not in _READS
        if writes and not permitted and not self.target.is_safe:
            self._see_refused(request)
        may_write = permitted and writes
        begun = self.shared.rising.begin(request)
        exchange = self.target.send(request, may_write=may_write)
        if not self.tenants.fresh:  # else checks move clocks and windows as they like
            self.shared.rising.judge(begun, self.ledger, exchange, operation)
        if not stray or exchange.status >= 400:
            observe(self.ledger, self.schemas, exchange, operation)
        return exchange

    def _see_refused(self, write: Request) -> None:
        """Raise ``NotJudged`` unless a read with the credentials of ``write`` gets a 401.

        A server that lets such a key in would carry the write out.
        """
        account = self.target.profile.accounts.get("healthy")
        read = sample_of(self._probed, account, self.target.profile.values)
        request = read.request(*write.credentials)

        def status() -> int:
            answered = self.send_request(request, self._probed, permitted=True).status
            if answered == 429:
                raise Limited
            return answered

        shown = (f"{name}: {prefix}{secret.value}" for name, prefix, secret in write.credentials)
        answered = self.shared.once("\n".join(("refused", *shown)), status)
        if answered != 401:
            raise NotJudged(
                f"a read with these credentials gets {answered} instead of 401, so a write might be carried out"
            )

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
            raise Limited
        allowed = " or ".join(map(str, statuses)) + (f" {what}" if what else "")
        self.require(exchange.status in statuses, exchange, allowed, f"{exchange.status}")

    def expect_not(self, exchange: Exchange, statuses: Collection[int], what: str) -> None:
        """Require any status but ``statuses`` of a request that is valid; what judges nothing keeps nothing."""
        if exchange.status not in statuses:
            self.served(exchange)
        self.require(exchange.status not in statuses, exchange, what, f"{exchange.status}")

    def served(self, exchange: Exchange) -> None:
        """Raise ``NotJudged`` when a valid request got no answer of the API's: a 429, a redirect, a failure.

        A redirect or a failure breaks the rule of what a success is. Only where a real upstream may be down,
        and the error is flat as it then must be, it breaks nothing.
        """
        if exchange.status == 429:
            raise Limited
        if not (300 <= exchange.status < 400 or exchange.status >= 500):
            return
        if not self._is_upstreams(exchange):
            allowed = "a success, for a valid request"
            self.judging(rules.ENVELOPE).break_(exchange, allowed, f"{exchange.status}")
        raise NotJudged(_answered(exchange))

    def _is_upstreams(self, exchange: Exchange) -> bool:
        """Whether a failure may be the upstream's own, which nobody can tell of a real one."""
        upstream = self.operation is not None and self.operation.upstream
        error = exchange.json.get("error") if isinstance(exchange.json, dict) else None
        flat = isinstance(error, str)
        return upstream and flat and not self.tenants.fresh and exchange.status in _UPSTREAM_DOWN

    def success(self, exchange: Exchange) -> Exchange:
        """Return ``exchange`` if it is a success. Raises ``NotJudged`` when it isn't."""
        self.served(exchange)
        if not exchange.is_success:
            raise NotJudged(_answered(exchange))
        return exchange

    @contextmanager
    def part(self) -> Iterator[None]:
        """Judge one part of many: what keeps it from being judged doesn't keep the others."""
        try:
            yield
        except Limited as why:
            self.ledger.cut(self.rule, f"not judged: {why}")
        except NotJudged as why:
            self._leave(f"not judged: {why}")
        except (Unmet, Lacking) as why:
            self._leave(f"{why}")
        except Unsafe:
            self._leave(f"{Unmet(Need.WRITES)}")

    def _leave(self, reason: str) -> None:
        self.ledger.leave(self.rule, reason, self.label)

    def fresh(self) -> None:
        """Raise ``Unmet`` unless every check has an organization of its own."""
        if not self.tenants.fresh:
            raise Unmet(Need.FRESH)


def same_windows(before: tuple[int, int], after: tuple[int, int]) -> None:
    """Raise ``NotJudged`` when a headroom rose: then a window may have begun anew in between."""
    for name, old, new in zip(("minute", "day"), before, after, strict=True):
        if new > old:
            raise NotJudged(f"the {name}'s headroom rose, as it does when a new {name} begins")


def _answered(exchange: Exchange) -> str:
    # A server may have put the key into a link that was followed.
    request = exchange.request
    return exchange.masked(f"{request.method} {request.path} answered {exchange.status}")
