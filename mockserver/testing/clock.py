"""The clock of a test's organization."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver.clock import parse_time
from mockserver.errors import Misuse

Moment = datetime | str
"""A time: ISO 8601 text or a ``datetime``, both in UTC unless they say otherwise."""


class TestClock:
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
        seconds: float | timedelta = 0,
        *,
        minutes: float = 0,
        hours: float = 0,
        days: float = 0,
    ) -> None:
        """Move ahead; may stand in for a client's ``sleep``. Raises ``Misuse`` at a negative time."""
        span = seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)
        span += timedelta(minutes=minutes, hours=hours, days=days)
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
    """Return ``moment`` as the control API takes it."""
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return moment
