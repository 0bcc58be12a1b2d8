"""The one source of time: windows, key expiry, timestamps and fault lifetimes all ask here.

This module imports nothing of ours.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache, partial

# Wrapped, so that freezegun doesn't find it: it would stop the stopwatch, at another moment for each depth of the stack.
stopwatch = partial(time.monotonic)
"""Returns seconds of real time that no mode of a clock moves, to measure pauses with."""

real_time = partial(time.time)
"""Returns the real seconds since the epoch, which neither a clock nor freezegun moves."""

MINUTE = 60
DAY = 86_400

EARLIEST, LATEST = -2_208_988_800.0, 124_018_819_200.0
"""The years 1900 and 5900: whatever is added to a time between them is still a date that Python can write."""


def _present() -> float:
    """Return the present time, by what freezegun may have put in the place of `time.time`."""
    return time.time()


class TimeReversed(ValueError):
    """Raised when a clock would be moved back; the text says what to do instead."""


class Clock:
    """A clock that runs with real time, runs shifted from it, or stands still.

    Its setting is one value, so that whoever asks while it is moved sees it as it was or as it is.
    ``source`` gives the real time in seconds since the epoch.
    Without one it is looked up at each call, so freezegun in the same process moves every running clock.
    """

    __slots__ = ("_lock", "_setting", "_source")

    def __init__(self, source: Callable[[], float] | None = None) -> None:
        self._source = source or _present
        self._setting: tuple[float, float | None] = (0.0, None)
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        shift, frozen = self._setting
        return self._source() + shift if frozen is None else frozen

    @property
    def mode(self) -> str:
        """``real``, ``shifted`` or ``frozen``."""
        shift, frozen = self._setting
        if frozen is not None:
            return "frozen"
        return "shifted" if shift else "real"

    def freeze(self, at: float | None = None) -> None:
        """Stand still at ``at`` (seconds since the epoch), or at the present time."""
        with self._lock:
            self._setting = self._setting[0], self.now() if at is None else at

    def advance(self, seconds: float) -> None:
        """Move ahead by ``seconds``; a frozen clock stays frozen.

        Raises ``TimeReversed`` when ``seconds`` is negative: headroom that was spent can't be unspent.
        """
        if not seconds >= 0:
            raise TimeReversed(
                f"time only moves forward; {seconds:g} seconds would move it back, send 0 or more"
            )
        with self._lock:
            shift, frozen = self._setting
            if frozen is not None:
                self._setting = shift, frozen + seconds
            else:
                self._setting = shift + seconds, None

    def run(self) -> None:
        """Let a frozen clock run on from where it stands."""
        with self._lock:
            frozen = self._setting[1]
            if frozen is not None:
                self._setting = frozen - self._source(), None

    @property
    def setting(self) -> tuple[float, float | None]:
        """The shift in seconds, and the time at which it stands if it is frozen."""
        return self._setting

    def restore(self, shift: float, frozen: float | None) -> None:
        """Take up a ``setting``."""
        with self._lock:
            self._setting = shift, frozen

    def reset(self) -> None:
        """Return to real time."""
        self.restore(0.0, None)


@lru_cache(maxsize=256)
def http_date(seconds: int) -> str:
    """Return ``seconds`` since the epoch as the ``Date`` header writes it."""
    return formatdate(seconds, usegmt=True)


def isoformat(seconds: float) -> str:
    """Return ``seconds`` since the epoch as the API writes it: ISO 8601 with seconds and ``+00:00``."""
    return _isoformat(int(seconds))


@lru_cache(maxsize=256)
def _isoformat(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def parse_time(text: str) -> float:
    """Return the seconds since the epoch of an ISO 8601 ``text``; UTC unless it carries an offset.

    Raises ``ValueError`` when ``text`` is no such time.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_instant(text: str) -> float:
    """Return the same as ``parse_time`` for an instant that a clock may show.

    Raises ``ValueError`` also when ``text`` is before 1900 or after 5899.
    """
    seconds = parse_time(text)
    if not EARLIEST <= seconds < LATEST:
        raise ValueError("it is before 1900 or after 5899")
    return seconds


def start_of_day(seconds: float) -> float:
    """Return midnight UTC of the day that holds ``seconds``."""
    return seconds - seconds % DAY


def start_of_month(seconds: float) -> float:
    """Return midnight UTC of the first day of the month that holds ``seconds``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()
