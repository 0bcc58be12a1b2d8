"""Defects of the two rate windows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from mockserver import rules
from mockserver.defects.site import Defect, Site, Step
from mockserver.organizations import Organization
from mockserver.seeds import OrganizationSeed
from mockserver.windows import DEFAULT_LIMIT_DAY, DEFAULT_LIMIT_MINUTE, Headroom, Window, Windows


def _rewriting(site: Site, change: Callable[[dict[str, Any]], None], **options: Any) -> None:
    """Let the `_rate_limits` of successes pass through ``change``."""

    def changed(body: Any) -> None:
        change(body["_meta"]["_rate_limits"])

    site.rewrite_json(changed, **options)


def _before_spending(site: Site, act: Callable[[Organization], None]) -> None:
    def make(original: Step) -> Step:
        def spend(organization: Organization) -> Any:
            act(organization)
            return original(organization)

        return spend

    site.step("spend_windows", make)


def _after_spending(site: Site, act: Callable[[Organization, Headroom], Headroom]) -> None:
    def make(original: Step) -> Step:
        return lambda organization: act(organization, original(organization))

    site.step("spend_windows", make)


def _again(organization: Organization, _: Headroom) -> Headroom:
    organization.windows.take(organization.clock.now)
    return organization.windows.headroom(organization.clock.now)


class DayNotReported(Defect):
    """`remaining_day` is missing."""

    rule = rules.HEADROOM

    def plant(self, site: Site) -> None:
        _rewriting(site, lambda limits: limits.pop("remaining_day"))


class HeadroomAsText(Defect):
    """`remaining_minute` is a string."""

    rule = rules.HEADROOM

    def plant(self, site: Site) -> None:
        _rewriting(
            site, lambda limits: limits.update(remaining_minute=str(limits["remaining_minute"]))
        )


class WritesReportNoHeadroom(Defect):
    """The answers to writes report no headroom."""

    rule = rules.HEADROOM

    def plant(self, site: Site) -> None:
        def drop(limits: dict[str, Any]) -> None:
            del limits["remaining_minute"], limits["remaining_day"]

        _rewriting(site, drop, when=lambda: site.here.operation.writes)


class LimitsNotReported(Defect):
    """The limits are missing beside what is left of them."""

    rule = rules.LIMITS

    def plant(self, site: Site) -> None:
        def drop(limits: dict[str, Any]) -> None:
            del limits["limit_minute"], limits["limit_day"]

        _rewriting(site, drop)


class DayLimitAsText(Defect):
    """`limit_day` is a string."""

    rule = rules.LIMITS

    def plant(self, site: Site) -> None:
        _rewriting(site, lambda limits: limits.update(limit_day=str(limits["limit_day"])))


class _OtherDefault(Defect):
    """Base of defects that make organizations with another default limit."""

    rule = rules.DEFAULT_LIMITS
    field: ClassVar[str]
    usual: ClassVar[int]
    limit: ClassVar[int]

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def add(seed: OrganizationSeed) -> Any:
                if getattr(seed, self.field) == self.usual:
                    limits: dict[str, Any] = {self.field: self.limit}
                    seed = replace(seed, **limits)
                return original(seed)

            return add

        site.wrap(site.mock.world, "add_organization", make)


class MinuteDefaultIs600(_OtherDefault):
    """An organization has 600 requests a minute by default."""

    field, usual, limit = "limit_minute", DEFAULT_LIMIT_MINUTE, 600


class DayDefaultIs10000(_OtherDefault):
    """An organization has 10,000 requests a day by default."""

    field, usual, limit = "limit_day", DEFAULT_LIMIT_DAY, 10_000


class HeadroomBeforeTheRequest(Defect):
    """The reported headroom doesn't count the request itself."""

    rule = rules.COUNTS_DOWN

    def plant(self, site: Site) -> None:
        def more(limits: dict[str, Any]) -> None:
            limits["remaining_minute"] += 1
            limits["remaining_day"] += 1

        _rewriting(site, more)


class RequestsCountTwice(Defect):
    """Each request takes two from both windows."""

    rule = rules.COUNTS_DOWN

    def plant(self, site: Site) -> None:
        _after_spending(site, _again)


class PostsCountTwice(Defect):
    """Each POST takes two from both windows."""

    rule = rules.COUNTS_DOWN

    def plant(self, site: Site) -> None:
        _after_spending(
            site, lambda o, left: _again(o, left) if site.here.method == "POST" else left
        )


class MeIsFree(Defect):
    """One operation, the current account, takes nothing."""

    rule = rules.COUNTS_DOWN
    operation = "getCurrentAccount"

    def plant(self, site: Site) -> None:
        def free(organization: Organization, left: Headroom) -> Headroom:
            if site.here.operation.id != self.operation:
                return left
            now = organization.clock.now()
            organization.windows.give_back(now)
            return organization.windows.headroom(now)

        _after_spending(site, free)


class OnlyTheMinuteCounts(Defect):
    """A write takes from the minute, and not from the day."""

    rule = rules.COUNTS_DOWN

    def plant(self, site: Site) -> None:
        def give(organization: Organization, left: Headroom) -> Headroom:
            if not site.here.operation.writes:
                return left
            organization.windows.day.used -= 1
            return organization.windows.headroom(organization.clock.now())

        _after_spending(site, give)


class _WindowsPerKey(Defect):
    """Base of defects that give every key but the organization's first its own windows."""

    rule = rules.SHARED_BY_ORG
    own: ClassVar[frozenset[str]]

    def plant(self, site: Site) -> None:
        by_key: dict[str, Windows] = {}

        def spend(organization: Organization, left: Headroom) -> Headroom:
            caller = site.here.caller
            if caller is None or caller is next(iter(organization.keys.values())):
                return left
            now = organization.clock.now()
            windows = by_key.setdefault(caller.secret, Windows(left.limit_minute, left.limit_day))
            windows.take(now)
            mine = windows.headroom(now)
            names = [f"remaining_{name}" for name in self.own]
            for name in self.own:
                getattr(organization.windows, name).used -= 1
            return replace(left, **{name: getattr(mine, name) for name in names})

        _after_spending(site, spend)


class MinutePerKey(_WindowsPerKey):
    """The day is the organization's, the minute each key's own."""

    own = frozenset({"minute"})


class DayPerKey(_WindowsPerKey):
    """The minute is the organization's, the day each key's own."""

    own = frozenset({"day"})


class WindowsPerKey(_WindowsPerKey):
    """Both windows are each key's own."""

    own = frozenset({"minute", "day"})


class OrganizationsShareTheMinute(Defect):
    """One organization's request takes from every organization's minute."""

    rule = rules.ORGS_INDEPENDENT
    window: ClassVar[str] = "minute"

    def plant(self, site: Site) -> None:
        def drain(organization: Organization) -> None:
            for other in list(site.mock.world.organizations.values()):
                if other is not organization:
                    getattr(other.windows, self.window).used += 1

        _before_spending(site, drain)


class OrganizationsShareTheDay(OrganizationsShareTheMinute):
    """One organization's request takes from every organization's day."""

    window = "day"


def _unlimited(
    site: Site, *names: str, when: Callable[[Organization], bool] = lambda _: True
) -> None:
    """Let requests pass although the windows ``names`` are exhausted."""

    def make(original: Step) -> Step:
        def spend(organization: Organization) -> Any:
            windows = organization.windows
            used_up = [w for w in (getattr(windows, n) for n in names) if w.used >= w.limit]
            if not used_up or not when(organization):
                return original(organization)
            for window in used_up:
                window.limit += 1
            try:
                return original(organization)
            finally:
                for window in used_up:
                    window.limit -= 1

        return spend

    site.step("spend_windows", make)


class MinuteNotEnforced(Defect):
    """An exhausted minute refuses nothing."""

    rule = rules.MINUTE

    def plant(self, site: Site) -> None:
        _unlimited(site, "minute")


class MinuteNotEnforcedOnTags(Defect):
    """One operation, the list of tags, answers in an exhausted minute."""

    rule = rules.MINUTE
    operation = "listTags"

    def plant(self, site: Site) -> None:
        _unlimited(site, "minute", when=lambda _: site.here.operation.id == self.operation)


class WritesIgnoreTheMinute(Defect):
    """A write is carried out in an exhausted minute."""

    rule = rules.MINUTE

    def plant(self, site: Site) -> None:
        _unlimited(site, "minute", when=lambda _: site.here.operation.writes)


class OnlyBothRefuse(Defect):
    """A request is refused only when both windows are exhausted."""

    rule = rules.MINUTE

    def plant(self, site: Site) -> None:
        def one_is_left(organization: Organization) -> bool:
            windows = (organization.windows.minute, organization.windows.day)
            return any(window.used < window.limit for window in windows)

        _unlimited(site, "minute", "day", when=one_is_left)


class LimitPlusOne(Defect):
    """One request more than the minute's limit passes."""

    rule = rules.MINUTE

    def plant(self, site: Site) -> None:
        _unlimited(site, "minute", when=lambda o: o.windows.minute.used == o.windows.minute.limit)


class DayNotEnforced(Defect):
    """An exhausted day refuses nothing."""

    rule = rules.DAY

    def plant(self, site: Site) -> None:
        _unlimited(site, "day")


class DeletesIgnoreTheDay(Defect):
    """A DELETE is carried out on an exhausted day."""

    rule = rules.DAY

    def plant(self, site: Site) -> None:
        _unlimited(site, "day", when=lambda _: site.here.method == "DELETE")


class DayRestoredWithTheMinute(Defect):
    """A new minute restores the day too."""

    rule = rules.WINDOWS_INDEPENDENT

    def plant(self, site: Site) -> None:
        def restore(organization: Organization) -> None:
            minute = organization.windows.minute
            opened = minute.opened
            organization.windows.roll(organization.clock.now())
            if opened not in (minute.opened, float("-inf")):
                organization.windows.day.used = 0

        _before_spending(site, restore)


class _NoRecovery(Defect):
    """Base of defects in which an exhausted window stays as it is."""

    rule = rules.RECOVERS
    window: ClassVar[str]

    def left(self, window: Window) -> int:
        """Return the requests that are used already when the new window begins."""
        return window.limit

    def plant(self, site: Site) -> None:
        def keep(organization: Organization) -> None:
            window: Window = getattr(organization.windows, self.window)
            exhausted, opened = window.used >= window.limit, window.opened
            organization.windows.roll(organization.clock.now())
            if exhausted and opened != window.opened:
                window.used = self.left(window)

        _before_spending(site, keep)


class MinuteStaysExhausted(_NoRecovery):
    """An exhausted minute never recovers."""

    window = "minute"


class DayStaysExhausted(_NoRecovery):
    """An exhausted day never recovers."""

    window = "day"


class MinuteRecoversByHalf(_NoRecovery):
    """An exhausted minute recovers half of its requests."""

    window = "minute"

    def left(self, window: Window) -> int:
        return window.limit // 2


class _RefusalCounts(Defect):
    """Base of defects in which a 429 takes from a window."""

    rule = rules.NO_CREDIT_429
    window: ClassVar[str]

    def plant(self, site: Site) -> None:
        def charge(organization: Organization) -> None:
            windows = organization.windows
            if any(w.used >= w.limit for w in (windows.minute, windows.day)):
                getattr(windows, self.window).used += 1

        _before_spending(site, charge)


class MinuteRefusalMovesTheDay(_RefusalCounts):
    """A 429 takes one from the day."""

    window = "day"


class DayRefusalMovesTheMinute(_RefusalCounts):
    """A 429 takes one from the minute."""

    window = "minute"


class LimitMinusOne(Defect):
    """The last request that a minute allows is refused."""

    rule = rules.EXACT

    def plant(self, site: Site) -> None:
        def shorten(organization: Organization) -> None:
            window = organization.windows.minute
            organization.windows.roll(organization.clock.now())
            if window.used == window.limit - 1:
                window.used = window.limit

        _before_spending(site, shorten)


class RequestsRace(Defect):
    """Two requests at the same time may be counted as one."""

    rule = rules.EXACT

    def plant(self, site: Site) -> None:
        pause = threading.Event()

        def make(original: Step) -> Step:
            def spend(organization: Organization) -> Any:
                windows = organization.windows
                windows.roll(organization.clock.now())
                minute, day = windows.minute.used, windows.day.used
                site.here.call.step_aside()  # or nobody else would come in between
                pause.wait(0.003)  # reading and writing apart is what makes the race
                left = original(organization)
                windows.minute.used, windows.day.used = minute + 1, day + 1
                return left

            return spend

        site.step("spend_windows", make)


class HalfOfALimitReported(Defect):
    """An organization with limits of its own is told half of the minute's."""

    rule = rules.BOUNDS

    def plant(self, site: Site) -> None:
        def halve(limits: dict[str, Any]) -> None:
            if limits["limit_minute"] != DEFAULT_LIMIT_MINUTE:
                limits["limit_minute"] //= 2

        _rewriting(site, halve)


class LastRequestReportsMinusOne(Defect):
    """The last request of a day reports -1 as what is left, where it should be 0."""

    rule = rules.BOUNDS

    def plant(self, site: Site) -> None:
        def lower(limits: dict[str, Any]) -> None:
            if limits["remaining_day"] == 0 and limits["limit_day"] != DEFAULT_LIMIT_DAY:
                limits["remaining_day"] = -1

        _rewriting(site, lower)
