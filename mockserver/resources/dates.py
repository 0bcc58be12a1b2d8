"""Dates of query parameters: their formats, and the windows that operations look at."""

from __future__ import annotations

from datetime import UTC, datetime

from mockserver import rules
from mockserver.clock import DAY, isoformat, parse_time, start_of_day
from mockserver.envelope import Refused
from mockserver.validation import Arguments

_TWO_YEARS = 730


def parse_query_date(text: str) -> float:
    """Return the seconds since the epoch of a date that matches the contract's ``QueryDate``."""
    moment = datetime.fromisoformat(text.upper())
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def is_day(text: str) -> bool:
    """Whether a query date names a whole day."""
    return len(text) == len("2026-01-31")


def window_of(arguments: Arguments, now: float, days: int = _TWO_YEARS) -> tuple[float, float]:
    """Return the start and the end, both included, that ``start_date`` and ``end_date`` ask for.

    Defaults (reference pages): ``days`` ago, two years where nothing else is said, and the end of today.
    """
    start, end = arguments.query.get("start_date"), arguments.query.get("end_date")
    first = parse_query_date(start) if start else now - days * DAY
    last = parse_query_date(end) if end else start_of_day(now) + DAY - 1
    if end and is_day(end):
        last += DAY - 1
    return first, last


def span_of_dates(arguments: Arguments, now: float, *, days: int) -> tuple[float, float]:
    """Return the window of operations that look back ``days`` days from now unless it is said."""
    start, end = arguments.query.get("start_date"), arguments.query.get("end_date")
    return (
        parse_query_date(start) if start else now - days * DAY,
        parse_query_date(end) if end else now,
    )


def query_date(seconds: float) -> str:
    """Return a time as the pages write it in a query: ``YYYY-MM-DD HH:MM:SS``, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def body_time(name: str, text: str) -> float:
    """Return the seconds since the epoch of a body's time.

    Raises ``Refused`` (400) when it can't be told as a time of this era.
    """
    try:
        seconds = parse_time(text.upper().replace(":60", ":59"))
        isoformat(seconds)
    except (ValueError, OverflowError, OSError):
        raise Refused(rules.BAD_BODY, f"{name} is no time between the years 1 and 9999.") from None
    return seconds
