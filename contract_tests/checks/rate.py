"""What an organization's two windows hold, and how requests count them down."""

from __future__ import annotations

from contract_tests.attempts import Attempt, Headrooms, settled
from contract_tests.bench import Bench, NotJudged, same_windows
from contract_tests.checks import check
from contract_tests.exchange import is_integer
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.windows import DEFAULT_LIMIT_DAY, DEFAULT_LIMIT_MINUTE


@check(rules.DEFAULT_LIMITS, each=False)
def default_limits(bench: Bench) -> None:
    """1,000 and 50,000, unless the organization has others."""
    tenant = bench.tenants.tenant()
    exchange = bench.reached(tenant)
    limits = exchange.rate_limits
    found = (limits.get("limit_minute"), limits.get("limit_day"))
    due = (DEFAULT_LIMIT_MINUTE, DEFAULT_LIMIT_DAY)
    if found != due and not bench.tenants.fresh:
        own = f"{found}" if all(map(is_integer, found)) else "no integers"
        raise NotJudged(f"the organization has limits of its own: {own}")
    bench.require(found == due, exchange, f"{due}", f"{found}")


@check(rules.COUNTS_DOWN, sends=3, stages=2)
def counts_down(bench: Bench) -> None:
    """Each request takes exactly one from both, and its own answer already counts it."""
    tenant = bench.tenants.tenant()
    tenant.hold()

    def attempt() -> Attempt:
        first = bench.left(tenant)
        exchange = bench.success(bench.send(bench.sample(tenant), tenant.key))
        last = bench.left(tenant)
        # Where the clock stands still, nothing excuses a headroom that rises.
        if not bench.tenants.fresh:
            same_windows(first, last)
        return Attempt(_less(first, 1, 2), (exchange.headroom or first, last), exchange)

    writes = bench.operation is not None and bench.operation.writes
    _require_due(bench, settled(bench, attempt, repeats=not writes))


@check(rules.COUNTS_DOWN, each=False)
def first_request_counts(bench: Bench) -> None:
    """The first request of a fresh organization reports the limits less one."""
    bench.fresh()
    tenant = bench.tenants.tenant(limit_minute=9, limit_day=99)
    exchange = bench.reached(tenant)
    bench.require(exchange.headroom == (8, 98), exchange, "(8, 98)", f"{exchange.headroom}")


@check(rules.SHARED_BY_ORG, each=False, sends=4, stages=3)
def shared_by_all_keys(bench: Bench) -> None:
    """Two keys in turn count down one pair of windows."""
    tenant = bench.tenants.tenant()
    tenant.hold()
    second = tenant.second_key()

    def attempt() -> Attempt:
        first = bench.left(tenant)
        seen = bench.left(tenant, second), bench.left(tenant), bench.left(tenant, second)
        same_windows(first, seen[-1])
        return Attempt(_less(first, 1, 2, 3), seen)

    _require_due(bench, settled(bench, attempt), " with two keys in turn")


def _less(first: tuple[int, int], *steps: int) -> Headrooms:
    return tuple((first[0] - step, first[1] - step) for step in steps)


def _require_due(bench: Bench, attempt: Attempt, how: str = "") -> None:
    allowed = f"headroom {list(attempt.due)}{how}"
    bench.require(attempt.found == attempt.due, attempt.exchange, allowed, f"{list(attempt.found)}")


@check(rules.ORGS_INDEPENDENT, each=False, sends=14, stages=4)
def other_organization_is_untouched(bench: Bench) -> None:
    """Neither organization's requests move the other's windows."""
    tenant, other = bench.tenants.tenant(), bench.tenants.other()
    for one in (tenant, other):
        one.hold()
    _judge_apart(bench, other, tenant)
    _judge_apart(bench, tenant, other)


def _judge_apart(bench: Bench, watched: Tenant, busy: Tenant) -> None:
    """Require that requests of one organization leave the windows of the one that is watched alone."""

    def attempt() -> Attempt:
        step = bench.step(watched)
        before = bench.left(watched)
        busied = [bench.probe(busy) for _ in range(3)]
        after = bench.left(watched)
        same_windows(before, after)
        due = (before[0] - step[0], before[1] - step[1])
        return Attempt((due,), (after,), busied[-1])

    found = settled(bench, attempt, relative=True)
    bench.require(
        found.found == found.due, found.exchange, f"headroom {found.due[0]}", f"{found.found[0]}"
    )
