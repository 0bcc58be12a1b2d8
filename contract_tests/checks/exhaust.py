"""Using a window up: over the control API, or by requests where a profile allows it; several areas need it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract_tests.bench import Bench, NotJudged
from contract_tests.described import ProfileTenants
from contract_tests.exchange import Exchange
from contract_tests.tenants import Tenant, Unmet
from mockserver import rules
from mockserver.rules import Need

FEW = 20
"""The limit of a window that is used up to its end, and what is asked beyond a real one."""
_THREADS = 16
_MOST_TO_EXHAUST = 2_000
"""Requests that the gate sends at most to use a window up."""


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
        exactly_what_is_left(bench.judging(rules.EXACT), tenants)
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


def exactly_what_is_left(bench: Bench, tenants: ProfileTenants) -> None:
    """On a window that can't be set, use up what a probe says is left."""
    if "minute" not in bench.target.profile.allow_exhaust:
        raise Unmet(Need.MINUTE)
    tenant = tenants.tenant()
    left, day = bench.left(tenant)
    _refuse_many(left)
    if left >= day:
        raise NotJudged("the day ends before the minute")
    exchanges = in_parallel(bench, tenant, left + FEW)
    if any(e.headroom and e.headroom[0] >= left for e in exchanges):
        raise NotJudged("a new minute began")
    tenants.used_up = "minute"
    _see_no_others(exchanges, left)
    judge_exact(bench, exchanges, left, "minute")


def _see_no_others(exchanges: list[Exchange], left: int) -> None:
    """Raise ``NotJudged`` where too few pass and headrooms are missing in between: others got those."""
    seen = {exchange.headroom[0] for exchange in exchanges if exchange.headroom}
    if len(seen) < left and seen and max(seen) - min(seen) >= len(seen):
        raise NotJudged("others used the minute too")


def in_parallel(bench: Bench, tenant: Tenant, number: int) -> list[Exchange]:
    """Return the answers to so many probes that are sent at the same time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda _: bench.probe(tenant), range(number)))


def judge_exact(bench: Bench, exchanges: list[Exchange], limit: int, window: str) -> None:
    """Require that as many of ``exchanges`` passed as the window's limit says, each with another headroom."""
    passed: list[Any] = [
        e.rate_limits.get(f"remaining_{window}") for e in exchanges if e.is_success
    ]
    bench.require(len(passed) == limit, exchanges[-1], f"{limit} successes", f"{len(passed)}")
    different = len(set(passed))
    bench.require(
        different == len(passed), None, f"{len(passed)} different headrooms", f"{different}"
    )
