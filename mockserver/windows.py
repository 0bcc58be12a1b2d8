"""An organization's two rate windows: both are taken from, or neither.

Fixed windows are aligned to the UTC minute and day; a rolling one opens with its first request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum

from mockserver.clock import DAY, MINUTE
from mockserver.errors import Misuse

DEFAULT_LIMIT_MINUTE = 1_000
DEFAULT_LIMIT_DAY = 50_000


class LimiterMode(StrEnum):
    """What a limiter does with a request."""

    ENFORCE = "enforce"
    COUNT = "count"
    OFF = "off"


@dataclass(frozen=True, slots=True)
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
    opened: float = float("-inf")
    """When the current stretch began, in seconds since the epoch."""

    def roll(self, now: float) -> None:
        """Begin a new stretch if the current one doesn't hold ``now``."""
        if self.opened <= now < self.opened + self.seconds:
            return
        self.opened = now if self.rolling else now - now % self.seconds
        self.used = 0

    @property
    def remaining(self) -> int:
        """Requests left, never below zero (a limit may be lowered under what was used)."""
        return max(0, self.limit - self.used)


class Windows:
    """The minute and the day of one organization, taken from together under one short lock."""

    __slots__ = ("_lock", "day", "minute", "mode")

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

    def take(self, now: float) -> tuple[Headroom, Window | None]:
        """Take one request from both windows.

        Returns the headroom after it and, when the request must be refused, the exhausted window:
        then nothing was taken.
        """
        with self._lock:
            self.minute.roll(now)
            self.day.roll(now)
            if self.mode is LimiterMode.ENFORCE:
                for window in (self.minute, self.day):
                    if window.used >= window.limit:
                        return self._headroom(), window
            if self.mode is not LimiterMode.OFF:
                self.minute.used += 1
                self.day.used += 1
            return self._headroom(), None

    def headroom(self, now: float) -> Headroom:
        """Return what is left at ``now`` without taking anything."""
        with self._lock:
            self.minute.roll(now)
            self.day.roll(now)
            return self._headroom()

    def set_remaining(
        self, now: float, *, minute: int | None = None, day: int | None = None
    ) -> None:
        """Leave exactly ``minute`` and ``day`` requests in the current windows.

        Raises ``Misuse`` when a number isn't between 0 and the window's limit.
        """
        with self._lock:
            for name, window, left in (("minute", self.minute, minute), ("day", self.day, day)):
                if left is None:
                    continue
                if not 0 <= left <= window.limit:
                    raise Misuse(
                        f"remaining {name} must be between 0 and {window.limit}, got {left}"
                    )
                window.roll(now)
                window.used = window.limit - left

    def set_limits(self, *, minute: int | None = None, day: int | None = None) -> None:
        """Change the limits; what was used stays used. Raises ``Misuse`` on a negative limit."""
        with self._lock:
            if minute is not None:
                self.minute.limit = _limit("limit_minute", minute)
            if day is not None:
                self.day.limit = _limit("limit_day", day)

    def _headroom(self) -> Headroom:
        minute, day = self.minute, self.day
        return Headroom(minute.limit, minute.remaining, day.limit, day.remaining)


def _limit(name: str, value: int) -> int:
    if value < 0:
        raise Misuse(f"{name} must be 0 or more, got {value}")
    return value
