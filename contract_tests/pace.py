"""Requests at a pace that leaves an organization's windows some room, where a run may not use them up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from contract_tests.exchange import Exchange, Request, is_integer
from contract_tests.plan import DAY_SPENT, BudgetSpent
from mockserver.clock import MINUTE, real_time

_RESERVE = 16
"""Requests that are left to others in each window; a small window is used up to a quarter."""

_LONGEST_READ = 1_048_576
"""Bytes of an answer that are looked into; larger ones would cost more than they tell."""

_OTHERS = frozenset({"other", "unsubscribed", "past_due"})
"""The keys of a profile that belong to organizations of their own; the rest share one."""


class Pace:
    """Waits for the next minute where the present one is nearly used up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._left: dict[str, tuple[Mapping[str, Any], float]] = {}
        """The last headroom that each organization told, and when that was on the server's clock."""
        self._refused: dict[str, int] = {}
        """How often in a row each organization was told to ask less."""
        self.waited = 0.0
        """Seconds of all waits."""

    def before(self, request: Request) -> None:
        """Wait until ``request`` leaves some room in the minute. Raises ``BudgetSpent`` where the day leaves none."""
        owner = _owner_of(request)
        with self._lock:
            limits, at = self._left.get(owner, ({}, 0.0))
            if _is_nearly_spent(limits, "day"):
                raise BudgetSpent(DAY_SPENT)
            if not _is_nearly_spent(limits, "minute"):
                return
            del self._left[owner]  # only the next answer tells what is left then
            self._wait(MINUTE - at % MINUTE + 1)

    def may_repeat(self, refused: Exchange) -> bool:
        """Wait after a 429 that nobody asked for, and return whether to ask once more.

        First a moment, for whatever stands in front of the server, then until the next minute.
        Who is refused all the same gets no more patience until another answer comes.
        """
        owner = _owner_of(refused.request)
        with self._lock:
            times = self._refused[owner] = self._refused.get(owner, 0) + 1
            if times > 2:
                return False
            at = real_time() if refused.date is None else refused.date
            self._wait(_moment(refused) if times == 1 else MINUTE - at % MINUTE + 1)
            return not self._ended.is_set()

    def _wait(self, seconds: float) -> None:
        self._pause(seconds)
        self.waited += seconds

    def _pause(self, seconds: float) -> None:
        self._ended.wait(seconds)

    def end(self) -> None:
        """Let go whoever waits, and let nobody wait any more."""
        self._ended.set()

    def after(self, exchange: Exchange) -> None:
        """Take note of what an answer says is left."""
        if exchange.status != 429:
            self._refused.pop(_owner_of(exchange.request), None)
        if len(exchange.body) > _LONGEST_READ or not exchange.is_success:
            return
        if exchange.headroom is not None:
            at = real_time() if exchange.date is None else exchange.date
            self._left[_owner_of(exchange.request)] = exchange.rate_limits, at


def _owner_of(request: Request) -> str:
    names = [secret.name for _, _, secret in request.credentials]
    return next((name for name in names if name in _OTHERS), "")


def _moment(refused: Exchange) -> float:
    """Return the seconds that an answer asks to wait, where that is no more than a minute; else one."""
    asked = refused.headers.get("retry-after", "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 2 else 0
    return float(min(max(seconds, 1), MINUTE))


def _is_nearly_spent(limits: Mapping[str, Any], window: str) -> bool:
    left, limit = limits.get(f"remaining_{window}"), limits.get(f"limit_{window}")
    if not (is_integer(left) and is_integer(limit)):
        return False
    return left <= min(_RESERVE, limit // 4)
