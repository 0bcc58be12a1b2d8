"""Headroom from answer to answer: inside a window it only falls."""

from __future__ import annotations

import threading

from contract_tests.exchange import Exchange, Request
from contract_tests.observe import Judge
from contract_tests.outside import Headrooms, Ticket, when_counted
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.clock import DAY, MINUTE, Clock, stopwatch
from mockserver.contract import Operation


class Falling:
    """Compares each success of one key with the one before it, in the same thread.

    Whoever else uses the organization can only make headroom fall faster.
    """

    def __init__(self, *, held: bool = False) -> None:
        self._held = held
        """Whether the target's clock stands still, so that no window can end between two answers."""
        self._last = threading.local()

    def judge(self, ledger: Ledger, exchange: Exchange, operation: Operation) -> None:
        """Judge ``rate.counts-down`` by an answer, where the one before it fell into the same windows."""
        headroom = exchange.headroom
        if not exchange.is_success or headroom is None:
            return
        before: tuple[tuple[int, int], float | None] | None = getattr(self._last, "seen", None)
        at = exchange.date
        self._last.seen = (headroom, at)
        if before is None:
            return
        compared = [
            (old, new)
            for old, new, seconds in zip(before[0], headroom, (MINUTE, DAY), strict=True)
            if self._held or _same_window(before[1], at, seconds)
        ]
        if not compared:
            return
        if all(new < old for old, new in compared):
            ledger.keep(rules.COUNTS_DOWN, operation.label)
            return
        allowed = f"less than {before[0]}, what the answer before this one left"
        ledger.break_(Breach(rules.COUNTS_DOWN, operation.label, allowed, f"{headroom}", exchange))


def _same_window(before: float | None, now: float | None, seconds: int) -> bool:
    """Whether two answers surely fell into one window; at its edge nobody can tell from a Date."""
    if before is None or now is None or before // seconds != now // seconds:
        return False
    return all(1 <= at % seconds < seconds - 1 for at in (before, now))


class Rising:
    """Follows the headroom of each key through a whole run, on a clock that nobody holds.

    A headroom that rises is explained by a window that began anew, but not twice within the window's length.
    """

    def __init__(self) -> None:
        self._headrooms = Headrooms()
        self._clock = Clock()

    def begin(self, request: Request) -> tuple[Ticket, float]:
        """Note that a request is sent; returns what ``judge`` must be given with its answer."""
        keys = {secret.value for _, _, secret in request.credentials}
        return self._headrooms.begin(keys.pop() if len(keys) == 1 else None), stopwatch()

    def judge(
        self, begun: tuple[Ticket, float], ledger: Ledger, exchange: Exchange, operation: Operation
    ) -> None:
        """Judge ``rate.counts-down`` by what a success says, and by what was said before it."""
        ticket, since = begun
        limits = exchange.rate_limits
        if not exchange.is_success or not limits or operation.charges != 1:
            return
        earliest, latest = when_counted(exchange, stopwatch() - since, self._clock.now())
        judge = Judge(ledger, operation.label, exchange)
        self._headrooms.end(ticket, limits, earliest, latest, judge)
