"""The clock: real, shifted or frozen, and never back."""

from __future__ import annotations

import pytest
from freezegun import freeze_time

from mockserver.clock import Clock, isoformat, parse_instant, parse_time, start_of_day

NOON = parse_time("2026-01-31T12:00:00Z")


@pytest.fixture
def source() -> list[float]:
    """Return a real time that the test moves."""
    return [NOON]


@pytest.fixture
def clock(source: list[float]) -> Clock:
    return Clock(lambda: source[0])


def test_follows_its_source(clock: Clock, source: list[float]) -> None:
    source[0] += 5

    assert ("real", NOON + 5) == (clock.mode, clock.now())


def test_shifted_clock_runs_on(clock: Clock, source: list[float]) -> None:
    """Advancing adds up, and real time goes on beneath it."""
    clock.advance(60)
    clock.advance(0.5)
    source[0] += 5

    assert ("shifted", NOON + 65.5) == (clock.mode, clock.now())


def test_frozen_clock_stands(clock: Clock, source: list[float]) -> None:
    """It stands where it is or where it is put, and moves by hand only."""
    clock.freeze()
    source[0] += 5
    stood = clock.now()
    clock.freeze(NOON + 100)
    clock.advance(20)

    assert NOON == stood
    assert ("frozen", NOON + 120) == (clock.mode, clock.now())


def test_frozen_clock_runs_on_from_where_it_stands(clock: Clock, source: list[float]) -> None:
    clock.freeze(NOON + 100)
    source[0] += 5
    clock.run()
    source[0] += 5

    assert ("shifted", NOON + 105) == (clock.mode, clock.now())


def test_running_clock_is_not_disturbed_by_run(clock: Clock) -> None:
    clock.advance(60)
    clock.run()

    assert NOON + 60 == clock.now()


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "shifted"])
def test_reset_returns_to_real_time(frozen: bool, clock: Clock, source: list[float]) -> None:
    clock.advance(60)
    if frozen:
        clock.freeze()
    source[0] += 5
    clock.reset()

    assert ("real", NOON + 5) == (clock.mode, clock.now())


@pytest.mark.parametrize("seconds", [-1, -0.001, float("-inf"), float("nan")])
def test_refuses_to_go_back(seconds: float, clock: Clock) -> None:
    with pytest.raises(ValueError, match="time only moves forward"):
        clock.advance(seconds)

    assert NOON == clock.now()


def test_one_clock_over_another(clock: Clock) -> None:
    """An organization's clock adds its own shift to the world's."""
    own = Clock(clock.now)
    clock.advance(60)
    own.advance(30)

    assert (NOON + 60, NOON + 90) == (clock.now(), own.now())


def test_follows_freezegun() -> None:
    """A clock without a source asks for the time at each call, so freezegun moves it."""
    clock = Clock()
    with freeze_time("2026-01-31T12:00:00Z", ignore=["_pytest.timing"]) as frozen:
        before = clock.now()
        frozen.tick(60)

        assert (NOON, NOON + 60) == (before, clock.now())


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("2026-01-31T12:00:00Z", 0),
        ("2026-01-31T12:00:00", 0),
        ("2026-01-31 12:00:00", 0),
        ("2026-01-31T12:00:00+02:00", -7_200),
        ("2026-01-31T12:00:00.250Z", 0.25),
        ("2026-01-31", -43_200),
    ],
)
def test_parses_times(text: str, offset: float) -> None:
    """ISO 8601, in UTC unless it says otherwise."""
    assert NOON + offset == parse_time(text)


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01", "1769860800.5", "2026-01-31T25:00"])
def test_refuses_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|must be in"):
        parse_time(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (NOON, "2026-01-31T12:00:00+00:00"),
        (NOON + 0.999, "2026-01-31T12:00:00+00:00"),
        (0, "1970-01-01T00:00:00+00:00"),
    ],
)
def test_writes_times_in_whole_seconds(seconds: float, text: str) -> None:
    assert text == isoformat(seconds)


@pytest.mark.parametrize("offset", [0, 43_199.999, -43_200])
def test_start_of_day(offset: float) -> None:
    assert parse_time("2026-01-31") == start_of_day(NOON + offset)


@pytest.mark.parametrize(
    "text", ["1899-12-31T23:59:59Z", "5900-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"]
)
def test_no_clock_shows_instants_that_sums_would_leave_the_calendar_from(text: str) -> None:
    with pytest.raises(ValueError, match="before 1900 or after 5899"):
        parse_instant(text)


def test_first_and_last_instant_of_a_clock() -> None:
    for text in ("1900-01-01T00:00:00+00:00", "5899-12-31T23:59:59+00:00"):
        assert text == isoformat(parse_instant(text))
