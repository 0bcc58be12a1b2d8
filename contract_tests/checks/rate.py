"""How an organization's two windows move."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract_tests.attempts import Attempt, Headrooms, settled
from contract_tests.bench import Bench, NotJudged, same_windows
from contract_tests.checks import check
from contract_tests.exchange import Exchange, is_integer
from contract_tests.tenants import ProfileTenants, Tenant, Unmet
from mockserver import rules
from mockserver.clock import DAY as SECONDS_OF_DAY
from mockserver.rules import Need
from mockserver.windows import DEFAULT_LIMIT_DAY, DEFAULT_LIMIT_MINUTE

_SMALL = 20
_THREADS = 16
_MOST_TO_EXHAUST = 2_000
"""Requests that the gate sends at most to use a window up."""


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


@check(rules.COUNTS_DOWN)
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


@check(rules.SHARED_BY_ORG, each=False)
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


@check(rules.ORGS_INDEPENDENT, each=False)
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


@check(rules.MINUTE, last=True)
def minute_exhausted(bench: Bench) -> None:
    """No operation answers when the minute is used up."""
    _exhausted(bench, "minute")


@check(rules.DAY, last=True)
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


def use_up(bench: Bench, tenant: Tenant, window: str) -> None:
    """Leave nothing in a window: over the control API, or by requests where the profile allows it."""
    tenants = bench.tenants
    if not isinstance(tenants, ProfileTenants):
        tenant.leave(**{window: 0})
        return
    if window not in bench.target.profile.allow_exhaust:
        raise Unmet(Need.MINUTE if window == "minute" else Need.DAY)
    if window == "minute" and not tenants.used_up:
        # Whoever uses the minute up first counts what passes; afterwards nobody can.
        _exactly_what_is_left(bench.judging(rules.EXACT), tenants)
        return
    last = _spend(bench, tenant, window)
    if last is not None:
        tenants.used_up = _window_of(last)
    if tenants.used_up != window:
        raise NotJudged("429, but maybe of the other window")


def use_up_either(bench: Bench, tenant: Tenant) -> None:
    """Leave nothing in the minute, unless a window is known to be used up already, whichever it is."""
    tenants = bench.tenants
    known = isinstance(tenants, ProfileTenants) and tenants.used_up
    if not known or bench.probe(tenant).status != 429:
        use_up(bench, tenant, "minute")


def _spend(bench: Bench, tenant: Tenant, window: str) -> tuple[int, int] | None:
    """Send what a window has left, and return what the last success said is left of both.

    Returns ``None`` when there was no success.
    """
    this = 0 if window == "minute" else 1
    last = bench.probe(tenant).headroom
    if last is None:
        return None
    _refuse_many(last[this])
    for _ in range(last[this]):
        headroom = bench.probe(tenant).headroom
        if headroom is None:
            return last
        last = headroom
    if last[this] > 0:
        raise NotJudged(f"a new {window} began")
    return last


def _refuse_many(left: int) -> None:
    if left > _MOST_TO_EXHAUST:
        raise NotJudged(f"more than {_MOST_TO_EXHAUST:,} requests are left")


def _window_of(left: tuple[int, int]) -> str:
    """Return the window that a 429 after ``left`` is about; empty where it may be either."""
    minute, day = left
    return "" if minute == day else "minute" if minute < day else "day"


@check(rules.WINDOWS_INDEPENDENT, each=False)
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


@check(rules.RECOVERS, each=False)
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


@check(rules.NO_CREDIT_429, each=False)
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


@check(rules.EXACT, each=False, last=True)
def exactly_the_limit(bench: Bench) -> None:
    """As many requests pass as the window allows, one after the other and in parallel."""
    if isinstance(bench.tenants, ProfileTenants):
        if bench.tenants.used_up != "minute":
            _exactly_what_is_left(bench, bench.tenants)
        return
    for settings in ({"limit_minute": _SMALL}, {"limit_day": _SMALL}):
        window = "minute" if "limit_minute" in settings else "day"
        tenant = bench.tenants.tenant(**settings)
        tenant.hold()
        _judge_exact(bench, [bench.probe(tenant) for _ in range(_SMALL + 5)], _SMALL, window)
        tenant = bench.tenants.tenant(**settings)
        tenant.hold()
        _judge_exact(bench, _in_parallel(bench, tenant, 2 * _SMALL), _SMALL, window)


def _exactly_what_is_left(bench: Bench, tenants: ProfileTenants) -> None:
    """On a window that can't be set, use up what a probe says is left."""
    if "minute" not in bench.target.profile.allow_exhaust:
        raise Unmet(Need.MINUTE)
    tenant = tenants.tenant()
    left, day = bench.left(tenant)
    _refuse_many(left)
    if left >= day:
        raise NotJudged("the day ends before the minute")
    exchanges = _in_parallel(bench, tenant, left + _SMALL)
    if any(e.headroom and e.headroom[0] >= left for e in exchanges):
        raise NotJudged("a new minute began")
    tenants.used_up = "minute"
    _see_no_others(exchanges, left)
    _judge_exact(bench, exchanges, left, "minute")


def _see_no_others(exchanges: list[Exchange], left: int) -> None:
    """Raise ``NotJudged`` where too few pass and headrooms are missing in between: others got those."""
    seen = {exchange.headroom[0] for exchange in exchanges if exchange.headroom}
    if len(seen) < left and seen and max(seen) - min(seen) >= len(seen):
        raise NotJudged("others used the minute too")


def _in_parallel(bench: Bench, tenant: Tenant, number: int) -> list[Exchange]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda _: bench.probe(tenant), range(number)))


def _judge_exact(bench: Bench, exchanges: list[Exchange], limit: int, window: str) -> None:
    passed: list[Any] = [
        e.rate_limits.get(f"remaining_{window}") for e in exchanges if e.is_success
    ]
    bench.require(len(passed) == limit, exchanges[-1], f"{limit} successes", f"{len(passed)}")
    different = len(set(passed))
    bench.require(
        different == len(passed), None, f"{len(passed)} different headrooms", f"{different}"
    )
