"""Clients that ask at the same time, each over a connection of its own that stays open."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

from mockserver.clock import stopwatch


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a burst."""

    what: str
    """What kind of request it is, for the model."""
    method: str
    path: str
    key: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and when it was asked for and there, by the stopwatch."""

    ask: Ask
    client: int
    status: int
    body: Any
    began: float
    ended: float

    @property
    def left(self) -> tuple[int, int]:
        """What it reports to be left of the minute and the day."""
        limits = self.body["_meta"]["_rate_limits"]
        return limits["remaining_minute"], limits["remaining_day"]


class Clients:
    """A number of clients of one server."""

    def __init__(self, url: str, count: int) -> None:
        parts = urlsplit(url)
        self._connections = [
            HTTPConnection(str(parts.hostname), parts.port, timeout=30) for _ in range(count)
        ]
        self._pool = ThreadPoolExecutor(count)
        self.count = count

    def close(self) -> None:
        """Close every connection."""
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def burst(self, asks: Sequence[Ask]) -> list[Answer]:
        """Deal ``asks`` out, let all clients begin at once, and return the answers of each in order."""
        hands = [asks[first :: self.count] for first in range(self.count)]
        barrier = Barrier(self.count)
        with often_switching():
            dealt = list(
                self._pool.map(self._play, range(self.count), hands, [barrier] * self.count)
            )
        return [answer for answers in dealt for answer in answers]

    def _play(self, client: int, hand: Sequence[Ask], barrier: Barrier) -> list[Answer]:
        barrier.wait()
        return [self._one(client, ask) for ask in hand]

    def _one(self, client: int, ask: Ask) -> Answer:
        headers = {"X-Client": str(client), "Authorization": f"Bearer {ask.key}"}
        body = None if ask.body is None else json.dumps(ask.body)
        if body is not None:
            headers["Content-Type"] = "application/json"
        began = stopwatch()
        connection = self._connections[client]
        connection.request(ask.method, ask.path, body, headers)
        response = connection.getresponse()
        found = json.loads(response.read())
        return Answer(ask, client, response.status, found, began, stopwatch())


@contextmanager
def often_switching() -> Iterator[None]:
    """Let the threads of this process, the server's among them, meet in every step."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)
