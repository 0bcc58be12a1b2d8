"""Sums over a window of time: totals, series of buckets, and the change against the window before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver.clock import DAY, isoformat, start_of_day, start_of_month
from mockserver.resources.dates import window_of
from mockserver.resources.scene import Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Record

Value = Callable[[Record], float]

_TWO_YEARS = 730
_LONGEST_DAILY = 92 * DAY
"""Windows up to a quarter come in days, longer ones in months (decision: upstream chooses)."""


@dataclass(frozen=True, slots=True)
class Span:
    """The records of a collection in a window, and in the window of equal length before it."""

    records: tuple[Record, ...]
    before: tuple[Record, ...]
    first: float
    last: float
    field: str
    """The field that holds a record's time."""

    def total(self, value: Value) -> float:
        """Return the sum of ``value`` over the window."""
        return round(sum(value(record) for record in self.records), 2)

    def delta(self, value: Value) -> float:
        """Return the change of the sum against the window before, in percent; 0 where that one is empty."""
        earlier = sum(value(record) for record in self.before)
        return round((self.total(value) - earlier) / earlier * 100, 1) if earlier else 0.0

    def change(self, value: Value) -> dict[str, Any]:
        """Return the whole-numbered total and its change."""
        return {"total": int(self.total(value)), "delta": self.delta(value)}

    @property
    def is_daily(self) -> bool:
        """Whether the window is short enough for buckets of a day."""
        return self.last - self.first <= _LONGEST_DAILY

    def series(self, value: Value, *, daily: bool | None = None) -> list[dict[str, Any]]:
        """Return one point per day or month of the window that the records reach, empty ones too."""
        daily = self.is_daily if daily is None else daily
        start_of = start_of_day if daily else start_of_month
        sums: dict[float, float] = {}
        if self.records:
            times = [timestamp(record, self.field) for record in self.records]
            sums = dict.fromkeys(_starts(start_of(min(times)), max(times), daily=daily), 0.0)
            for time, record in zip(times, self.records, strict=True):
                sums[start_of(time)] += value(record)
        return [{"date": isoformat(start), "count": _tidy(sum_)} for start, sum_ in sums.items()]


def span_of(scene: Scene, records: Iterable[Record], field: str, days: int = _TWO_YEARS) -> Span:
    """Return the records whose ``field`` lies in the window that the request asks for.

    Without a start it begins ``days`` ago.
    """
    first, last = window_of(scene.arguments, scene.now, days)
    length = last - first
    timed = [(timestamp(record, field), record) for record in records]
    return Span(
        records=tuple(record for time, record in timed if first <= time <= last),
        before=tuple(record for time, record in timed if first - length <= time < first),
        first=first,
        last=last,
        field=field,
    )


def one(_: Record) -> float:
    """Count a record."""
    return 1


def _tidy(number: float) -> float:
    rounded = round(number, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _starts(first: float, last: float, *, daily: bool) -> Iterable[float]:
    """Yield the start of each bucket from ``first`` on that begins no later than ``last``."""
    start = first
    while start <= last:
        yield start
        following = datetime.fromtimestamp(start, UTC) + timedelta(days=1 if daily else 32)
        start = following.timestamp() if daily else start_of_month(following.timestamp())
