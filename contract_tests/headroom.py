"""Headroom from answer to answer: inside a window it only falls."""

from __future__ import annotations

import threading

from contract_tests.exchange import Exchange, Request
from contract_tests.observe import Judge
from contract_tests.outside import Headrooms, Ticket, when_counted
from contract_tests.verdicts import Ledger
from mockserver import rules
from mockserver.clock import Clock, stopwatch
from mockserver.contract import Operation


class Falling:
    """Compares each success of one key with the one before it, in the same thread.

    Whoever else uses the organization can only make headroom fall faster. On a clock that nobody holds a window
    may begin anew in between, at any second, but not twice within its length.
    """

    def __init__(self, *, held: bool = False) -> None:
        self._held = held
        """Whether the target's clock stands still, so that no window can end between two answers."""
        self._known = threading.local()

    def judge(self, ledger: Ledger, exchange: Exchange, operation: Operation) -> None:
        """Judge ``rate.counts-down`` by an answer and those before it."""
        headroom = exchange.headroom
        if not exchange.is_success or headroom is None:
            return
        judge = Judge(ledger, operation.label, exchange)
        if self._held:
            self._judge_held(judge, headroom)
        elif exchange.date is not None:
            self._judge_running(judge, exchange, exchange.date)

    def _judge_held(self, judge: Judge, headroom: tuple[int, int]) -> None:
        before: tuple[int, int] | None = getattr(self._known, "headroom", None)
        self._known.headroom = headroom
        if before is not None:
            falls = all(new < old for old, new in zip(before, headroom, strict=True))
            allowed = f"less than {before}, what the answer before this one left"
            judge.require(rules.COUNTS_DOWN, falls, allowed, f"{headroom}")

    def _judge_running(self, judge: Judge, exchange: Exchange, at: float) -> None:
        headrooms: Headrooms | None = getattr(self._known, "headrooms", None)
        if headrooms is None:
            headrooms = self._known.headrooms = Headrooms()
        ticket = headrooms.begin("\n".join(sorted(exchange.secrets)) or "none")
        headrooms.end(ticket, exchange.rate_limits, at - 1, at + 1, judge)


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
