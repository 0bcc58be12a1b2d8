"""The second step: both windows give one request, or neither does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import requests
from freezegun import freeze_time
from freezegun.api import FrozenDateTimeFactory
from werkzeug.test import EnvironBuilder

from mockserver import rules
from mockserver.clock import DAY, MINUTE, parse_time
from mockserver.errors import BadLimit, Misuse
from mockserver.windows import Headroom, LimiterMode, Windows

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.contract import Operation
    from mockserver.server import MockServer
    from tests.conftest import NewTenant, Tenant

NOON = parse_time("2026-01-31T12:00:00Z")


def taken(windows: Windows, *moments: float) -> list[bool]:
    """Take one request at each moment; return which of them passed."""
    return [isinstance(windows.take(moment), Headroom) for moment in moments]


@pytest.mark.parametrize(
    ("rolling", "moments", "passed"),
    [
        pytest.param(False, [0, 30, 59.999], [True, True, False], id="last-instant"),
        pytest.param(False, [0, 1, 2, 60], [True, True, False, True], id="next-minute"),
        pytest.param(False, [59, 59.9, 60, 61, 62], [True, True, True, True, False], id="aligned"),
        pytest.param(False, [0, 1, 120, 121, 122], [True, True, True, True, False], id="idle"),
        pytest.param(True, [59, 59.9, 60, 118.9], [True, True, False, False], id="rolling-holds"),
        pytest.param(True, [59, 60, 119], [True, True, True], id="rolling-recovers"),
        pytest.param(True, [0, 1, 60, 61, 119.9], [True, True, True, True, False], id="reopens"),
    ],
)
def test_minute_window(rolling: bool, moments: list[float], passed: list[bool]) -> None:
    """Two requests a minute: fixed windows follow the UTC minute, a rolling one its first request."""
    windows = Windows(limit_minute=2, limit_day=100, rolling=rolling)

    assert passed == taken(windows, *(NOON + moment for moment in moments))


def test_only_what_was_taken_is_given_back() -> None:
    """A window that was filled up meanwhile stays full, and one that takes nothing has nothing to give."""
    windows = Windows(limit_minute=5, limit_day=100)
    windows.take(NOON)
    windows.take(NOON)
    windows.set_remaining(NOON, minute=5)
    windows.give_back(NOON)
    filled = windows.headroom(NOON)
    windows.mode = LimiterMode.OFF
    windows.take(NOON)
    windows.give_back(NOON)

    assert Headroom(5, 5, 100, 99) == filled == windows.headroom(NOON)


def test_room_comes_with_the_later_of_two_windows() -> None:
    """A rolling minute that opened at the end of the day outlasts it."""
    windows = Windows(limit_minute=1, limit_day=2, rolling=True)

    assert [True, True] == taken(windows, NOON, NOON + DAY - 10)
    assert NOON + DAY - 10 + MINUTE == windows.have_room_at


def test_time_alone_opens_no_rolling_window() -> None:
    windows = Windows(limit_minute=1, limit_day=100, rolling=True)
    windows.take(NOON)
    windows.roll(NOON + 70)

    assert [True, False, True] == taken(windows, NOON + 100, NOON + 131, NOON + 160)


def test_a_refused_limit_changes_neither() -> None:
    windows = Windows(limit_minute=5, limit_day=100)
    with pytest.raises(BadLimit, match="limit_day must be 0 or more, got -1"):
        windows.set_limits(minute=3, day=-1)

    assert Headroom(5, 5, 100, 100) == windows.headroom(NOON)


def test_a_look_opens_no_rolling_window() -> None:
    """Nor does giving a request back that is older than the window."""
    windows = Windows(limit_minute=2, limit_day=100, rolling=True)
    windows.take(NOON)
    fresh = windows.headroom(NOON + 70)
    windows.give_back(NOON + 80)
    windows.take(NOON + 100)

    assert 2 == fresh.remaining_minute
    assert (1, 1) == (windows.minute.remaining, windows.minute.used)
    assert NOON + 160 == windows.minute.recovers


@pytest.mark.parametrize(
    ("rolling", "moments", "passed"),
    [
        pytest.param(False, [0, DAY / 2 - 1], [True, False], id="last-second"),
        pytest.param(False, [0, DAY / 2], [True, True], id="midnight"),
        pytest.param(False, [DAY / 2 - 1, DAY / 2, DAY], [True, True, False], id="aligned"),
        pytest.param(True, [0, DAY / 2, DAY - 1], [True, False, False], id="rolling-holds"),
        pytest.param(True, [0, DAY], [True, True], id="rolling-recovers"),
    ],
)
def test_day_window(rolling: bool, moments: list[float], passed: list[bool]) -> None:
    """One request a day, from noon on: fixed windows end at midnight UTC."""
    windows = Windows(limit_minute=100, limit_day=1, rolling=rolling)

    assert passed == taken(windows, *(NOON + moment for moment in moments))


@pytest.mark.parametrize(
    ("limits", "exhausted", "left"),
    [
        pytest.param((0, 5), "minute", (0, 5), id="minute-alone"),
        pytest.param((5, 0), "day", (5, 0), id="day-alone"),
        pytest.param((0, 0), "minute", (0, 0), id="both"),
        pytest.param((1, 1), None, (0, 0), id="neither"),
    ],
)
def test_both_or_neither(
    limits: tuple[int, int], exhausted: str | None, left: tuple[int, int]
) -> None:
    """A refused request takes from no window, however much the other one has left."""
    windows = Windows(*limits)
    taken = windows.take(NOON)
    headroom = windows.headroom(NOON)

    assert taken is getattr(windows, exhausted) if exhausted else taken == headroom
    assert left == (headroom.remaining_minute, headroom.remaining_day)


@pytest.mark.parametrize(
    ("mode", "passed", "left"),
    [
        pytest.param(LimiterMode.ENFORCE, [True, True, False], (0, 7), id="enforce"),
        pytest.param(LimiterMode.COUNT, [True, True, True], (0, 6), id="count"),
        pytest.param(LimiterMode.OFF, [True, True, True], (2, 9), id="off"),
    ],
)
def test_modes(mode: LimiterMode, passed: list[bool], left: tuple[int, int]) -> None:
    """`count` lets everything pass and still counts, never below zero; `off` doesn't count."""
    windows = Windows(limit_minute=2, limit_day=9, mode=mode)

    assert passed == taken(windows, NOON, NOON + 1, NOON + 2)
    headroom = windows.headroom(NOON + 3)
    assert left == (headroom.remaining_minute, headroom.remaining_day)


def test_a_clock_set_back_opens_a_window() -> None:
    """A moment before the current stretch isn't in it, so it begins another one."""
    windows = Windows(limit_minute=1, limit_day=9)

    assert [True, False, True] == taken(windows, NOON, NOON + 1, NOON - MINUTE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"minute": 3}, "minute must be between 0 and 2, got 3", id="over"),
        pytest.param({"minute": -1}, "minute must be between 0 and 2, got -1", id="under"),
        pytest.param({"minute": 1, "day": 10}, "day must be between 0 and 9", id="day"),
    ],
)
def test_refuses_impossible_headroom(change: dict[str, int], message: str) -> None:
    """What is left lies between nothing and the limit; a refused change changes nothing."""
    windows = Windows(limit_minute=2, limit_day=9)
    with pytest.raises(Misuse, match=message):
        windows.set_remaining(NOON, **change)

    assert Headroom(2, 2, 9, 9) == windows.headroom(NOON)


@pytest.mark.parametrize(
    ("limits", "name"), [((-1, 1), "limit_minute"), ((1, -1), "limit_day")], ids=["minute", "day"]
)
def test_refuses_negative_limits(limits: tuple[int, int], name: str) -> None:
    with pytest.raises(Misuse, match=f"{name} must be 0 or more, got -1"):
        Windows(*limits)


def test_lowered_limit_keeps_what_was_used() -> None:
    """A limit under what was used leaves nothing, and nothing below that."""
    windows = Windows(limit_minute=5, limit_day=9)
    taken(windows, NOON, NOON, NOON)
    windows.set_limits(minute=2)

    assert Headroom(2, 0, 9, 6) == windows.headroom(NOON)
    assert [False] == taken(windows, NOON)


def test_parallel_takes_are_exact() -> None:
    """From 32 threads exactly the limit passes, each with a headroom of its own."""
    windows = Windows(limit_minute=500, limit_day=1_000)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: windows.take(NOON), range(2_000)))
    passed = [taken.remaining_minute for taken in answers if isinstance(taken, Headroom)]

    assert list(range(500)) == sorted(passed)
    assert Headroom(500, 0, 1_000, 500) == windows.headroom(NOON)


# --- over HTTP --------------------------------------------------------------------------------------


@pytest.mark.shows(rules.HEADROOM, rules.LIMITS, rules.COUNTS_DOWN, rules.BOUNDS)
def test_reports_headroom(operation: Operation, new_tenant: NewTenant) -> None:
    """Each success reports both limits and what is left after itself, down to nothing."""
    due, reported = [], []
    for left in (3, 2, 1):
        tenant = new_tenant(limit_minute=3, limit_day=7)
        now = tenant.organization.clock.now()
        tenant.organization.windows.set_remaining(now, minute=left, day=left + 4)
        reported.append(tenant.call(operation).get_json()["_meta"]["_rate_limits"])
        remaining = {"remaining_minute": left - 1, "remaining_day": left + 3}
        due.append({"limit_minute": 3, "limit_day": 7} | remaining)

    assert due == reported


@pytest.mark.shows(rules.DEFAULT_LIMITS)
def test_default_limits(tenant: Tenant) -> None:
    """An organization for which nothing else is said has 1,000 a minute and 50,000 a day."""
    reported = tenant.call("listAccounts").get_json()["_meta"]["_rate_limits"]

    assert (1_000, 50_000) == (reported["limit_minute"], reported["limit_day"])
    assert (999, 49_999) == (reported["remaining_minute"], reported["remaining_day"])


@pytest.mark.shows(rules.MINUTE, rules.DAY, rules.NO_CREDIT_429)
def test_refuses_when_exhausted(operation: Operation, tenant: Tenant) -> None:
    """Either exhausted window is enough for 429, which costs nothing and changes nothing."""
    organization, records = tenant.organization, tenant.records()
    due, found = [], []
    for minute, day, rule in ((0, 9, rules.MINUTE), (9, 0, rules.DAY), (0, 0, rules.MINUTE)):
        organization.windows.set_remaining(organization.clock.now(), minute=minute, day=day)
        response = tenant.call(operation)
        due.append((429, rule.id, (minute, day)))
        found.append((response.status_code, response.headers["X-Mock-Rule"], tenant.left))

    assert due == found
    assert records == tenant.records()


@pytest.mark.shows(rules.SHARED_BY_ORG, rules.ORGS_INDEPENDENT)
def test_windows_belong_to_the_organization(new_tenant: NewTenant) -> None:
    """What one key spends is gone for the organization's others, and for nobody else."""
    busy, idle = new_tenant(limit_minute=2), new_tenant(limit_minute=2)
    second = busy.mint("api_accounts_list")
    statuses = [
        busy.call("listAccounts").status_code,
        busy.call("listAccounts", key=second).status_code,
        busy.call("listAccounts").status_code,
        busy.call("listAccounts", key=second).status_code,
        idle.call("listAccounts").status_code,
    ]

    assert [200, 200, 429, 429, 200] == statuses
    assert (1, 49_999) == idle.left


@pytest.fixture
def wall_clock(own_app: MockFlask) -> Iterator[FrozenDateTimeFactory]:
    """Stop the wall clock, which an application without a clock of its own follows."""
    with freeze_time("2026-01-31T12:00:00Z", ignore=["_pytest.timing"]) as frozen:
        own_app.mock.world.reset()
        assert isinstance(frozen, FrozenDateTimeFactory)
        yield frozen


def statuses_at(
    app: MockFlask, wall_clock: FrozenDateTimeFactory, moments: list[str], **limits: Any
) -> list[int]:
    """Return the status of one request at each moment."""
    world = app.mock.world
    organization = next(iter(world.organizations.values()))
    organization.windows = Windows(**limits)
    headers = {"X-API-Key": world.keys_of(organization)[0].secret}
    statuses = []
    for moment in moments:
        wall_clock.move_to(moment)
        statuses.append(app.test_client().get("/v1/accounts", headers=headers).status_code)
    return statuses


@pytest.mark.shows(rules.RECOVERS, rules.WINDOWS_INDEPENDENT)
@pytest.mark.parametrize(
    ("limits", "moments"),
    [
        pytest.param(
            {"limit_minute": 1},
            {"12:00:00": 200, "12:00:59.999": 429, "12:01:00": 200, "12:01:00.001": 429},
            id="minute",
        ),
        pytest.param(
            {"limit_minute": 2},
            {"12:00:58": 200, "12:00:59": 200, "12:01:00": 200, "12:01:01": 200, "12:01:59": 429},
            id="last-second-of-the-minute",
        ),
        pytest.param(
            {"limit_day": 1},
            {"12:00:00": 200, "12:01:00": 429, "13:00:00": 429, "23:59:59": 429},
            id="the-minute-does-not-restore-the-day",
        ),
        pytest.param(
            {"limit_day": 1, "rolling": True},
            {"12:30:00": 200, "12:31:00": 429, "23:59:59": 429},
            id="rolling-day",
        ),
        pytest.param(
            {"limit_minute": 1, "rolling": True},
            {"12:00:30": 200, "12:01:29.999": 429, "12:01:30": 200, "12:02:29": 429},
            id="rolling-minute",
        ),
    ],
)
def test_recovers_within_the_day(
    limits: dict[str, Any],
    moments: dict[str, int],
    own_app: MockFlask,
    wall_clock: FrozenDateTimeFactory,
) -> None:
    """Requests succeed again once the exhausted window has passed, and not before."""
    times = [f"2026-01-31T{moment}Z" for moment in moments]

    assert list(moments.values()) == statuses_at(own_app, wall_clock, times, **limits)


@pytest.mark.shows(rules.RECOVERS)
@pytest.mark.parametrize(
    ("rolling", "statuses"),
    [
        pytest.param(False, [200, 429, 200, 429, 200], id="fixed"),
        pytest.param(True, [200, 429, 429, 200, 429], id="rolling"),
    ],
)
def test_recovers_after_midnight(
    rolling: bool,
    statuses: list[int],
    own_app: MockFlask,
    wall_clock: FrozenDateTimeFactory,
) -> None:
    """The last second of a day and of a month still belongs to it; the fixed day begins at 00:00 UTC."""
    moments = [
        "2026-01-31T12:00:00Z",
        "2026-01-31T23:59:59.999Z",
        "2026-02-01T00:00:00Z",
        "2026-02-01T12:00:00Z",
        "2026-02-02T00:00:00Z",
    ]

    assert statuses == statuses_at(own_app, wall_clock, moments, limit_day=1, rolling=rolling)


@pytest.mark.shows(rules.RECOVERS, rules.NO_CREDIT_429)
def test_first_request_after_recovery(
    own_app: MockFlask, wall_clock: FrozenDateTimeFactory
) -> None:
    """It finds a whole window less itself, as if nobody had been refused meanwhile."""
    world = own_app.mock.world
    organization = next(iter(world.organizations.values()))
    organization.windows = Windows(limit_minute=3, limit_day=10)
    headers = {"X-API-Key": world.keys_of(organization)[0].secret}
    client = own_app.test_client()
    statuses = [client.get("/v1/accounts", headers=headers).status_code for _ in range(9)]
    wall_clock.tick(timedelta(minutes=1))
    after = client.get("/v1/accounts", headers=headers).get_json()["_meta"]["_rate_limits"]

    assert [200] * 3 + [429] * 6 == statuses
    assert (2, 6) == (after["remaining_minute"], after["remaining_day"])


@pytest.mark.parametrize(
    ("exhausted", "seconds"),
    [
        pytest.param("minute", 30, id="minute"),
        pytest.param("day", 43_170, id="day"),
    ],
)
def test_retry_after_on_request_only(exhausted: str, seconds: int, new_tenant: NewTenant) -> None:
    """Retry-After isn't documented: an organization that asks for it gets the seconds to recovery."""
    limits = {f"limit_{exhausted}": 0}
    told = new_tenant(retry_after=True, **limits).call("listAccounts")
    untold = new_tenant(**limits).call("listAccounts")

    assert (429, str(seconds)) == (told.status_code, told.headers["Retry-After"])
    assert (429, None) == (untold.status_code, untold.headers.get("Retry-After"))


def test_retry_after_waits_for_both_windows(new_tenant: NewTenant) -> None:
    """Where both are used up, a repeat after the minute would be refused again."""
    told = new_tenant(retry_after=True, limit_minute=0, limit_day=0).call("listAccounts")

    assert (429, "43170") == (told.status_code, told.headers["Retry-After"])


@pytest.mark.shows(rules.EXACT)
@pytest.mark.parametrize("form", ["Authorization", "X-API-Key"])
def test_exactly_the_limit_passes_in_parallel(
    form: str, server: MockServer, new_tenant: NewTenant
) -> None:
    """Of 200 requests from 32 threads exactly 50 pass, each with a headroom that no other reports."""
    tenant = new_tenant(limit_minute=50, limit_day=1_000)
    key = f"Bearer {tenant.key}" if form == "Authorization" else tenant.key

    def send(_: int) -> tuple[int, Any]:
        response = requests.get(f"{server.url}/v1/accounts", headers={form: key}, timeout=30)
        body = response.json()
        tenant.checker.check("GET", "/v1/accounts", response.status_code, response.headers, body)
        return response.status_code, body

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(send, range(200)))
    limits = [body["_meta"]["_rate_limits"] for code, body in answers if code == 200]

    assert list(range(50)) == sorted(limit["remaining_minute"] for limit in limits)
    assert list(range(950, 1_000)) == sorted(limit["remaining_day"] for limit in limits)
    assert [429] * 150 == [code for code, _ in answers if code != 200]
    assert (0, 950) == tenant.left


@pytest.mark.shows(rules.EXACT, rules.COUNTS_DOWN)
def test_every_headroom_is_reported_once(new_tenant: NewTenant) -> None:
    """20,000 requests from 16 threads: no two report the same headroom, and none is lost."""
    tenant = new_tenant(limit_minute=30_000, limit_day=50_000)
    wsgi_app = tenant.client.application.wsgi_app
    environ = EnvironBuilder("/v1/accounts", headers=[("X-API-Key", tenant.key)]).get_environ()

    def ask(_: int) -> tuple[int, int]:
        body = b"".join(wsgi_app(dict(environ), lambda *_: lambda _: None))
        limits = orjson.loads(body)["_meta"]["_rate_limits"]
        return limits["remaining_minute"], limits["remaining_day"]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # the threads meet in every step
    try:
        with ThreadPoolExecutor(16) as pool:
            left = sorted(pool.map(ask, range(20_000)))
    finally:
        sys.setswitchinterval(interval)

    assert [(minute, minute + 20_000) for minute in range(10_000, 30_000)] == left
    assert (10_000, 30_000) == tenant.left
