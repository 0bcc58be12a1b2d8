"""What a check works with: tenants, samples, sending, and judging what comes back."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.exchange import Exchange, Request, Secret, is_integer, member
from contract_tests.samples import Sample, bearer, sample_of
from contract_tests.target import Target
from contract_tests.tenants import Tenant, Tenants, Unmet
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.contract import Contract, Operation, Schemas, SchemaViolation
from mockserver.rules import Need, Rule

WHOLE_SERVER = "*"
_LEAKS = ("Traceback (most recent call last)", 'File "/', "site-packages", "<html", "werkzeug")
_TOP_LEVEL = {"data", "_meta", "_pagination"}


class NotJudged(Exception):
    """Raised when an answer neither keeps nor breaks the rule, such as a 429 in the wrong place."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One check at work on one rule, on one operation or on the whole server."""

    contract: Contract
    schemas: Schemas
    target: Target
    tenants: Tenants
    ledger: Ledger
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
        observe(self, exchange, operation)
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

    def fresh(self, need: Need) -> None:
        """Raise ``Unmet`` unless every check has an organization of its own."""
        if not self.tenants.fresh:
            raise Unmet(need)


def observe(bench: Bench, exchange: Exchange, operation: Operation) -> None:
    """Judge the rules that hold of every answer, whatever the check was after."""
    here = bench.on(operation)
    if exchange.status >= 400:
        _observe_error(here, exchange)
    elif exchange.is_success and operation.authenticated:
        _observe_success(here, exchange, operation)


def _observe_error(bench: Bench, exchange: Exchange) -> None:
    body = exchange.json
    flat = (
        isinstance(body, dict)
        and set(body) == {"error"}
        and isinstance(body["error"], str)
        and body["error"]
    )
    bench.judging(rules.FLAT).require(
        bool(flat),
        exchange,
        'an object with the one member "error", a non-empty string',
        _described(exchange),
    )
    bench.judging(rules.ERROR_JSON).require(
        exchange.content_type == "application/json",
        exchange,
        "application/json",
        exchange.content_type or "no type",
    )
    if exchange.status >= 500:
        text = exchange.body.decode("utf-8", "replace")
        leaks = [leak for leak in _LEAKS if leak in text]
        bench.judging(rules.UPSTREAM_FAILED).require(
            bool(flat) and not leaks,
            exchange,
            "a flat body that tells nothing of the server",
            _described(exchange),
        )


def _observe_success(bench: Bench, exchange: Exchange, operation: Operation) -> None:
    body = exchange.json
    members = set(body) if isinstance(body, dict) else set()
    bench.judging(rules.ENVELOPE).require(
        {"data", "_meta"} <= members <= _TOP_LEVEL,
        exchange,
        "data, _meta and at most _pagination",
        _described(exchange),
    )
    _observe_meta(bench, exchange, operation)
    if "data" in members:
        try:
            bench.schemas.check(operation.success, {**body, "_meta": _META})
        except SchemaViolation as violation:
            bench.judging(rules.DATA_SCHEMA).break_(
                exchange, "data that matches its schema", str(violation)
            )
        else:
            bench.judging(rules.DATA_SCHEMA).keep()


_META = {
    "_credits": {"used": 1},
    "_rate_limits": {"limit_minute": 1, "remaining_minute": 1, "limit_day": 1, "remaining_day": 1},
}
"""A `_meta` without fault, so that one in `_meta` doesn't hide one in `data`."""


def _observe_meta(bench: Bench, exchange: Exchange, operation: Operation) -> None:
    limits = exchange.rate_limits
    for rule, names in (
        (rules.HEADROOM, ("remaining_minute", "remaining_day")),
        (rules.LIMITS, ("limit_minute", "limit_day")),
    ):
        bench.judging(rule).require(
            all(is_integer(limits.get(name)) for name in names),
            exchange,
            f"integers {' and '.join(names)}",
            f"{limits}",
        )
    if all(
        is_integer(limits.get(f"{kind}_{w}"))
        for kind in ("limit", "remaining")
        for w in ("minute", "day")
    ):
        bench.judging(rules.BOUNDS).require(
            all(0 <= limits[f"remaining_{w}"] <= limits[f"limit_{w}"] for w in ("minute", "day")),
            exchange,
            "0 ≤ remaining ≤ limit",
            f"{limits}",
        )
    used = member(member(exchange.json, "_meta"), "_credits").get("used")
    bench.judging(rules.CREDIT_SUCCESS).require(
        is_integer(used) and used == operation.charges,
        exchange,
        f"_credits.used = {operation.charges}",
        f"{used!r}",
    )


def _described(exchange: Exchange) -> str:
    """Say in a few words what an answer is."""
    body = exchange.json
    if isinstance(body, dict):
        members: Any = sorted(map(str, body))
        return f"{exchange.status} with the members {', '.join(members) or 'none'}"
    kind = "no JSON" if body is None else f"JSON {type(body).__name__}"
    return f"{exchange.status} with {kind}"
