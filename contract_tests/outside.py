"""Whether the headroom that one key is told counts down, seen from outside.

Others may use the same organization, and nobody says when its windows begin. So a headroom that didn't go
down is explained by a window that began anew; but a window of a minute can't begin twice within a minute.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import count

from contract_tests.exchange import Exchange, is_integer
from contract_tests.observe import Judge
from mockserver import rules
from mockserver.clock import DAY, MINUTE, stopwatch

WINDOWS = {"minute": MINUTE, "day": DAY}


@dataclass(frozen=True, slots=True)
class Mark:
    """What one answer said of both windows, and when it can have been counted."""

    began: int
    ended: int
    """The order of events: one exchange follows another if it began after the other had ended."""
    earliest: float
    latest: float
    sent: float
    received: float
    """The same by one's own stopwatch, which runs on where a server's several clocks disagree."""
    limits: dict[str, object]

    def follows(self, other: Mark) -> bool:
        """Whether this was certainly counted after ``other``."""
        return self.began > other.ended

    def left(self, window: str) -> int | None:
        """Return the headroom of a window, if the answer says it in integers."""
        value = self.limits.get(f"remaining_{window}")
        return value if is_integer(value) else None


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was known of a key when its request began."""

    key: str | None
    began: int
    sent: float
    before: Mark | None


@dataclass(frozen=True, slots=True)
class _Renewal:
    """A window that must have begun anew between two answers."""

    before: Mark
    after: Mark


class Headrooms:
    """The latest answer of each key, and when its windows last began anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events = count(1)
        self._latest: dict[str, Mark] = {}
        self._renewals: dict[tuple[str, str], _Renewal] = {}

    def begin(self, key: str | None) -> Ticket:
        """Note that a request of ``key`` begins."""
        with self._lock:
            before = self._latest.get(key) if key else None
            return Ticket(key, next(self._events), stopwatch(), before)

    def end(
        self,
        ticket: Ticket,
        limits: dict[str, object],
        earliest: float,
        latest: float,
        judge: Judge,
    ) -> None:
        """Judge what a success says of its windows against what was known when its request began."""
        if ticket.key is None:
            return
        with self._lock:
            mark = Mark(
                ticket.began, next(self._events), earliest, latest, ticket.sent, stopwatch(), limits
            )
            self._latest[ticket.key] = mark
            if ticket.before is None or not _comparable(ticket.before, mark):
                return
            found = [self._contradiction(ticket.key, w, ticket.before, mark) for w in WINDOWS]
        problems = [text for text in found if text]
        if problems:
            allowed = "a headroom that goes down with each request until its window ends"
            judge.require(rules.COUNTS_DOWN, False, allowed, "; ".join(problems))
        elif _by_one(ticket.before, mark):
            judge.require(rules.COUNTS_DOWN, True, "")

    def _contradiction(self, key: str, window: str, before: Mark, mark: Mark) -> str:
        """Say what is wrong if ``window`` would have to begin a second time within its length."""
        old, new = before.left(window), mark.left(window)
        # At zero it can't go down any further, whether or not the limit is enforced.
        if old is None or new is None or new < old or new == 0:
            return ""
        known = self._renewals.get((key, window))
        self._renewals[key, window] = _Renewal(before, mark)
        if known is None or _apart(known.before, mark) >= WINDOWS[window]:
            return ""
        if before is not known.after and not before.follows(known.after):
            return ""  # answers of requests that were under way together may tell of the same beginning
        return (
            f"remaining_{window} {new} after {old}, and it had risen or stayed"
            f" within the same {window} before"
        )


def _comparable(before: Mark, mark: Mark) -> bool:
    """Whether the organization's limits are the same as before; whoever moves them moves the headroom."""
    names = ("limit_minute", "limit_day")
    return all(before.limits.get(name) == mark.limits.get(name) for name in names)


def _apart(before: Mark, mark: Mark) -> float:
    """Return the most seconds that two answers can be apart, by the server's clock or by one's own.

    The first may have been moved, and may be several that disagree.
    """
    return max(mark.latest - before.earliest, mark.received - before.sent)


def _by_one(before: Mark, mark: Mark) -> bool:
    """Whether both windows went down by exactly one; by more, and others have used them too."""
    pairs = [(before.left(window), mark.left(window)) for window in WINDOWS]
    return all(old is not None and new is not None and old - new == 1 for old, new in pairs)


def when_counted(exchange: Exchange, took: float, now: float) -> tuple[float, float]:
    """Return the earliest and the latest time at which the request can have been counted."""
    whole = exchange.date  # of a second that may be nearly over
    return (now - took, now) if whole is None else (whole - took, whole + 1)
