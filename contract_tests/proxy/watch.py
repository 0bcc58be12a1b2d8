"""Judging what passes through, in the thread that passes it on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from contract_tests.exchange import Exchange
from contract_tests.observe import Judge, observe
from contract_tests.outside import Headrooms, Ticket, when_counted
from contract_tests.proxy.headers import Headers
from contract_tests.proxy.judge import JUDGES
from contract_tests.proxy.ledger import OBSERVED, LiveLedger, Tell, one_line
from contract_tests.proxy.seen import (
    Keyring,
    Presented,
    Seen,
    presented,
    shown_request,
)
from mockserver import rules
from mockserver.clock import Clock, stopwatch
from mockserver.contract import Contract, Operation, Schemas
from mockserver.contract.build import METHODS
from mockserver.envelope import Refused
from mockserver.routing import Router
from mockserver.rules import Rule

_METHODS = frozenset(method.upper() for method in METHODS)


@dataclass(frozen=True, slots=True)
class Passing:
    """A request that is on its way, and what the watcher knows of it."""

    method: str
    path: str
    """The path and the query, as sent."""
    headers: Headers
    operation: Operation | None
    methods: frozenset[str] | None
    keys: Presented
    ticket: Ticket
    began: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, decoded, and what was sent to get it."""

    status: int
    headers: Headers
    body: bytes
    sent: bytes
    """The request's body, cut after 1 MiB and a byte."""
    size: int
    """Bytes of the request's body."""


class Watcher:
    """Finds each exchange's operation and judges it; counts what it can't judge."""

    def __init__(self, contract: Contract, tell: Tell) -> None:
        self.ledger = LiveLedger(tell)
        self.answered = 0
        """Exchanges that came to their end."""
        self.unanswered = 0
        """Requests that the server gave no whole answer to."""
        self._tell = tell
        self._router = Router(contract)
        self._schemas = Schemas(contract.document)
        self._keyring = Keyring()
        self._headrooms = Headrooms()
        self._clock = Clock()
        self._lock = threading.Lock()

    def begin(self, method: str, path: str, decoded: str, headers: Headers) -> Passing:
        """Note that a request begins; ``decoded`` is its path as the contract's routes are written."""
        operation, methods = self._route(method, decoded)
        keys = presented(headers, self._keyring)
        ticket = self._headrooms.begin(keys.key)
        return Passing(method, path, headers, operation, methods, keys, ticket, stopwatch())

    def fail(self, passing: Passing, reason: str) -> None:
        """Note that the server gave no whole answer; that judges nothing."""
        with self._lock:
            self.unanswered += 1
        place = passing.operation.label if passing.operation else passing.method
        self._tell(one_line(f"no answer to {place}: {reason}"))

    def end(self, passing: Passing, answer: Answer | None, took: float) -> None:
        """Judge an exchange; ``None`` stands for an answer that can't be read, ``took`` is its time in seconds.

        Never raises: whatever goes wrong here is the suite's fault, and recorded as such.
        """
        with self._lock:
            self.answered += 1
        if answer is None or passing.method not in _METHODS or answer.status == 206:
            return  # no body of its own, or only a part of one
        request = shown_request(
            passing.method, passing.path, passing.headers, passing.keys, answer.sent
        )
        headers = {name.lower(): value for name, value in answer.headers}
        exchange = Exchange(request, answer.status, headers, answer.body, passing.keys.values)
        seen = Seen(exchange, passing.operation, passing.methods, passing.keys, answer.size)
        judge = Judge(self.ledger, seen.label, exchange)
        self._guarded(OBSERVED, seen, lambda: self._observe(seen))
        self._guarded(
            (rules.COUNTS_DOWN,), seen, lambda: self._judge_headroom(passing, seen, judge, took)
        )
        for judge_part, judged in JUDGES:
            self._guarded(judged, seen, lambda part=judge_part: part(judge, seen))  # type: ignore[misc]  # the default binds the loop's value

    def _observe(self, seen: Seen) -> None:
        if seen.operation is not None:
            observe(self.ledger, self._schemas, seen.exchange, seen.operation)

    def _judge_headroom(self, passing: Passing, seen: Seen, judge: Judge, took: float) -> None:
        operation, limits = seen.operation, seen.exchange.rate_limits
        charged = operation is not None and operation.authenticated and operation.charges == 1
        if not charged or not seen.exchange.is_success or not limits:
            return
        earliest, latest = when_counted(seen.exchange, took, self._clock.now())
        self._headrooms.end(passing.ticket, limits, earliest, latest, judge)

    def _guarded(self, judged: Iterable[Rule], seen: Seen, judging: Callable[[], None]) -> None:
        try:
            judging()
        except Exception as error:  # a broken judge must not break the traffic
            # The text of the error may quote the answer; its kind is enough.
            for rule in judged:
                self.ledger.fail(rule, f"{seen.label}: {type(error).__name__}")

    def _route(self, method: str, path: str) -> tuple[Operation | None, frozenset[str] | None]:
        try:
            matched = self._router.match(method, path)
        except Refused as refused:
            allowed = dict(refused.headers)["Allow"]
            return None, frozenset(allowed.split(", "))
        return (matched[0], None) if matched else (None, None)
