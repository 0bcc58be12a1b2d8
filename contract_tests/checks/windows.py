"""A window that is used up, what it refuses, and what a new one brings back."""

from __future__ import annotations

from contract_tests.bench import Bench
from contract_tests.checks import check
from contract_tests.checks.exhaust import (
    FEW,
    exactly_what_is_left,
    in_parallel,
    judge_exact,
    probed,
    use_up,
)
from contract_tests.described import ProfileTenants
from contract_tests.exchange import is_integer
from mockserver import rules
from mockserver.clock import DAY as SECONDS_OF_DAY


@check(rules.MINUTE, last=True, stages=3)
def minute_exhausted(bench: Bench) -> None:
    """No operation answers when the minute is used up."""
    _exhausted(bench, "minute")


@check(rules.DAY, last=True, stages=3)
def day_exhausted(bench: Bench) -> None:
    """No operation answers when the day is used up."""
    _exhausted(bench, "day")


def _exhausted(bench: Bench, window: str) -> None:
    tenant = bench.tenants.tenant()
    tenant.hold()
    use_up(bench, tenant, window)
    sample = bench.sample(tenant)
    exchange = bench.send(sample, tenant.key)
    if exchange.status != 429 and not bench.tenants.fresh:
        # On a clock that nobody holds, a new window may have begun since.
        use_up(bench, tenant, window)
        exchange = bench.send(sample, tenant.key)
    bench.expect(exchange, 429)


@check(rules.WINDOWS_INDEPENDENT, each=False, sends=3, stages=6)
def minute_does_not_restore_day(bench: Bench) -> None:
    """A new minute brings the minute back and leaves the day as it was."""
    tenant = bench.tenants.tenant()
    tenant.hold()
    tenant.leave(day=5)
    before = bench.left(tenant)
    tenant.advance(60)
    after = bench.left(tenant)
    bench.require(
        after[1] == before[1] - 1, None, f"{before[1] - 1} left of the day", f"{after[1]}"
    )
    tenant.leave(day=0)
    tenant.advance(60)
    bench.expect(bench.probe(tenant), 429, what="on an exhausted day in a new minute")


@check(rules.RECOVERS, each=False, sends=4, stages=8)
def windows_recover(bench: Bench) -> None:
    """When the exhausted window has passed, requests succeed again."""
    for window, seconds in (("minute", 60), ("day", SECONDS_OF_DAY)):
        tenant = bench.tenants.tenant()
        tenant.hold()
        tenant.leave(**{window: 0})
        bench.expect(bench.probe(tenant), 429)
        tenant.advance(seconds)
        exchange = bench.probe(tenant)
        bench.require(
            exchange.is_success, exchange, f"a success after the {window}", f"{exchange.status}"
        )
        limits = exchange.rate_limits
        limit, left = limits.get(f"limit_{window}"), limits.get(f"remaining_{window}")
        full = is_integer(limit) and left == limit - 1
        bench.require(full, exchange, f"one less than the limit left of the {window}", f"{left}")


@check(rules.NO_CREDIT_429, each=False, sends=8, stages=8)
def refusals_are_free(bench: Bench) -> None:
    """429s move neither window: not the one that is exhausted, not the other one."""
    for window, other in (("minute", "day"), ("day", "minute")):
        tenant = bench.tenants.tenant()
        tenant.hold()
        tenant.leave(**{window: 0, other: 5})
        refused = [bench.probe(tenant) for _ in range(3)][-1]
        bench.expect(refused, 429)
        tenant.leave(**{window: 1})
        left = bench.left(tenant)
        due = (0, 4) if window == "minute" else (4, 0)
        bench.require(
            left == due, refused, f"headroom {due} after three 429s and one success", f"{left}"
        )


@check(rules.EXACT, each=False, last=True, sends=130, stages=8)
def exactly_the_limit(bench: Bench) -> None:
    """As many requests pass as the window allows, one after the other and in parallel."""
    if isinstance(bench.tenants, ProfileTenants):
        if bench.tenants.used_up != "minute":
            exactly_what_is_left(bench, bench.tenants)
        return
    for settings in ({"limit_minute": FEW}, {"limit_day": FEW}):
        window = "minute" if "limit_minute" in settings else "day"
        tenant = bench.tenants.tenant(**settings)
        tenant.hold()
        judge_exact(bench, [probed(bench, tenant) for _ in range(FEW + 5)], FEW, window)
        tenant = bench.tenants.tenant(**settings)
        tenant.hold()
        judge_exact(bench, in_parallel(bench, tenant, 2 * FEW), FEW, window)
