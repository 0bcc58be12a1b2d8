"""Who watches the journals as they are written: few listeners, each with a bounded queue.

A slow listener misses exchanges and is told how many; nobody who is answered ever waits for one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mockserver.errors import Misuse
from mockserver.journal import Exchange

MOST_LISTENERS = 16
"""Each takes a thread of the server, which has a bounded number, and one that hung up still does for a second."""

QUEUE = 256
"""Exchanges that wait for one listener."""

_PAUSE = 0.25
"""Seconds between two deliveries to one listener: waking it for each exchange would cost whoever is answered."""


class Busy(Misuse):
    """Raised when nobody else can listen now."""

    status = 503


@dataclass(frozen=True, slots=True)
class News:
    """What a listener gets at once."""

    exchanges: tuple[Exchange, ...]
    missed: int
    """Exchanges before these that it was too slow for."""


class Listener:
    """The queue of one listener."""

    __slots__ = ("_changed", "_ended", "_is_waiting", "_missed", "_pause", "_queue", "_wants")

    def __init__(self, wants: Callable[[Exchange], bool] | None) -> None:
        self._wants = wants
        self._queue: deque[Exchange] = deque(maxlen=QUEUE)
        self._missed = 0
        self._ended = False
        self._is_waiting = False
        self._pause = 0.0
        self._changed = threading.Condition()

    def offer(self, exchange: Exchange) -> None:
        """Put ``exchange`` into the queue, in the place of the oldest if that is full."""
        if self._wants is not None and not self._wants(exchange):
            return
        with self._changed:
            self._missed += len(self._queue) == QUEUE
            self._queue.append(exchange)
            if self._is_waiting:
                self._is_waiting = False
                self._changed.notify()

    def take(self, patience: float) -> News | None:
        """Return what waits, after at most ``patience`` seconds; ``None`` when there will be nothing more.

        Soon after the last exchanges it gathers more of them first, so that many calls wake it seldom.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended, self._pause)
            self._is_waiting = not self._queue
            self._changed.wait_for(lambda: self._ended or self._queue, patience)
            self._is_waiting = False
            if self._ended:
                return None
            news = News(tuple(self._queue), self._missed)
            self._pause = _PAUSE if news.exchanges else 0.0
            self._queue.clear()
            self._missed = 0
            return news

    def end(self) -> None:
        """Let the one go who waits."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


class Audience:
    """The listeners of one mock."""

    def __init__(self) -> None:
        self.listeners: tuple[Listener, ...] = ()
        """Replaced as a whole, so that whoever tells them something needs no lock."""
        self._lock = threading.Lock()
        self._closed = False
        self._is_over = False

    def tell(self, exchange: Exchange) -> None:
        """Offer ``exchange`` to everyone."""
        for listener in self.listeners:
            listener.offer(exchange)

    def join(self, wants: Callable[[Exchange], bool] | None) -> Listener:
        """Return a new listener for the exchanges that ``wants`` is true of, for all where that is ``None``. Raises ``Busy``."""
        listener = Listener(wants)
        with self._lock:
            if self._closed or self._is_over:
                raise Busy("the server is stopping")
            if len(self.listeners) >= MOST_LISTENERS:
                raise Busy(f"{MOST_LISTENERS} streams are open already; close one of them")
            self.listeners = (*self.listeners, listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget ``listener``, if it is still there."""
        with self._lock:
            self.listeners = tuple(one for one in self.listeners if one is not listener)

    def close(self) -> None:
        """Take no listener any more: nothing will happen here that one could be told."""
        self._is_over = True

    @contextmanager
    def dismissed(self) -> Iterator[None]:
        """End every listener, and take no other until the block ends."""
        with self._lock:
            self._closed = True
            for listener in self.listeners:
                listener.end()
        try:
            yield
        finally:
            self._closed = False
