"""An organization's two rate windows: both are taken from, or neither.

Fixed windows are aligned to the UTC minute and day; a rolling one opens with its first request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from mockserver.clock import DAY, MINUTE
from mockserver.errors import BadLimit

DEFAULT_LIMIT_MINUTE = 1_000
DEFAULT_LIMIT_DAY = 50_000


_NEVER = float("-inf")

Moment = float | Callable[[], float]
"""Seconds since the epoch, or the clock that says them once the windows are held.

Threads that read the clock before could come in the wrong order, and one would begin a stretch that was over.
"""


class LimiterMode(StrEnum):
    """What a limiter does with a request."""

    ENFORCE = "enforce"
    COUNT = "count"
    OFF = "off"


@dataclass(slots=True)  # not frozen: making one is a part of every request
class Headroom:
    """What is left of both windows, in requests."""

    limit_minute: int
    remaining_minute: int
    limit_day: int
    remaining_day: int


@dataclass(slots=True)
class Window:
    """A number of requests allowed in a stretch of time."""

    limit: int
    seconds: int
    rolling: bool = False
    used: int = 0
    opened: float = _NEVER
    """When the current stretch began, in seconds since the epoch."""

    def holds(self, now: float) -> bool:
        """Whether ``now`` is in the current stretch."""
        return self.opened <= now < self.opened + self.seconds

    def roll(self, now: float) -> None:
        """Begin a new stretch if the current one doesn't hold ``now``."""
        if self.holds(now):
            return
        self.opened = now if self.rolling else now - now % self.seconds
        self.used = 0

    @property
    def recovers(self) -> float:
        """When the next stretch begins, in seconds since the epoch."""
        return self.opened + self.seconds

    @property
    def remaining(self) -> int:
        """Requests left, never below zero (a limit may be lowered under what was used)."""
        left = self.limit - self.used
        return left if left > 0 else 0

    def left(self, now: float) -> int:
        """Return the requests that are left at ``now``: all of them where a new stretch would begin."""
        return self.remaining if self.holds(now) else self.limit


class Windows:
    """The minute and the day of one organization, taken from together under one short lock."""

    __slots__ = ("_counts", "_enforces", "_lock", "_mode", "day", "minute")

    def __init__(
        self,
        limit_minute: int = DEFAULT_LIMIT_MINUTE,
        limit_day: int = DEFAULT_LIMIT_DAY,
        mode: LimiterMode = LimiterMode.ENFORCE,
        *,
        rolling: bool = False,
    ) -> None:
        self.minute = Window(_limit("limit_minute", limit_minute), MINUTE, rolling)
        self.day = Window(_limit("limit_day", limit_day), DAY, rolling)
        self.mode = mode
        self._lock = threading.Lock()

    @property
    def mode(self) -> LimiterMode:
        """What is done with a request."""
        return self._mode

    @mode.setter
    def mode(self, mode: LimiterMode) -> None:
        self._mode = mode
        self._enforces, self._counts = mode is LimiterMode.ENFORCE, mode is not LimiterMode.OFF

    def take(self, now: Moment) -> Headroom | Window:
        """Take one request from both windows, and return the headroom after it.

        Where the request must be refused, nothing is taken, and the exhausted window is returned.
        """
        self._lock.acquire()  # `with` takes twice as long, at every request
        try:
            moment = now() if callable(now) else now
            minute, day = self.minute, self.day
            if not minute.opened <= moment < minute.opened + MINUTE:
                minute.roll(moment)
            if not day.opened <= moment < day.opened + DAY:
                day.roll(moment)
            left_minute, left_day = minute.limit - minute.used, day.limit - day.used
            if self._enforces and (left_minute <= 0 or left_day <= 0):
                return minute if left_minute <= 0 else day
            if self._counts:
                minute.used += 1
                day.used += 1
                left_minute -= 1
                left_day -= 1
            left_minute = left_minute if left_minute > 0 else 0
            left_day = left_day if left_day > 0 else 0
            return Headroom(minute.limit, left_minute, day.limit, left_day)
        finally:
            self._lock.release()

    def give_back(self, now: Moment) -> None:
        """Take back one request that turned out to be free, from those of its windows that still last."""
        with self._lock:
            moment = _told(now)
            for window in (self.minute, self.day):
                if self._counts and window.holds(moment):
                    window.used = max(0, window.used - 1)

    def headroom(self, now: Moment) -> Headroom:
        """Return what is left at ``now`` without taking anything; a rolling window isn't opened by a look."""
        with self._lock:
            moment, minute, day = _told(now), self.minute, self.day
            return Headroom(minute.limit, minute.left(moment), day.limit, day.left(moment))

    def roll(self, now: Moment) -> None:
        """Begin new stretches of fixed windows whose time has passed; a rolling one waits for its first request."""
        with self._lock:
            moment = _told(now)
            for window in (self.minute, self.day):
                if not window.rolling:
                    window.roll(moment)

    @property
    def have_room_at(self) -> float:
        """When no window is used up any more, in seconds since the epoch; in the past where none is."""
        room, minute, day = _NEVER, self.minute, self.day
        if minute.used >= minute.limit:
            room = minute.opened + MINUTE
        if day.used >= day.limit:
            room = max(room, day.opened + DAY)
        return room

    def set_remaining(
        self, now: Moment, *, minute: int | None = None, day: int | None = None
    ) -> None:
        """Leave exactly ``minute`` and ``day`` requests in the current windows.

        Raises ``BadLimit``, before anything changes, when a number isn't between 0 and the window's limit.
        """
        asked = (("minute", self.minute, minute), ("day", self.day, day))
        with self._lock:
            for name, window, left in asked:
                if left is not None and not 0 <= left <= window.limit:
                    raise BadLimit(
                        f"remaining {name} must be between 0 and {window.limit}, got {left}"
                    )
            moment = _told(now)
            for _, window, left in asked:
                if left is not None:
                    window.roll(moment)
                    window.used = window.limit - left

    def exhaust(self, now: Moment, *, minute: bool = False, day: bool = False) -> None:
        """Leave no request in the current windows that are named."""
        self.set_remaining(now, minute=0 if minute else None, day=0 if day else None)

    def set_limits(self, *, minute: int | None = None, day: int | None = None) -> None:
        """Change the limits; what was used stays used. Raises ``BadLimit`` on a negative limit."""
        with self._lock:
            new_minute = self.minute.limit if minute is None else _limit("limit_minute", minute)
            new_day = self.day.limit if day is None else _limit("limit_day", day)
            self.minute.limit, self.day.limit = new_minute, new_day

    def set_rolling(self, rolling: bool) -> None:
        """Let windows open with their first request, or with the UTC minute and day."""
        with self._lock:
            self.minute.rolling = self.day.rolling = rolling


def _told(now: Moment) -> float:
    return now() if callable(now) else now


def _limit(name: str, value: int) -> int:
    if value < 0:
        raise BadLimit(f"{name} must be 0 or more, got {value}")
    return value
