"""Using a window up: over the control API, or by requests where a profile allows it; several areas need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contract_tests.bench import Bench, NotJudged
from contract_tests.described import ProfileTenants
from contract_tests.exchange import Exchange, is_integer
from contract_tests.tenants import Tenant, Unmet
from mockserver import rules
from mockserver.rules import Need

FEW = 20
"""The limit of a window that is used up to its end, and what is asked beyond a real one."""
_THREADS = 16
_WINDOWS = ("minute", "day")
_MOST_TEXT = 40
"""Characters of a headroom that isn't even a number."""
_MOST_TO_EXHAUST = 2_000
"""Requests that the gate sends at most to use a window up."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What is kept of one probe among thousands, each of whose answers may be large."""

    exchange: Exchange
    headroom: tuple[int, int] | None
    is_success: bool
    left: Mapping[str, object]
    """What it said is left, by window."""


def probed(bench: Bench, tenant: Tenant) -> Probed:
    """Send a probe, and keep what is needed to count it."""
    exchange = bench.probe(tenant)
    said = {window: exchange.rate_limits.get(f"remaining_{window}") for window in _WINDOWS}
    left = {
        name: value if is_integer(value) else f"{value}"[:_MOST_TEXT]
        for name, value in said.items()
    }
    return Probed(exchange.trimmed(), exchange.headroom, exchange.is_success, left)


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
    probes = in_parallel(bench, tenant, left + FEW)
    if any(probe.headroom and probe.headroom[0] >= left for probe in probes):
        raise NotJudged("a new minute began")
    tenants.used_up = "minute"
    _see_no_others(probes, left)
    judge_exact(bench, probes, left, "minute")


def _see_no_others(probes: Sequence[Probed], left: int) -> None:
    """Raise ``NotJudged`` where too few pass and headrooms are missing in between: others got those."""
    seen = {probe.headroom[0] for probe in probes if probe.headroom}
    if len(seen) < left and seen and max(seen) - min(seen) >= len(seen):
        raise NotJudged("others used the minute too")


def in_parallel(bench: Bench, tenant: Tenant, number: int) -> list[Probed]:
    """Return so many probes that are sent at the same time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda _: probed(bench, tenant), range(number)))


def judge_exact(bench: Bench, probes: Sequence[Probed], limit: int, window: str) -> None:
    """Require that as many of ``probes`` passed as the window's limit says, each with another headroom."""
    passed = [probe.left[window] for probe in probes if probe.is_success]
    bench.require(len(passed) == limit, probes[-1].exchange, f"{limit} successes", f"{len(passed)}")
    different = len(set(passed))
    bench.require(
        different == len(passed), None, f"{len(passed)} different headrooms", f"{different}"
    )
