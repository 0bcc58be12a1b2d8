"""The clock of a test's organization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver.clock import parse_time
from mockserver.errors import Misuse
from mockserver.testing.frames import says_all
from mockserver.testing.settings import Settings

__tracebackhide__ = says_all

Moment = datetime | str
"""A time: ISO 8601 text or a ``datetime``, both in UTC unless they say otherwise."""


class TestClock(Settings):
    """Moves one organization's time: its windows, key expiry, timestamps and fault lifetimes."""

    __test__ = False

    def __init__(self, call: Callable[[str, str, Any], Any]) -> None:
        self._call = call

    @property
    def now(self) -> datetime:
        """The organization's time."""
        return datetime.fromtimestamp(parse_time(self._call("GET", "/clock", None)["now"]), UTC)

    @property
    def mode(self) -> str:
        """``real``, ``shifted`` or ``frozen``."""
        return str(self._call("GET", "/clock", None)["mode"])

    def advance(
        self,
        seconds: float | timedelta | None = None,
        *,
        minutes: float | None = None,
        hours: float | None = None,
        days: float | None = None,
    ) -> None:
        """Move ahead; may stand in for a client's ``sleep``.

        Raises ``Misuse`` at a negative time, at none, and at what is no time.
        """
        span = _span(seconds, minutes, hours, days)
        if span < timedelta():
            raise Misuse(
                f"time only moves forward, got {span.total_seconds():g} seconds;"
                " make a new organization to start over"
            )
        self._call("POST", "/clock", {"advance": span.total_seconds()})

    def freeze(self, at: Moment | None = None) -> None:
        """Stand still, at ``at`` or at the present time. Raises ``Misuse`` when ``at`` is no time."""
        self._call("POST", "/clock", {"freeze": True if at is None else iso(at)})

    def run(self) -> None:
        """Let a frozen clock run on from where it stands."""
        self._call("POST", "/clock", {"run": True})

    def reset(self) -> None:
        """Return to real time."""
        self._call("POST", "/clock", {"reset": True})


def iso(moment: Moment) -> str:
    """Return ``moment`` as the control API takes it. Raises ``Misuse`` when it is of another type."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    if isinstance(moment, str):
        return moment
    raise Misuse(
        f"a time is a datetime, or text such as '2026-01-31T12:00:00Z'; got {ascii(moment)[:60]}"
    )


def _span(
    seconds: float | timedelta | None,
    minutes: float | None,
    hours: float | None,
    days: float | None,
) -> timedelta:
    """Return the sum of what is given. Raises ``Misuse`` when that is nothing, or no time."""
    if seconds is minutes is hours is days is None:
        raise Misuse("say how far time moves: advance(60), minutes=1, hours=1 or days=1")
    try:
        first = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds or 0)
        return first + timedelta(minutes=minutes or 0, hours=hours or 0, days=days or 0)
    except (TypeError, ValueError, OverflowError) as error:
        raise Misuse(f"that is no time to advance by: {error}") from None
