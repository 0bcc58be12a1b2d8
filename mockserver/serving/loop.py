"""The threads of the server: one waits for all connections, the others wait for their turn or for something else."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from mockserver.clock import stopwatch
from mockserver.serving.connection import BLOCK, Connection, Straight

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger("mockserver")

_MOST_SPARE = 16
"""Threads that are kept though they have nothing to do."""

_TICK = 0.25
"""Seconds between two looks at which connections expire, at most."""

_ACCEPTED = 64
"""New connections that are taken at once, before the others are looked after."""

_TOGETHER = 16
"""Answers that are sent together. A client that waits is woken for the first, and finds the others there."""

_NO_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})

_MOST_FILES = 65_536
_FILES = 256
"""Files that are left to the rest of the process."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a server may use up."""

    threads: int
    connections: int
    timeout: float
    """Seconds of silence in the middle of something."""


class Loop:
    """Serves one application on one listening socket."""

    def __init__(
        self,
        app: WSGIApplication,
        listener: socket.socket,
        bounds: Bounds,
    ) -> None:
        self.app = app
        self.timeout = bounds.timeout
        self._bounds = bounds
        self.is_prompt = bool(getattr(app, "is_prompt", False))
        self.straight: Straight | None = getattr(app, "straight", None)
        self._listener = listener
        host, port = listener.getsockname()[:2]
        self.environ = _environ(host, port)
        # One for all: a new one for each request would be taken from the system and given back again.
        self.buffer = memoryview(bytearray(BLOCK))
        self._selector = selectors.DefaultSelector()
        self._waker, self._woken = socket.socketpair()
        self._lead = threading.Lock()
        """Held by the thread that waits for the connections, the leader."""
        self._leader: int | None = None
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._spare = 0
        """Threads that wait for the lead."""
        self._connections: dict[Connection, None] = {}
        """Those that the loop waits for."""
        self._outbox: deque[Connection] = deque()
        self._returned: deque[Connection] = deque()
        self._is_stopping = False
        self._next_sweep = 0.0

    def start(self) -> None:
        """Begin to serve, in threads that keep no process alive."""
        self._listener.setblocking(False)
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._woken, selectors.EVENT_READ, self._hush)
        with self._lock:
            self._add_thread()

    def stop(self, patience: float) -> None:
        """Take no more requests; answers under way have ``patience`` seconds to be sent."""
        self._is_stopping = True
        self._wake()
        until = stopwatch() + patience
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - stopwatch()))
        for connection in tuple(self._returned):
            connection.close()
        self._listener.close()
        self._waker.close()

    @property
    def thread_count(self) -> int:
        """The threads there are now."""
        return len(self._threads)

    # --- what connections call ---

    @property
    def has_thread(self) -> bool:
        """Whether a thread can be had for long; see ``Keeper``. The last ones are for the control API."""
        most = self._bounds.threads
        return self._spare + most - len(self._threads) > most // 8

    def step_aside(self, connection: Connection) -> bool:
        """Hand the lead to another thread, if there can be one; see ``Keeper``."""
        with self._lock:
            if not self._spare:
                if len(self._threads) >= self._bounds.threads:
                    return False
                self._add_thread()
        self.forget(connection)
        if self._returned:
            self._wake()  # this thread may have been about to take them
        self._leader = None
        self._lead.release()
        return True

    def take_back(self, connection: Connection) -> None:
        """Wait for ``connection`` again; see ``Keeper``."""
        self._returned.append(connection)
        if self._is_stopping:  # nobody may look there any more
            connection.close()
        self._wake()

    def send_soon(self, connection: Connection) -> None:
        """Send with the answers of the same turn; see ``Keeper``."""
        self._outbox.append(connection)

    def expect(self, connection: Connection, events: int) -> None:
        """Wait for ``events`` on ``connection``; see ``Keeper``."""
        self._selector.modify(connection.sock, events, self._reader(connection))

    def forget(self, connection: Connection) -> None:
        """Wait for ``connection`` no more; see ``Keeper``."""
        if connection in self._connections:
            del self._connections[connection]
            self._selector.unregister(connection.sock)

    # --- the life of a thread ---

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._live, name="fansmetric-mock", daemon=True)
        thread.start()
        self._threads.add(thread)

    def _live(self) -> None:
        while self._take_lead():
            self._serve_until_aside()
        with self._lock:
            self._threads.discard(threading.current_thread())

    def _take_lead(self) -> bool:
        """Wait for the lead; return whether there is anything to do with it."""
        with self._lock:
            if self._spare >= _MOST_SPARE:
                return False
            self._spare += 1
        self._lead.acquire()
        with self._lock:
            self._spare -= 1
        self._leader = threading.get_ident()
        if self._is_stopping:
            self._end()
            return False
        return True

    def _serve_until_aside(self) -> None:
        me = threading.get_ident()
        while self._leader == me:
            self._send_out(me)  # also what another thread left
            if self._leader != me:
                return
            events = self._selector.select(min(_TICK, self.timeout / 4))
            if self._is_stopping:
                self._end()
                return
            self._attend(events, me)

    def _attend(self, events: list[tuple[selectors.SelectorKey, int]], me: int) -> None:
        """Do what is to be done now, unless this thread steps aside; the next one finds it too."""
        for key, _ in events:
            key.data()
            if self._leader != me:
                return
            if len(self._outbox) >= _TOGETHER:
                self._send_out(me)
        # Last, for there may always be some: whoever was heard before comes back by this way only.
        self._take_in(me)
        if self._leader != me:
            return
        now = stopwatch()
        if now >= self._next_sweep:
            self._sweep(now)

    def _send_out(self, me: int) -> None:
        while self._outbox and self._leader == me:
            connection = self._outbox.popleft()
            self._tend(connection, connection.flush)

    def _end(self) -> None:
        """Close what nobody is answered on, and let the other threads find out."""
        for connection in self._outbox:
            self._tend(connection, connection.push)
        self._leader = None
        for connection in tuple(self._connections):
            connection.close()
        self._selector.close()
        self._listener.close()
        self._woken.close()
        self._lead.release()

    # --- what the leader does ---

    def _accept(self) -> None:
        for _turn in range(_ACCEPTED):
            try:
                sock, address = self._listener.accept()
            except OSError as error:  # there is none left, or its client is gone
                if error.errno in _NO_FILES:
                    self._make_room()
                return
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._hold(Connection(self, sock, address))
            except OSError:  # its client is gone again, which some systems say here
                sock.close()

    def _make_room(self) -> None:
        """Close the connection that was unused for longest, before the system's files run out.

        Of many, the 64th part: to look through all of them for each new one would hold up whoever is served.
        """
        now = stopwatch()
        found = [one for one in self._connections if one.is_unused(now)] or list(self._connections)
        for one in nsmallest(-(-len(found) // 64), found, key=attrgetter("since")):
            one.close()

    def _hush(self) -> None:
        """Forget that somebody woke this thread."""
        with suppress(BlockingIOError):
            self._woken.recv(4_096)

    def _take_in(self, me: int) -> None:
        """Take the connections that other threads are done with."""
        for _turn in range(len(self._returned)):
            connection = self._returned.popleft()
            if not connection.is_closed:
                self._tend(connection, partial(self._resume, connection))
            if self._leader != me:
                return

    def _resume(self, connection: Connection) -> None:
        connection.sock.setblocking(False)
        self._hold(connection)
        connection.proceed()

    def _hold(self, connection: Connection) -> None:
        if len(self._connections) >= self._bounds.connections:
            self._make_room()
        self._selector.register(connection.sock, selectors.EVENT_READ, self._reader(connection))
        self._connections[connection] = None

    def _reader(self, connection: Connection) -> Callable[[], None]:
        return partial(self._tend, connection, connection.ready)

    def _tend(self, connection: Connection, action: Callable[[], object]) -> None:
        """Do what a connection needs; if that fails for whatever reason, the others don't suffer."""
        try:
            action()
        except Exception:
            _log.exception("a connection failed")
            connection.close()

    def _sweep(self, now: float) -> None:
        """Give up the connections whose time is over."""
        self._next_sweep = now + min(_TICK, self.timeout / 4)
        late = [connection for connection in self._connections if now >= connection.deadline]
        if not late:
            return
        # Where this process was slow itself, what they sent in time may not have been read yet.
        heard = {key.fileobj for key, _ in self._selector.select(0)}
        me = threading.get_ident()
        for connection in late:
            if connection.sock not in heard:
                self._tend(connection, connection.expire)
                if self._leader != me:
                    return

    def _wake(self) -> None:
        with suppress(OSError):  # it is full, then it wakes anyway, or there is nobody left
            self._waker.send(b"\0")


def _environ(host: str, port: int) -> dict[str, Any]:
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.errors": sys.stderr,
        "wsgi.multiprocess": False,
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
    }


def most_files() -> int:
    """Return how many connections the system has files for."""
    try:
        import resource
    except ImportError:  # Windows, where `select` takes 512 sockets
        return 448
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(64, min(soft, _MOST_FILES) - _FILES)


def take_more_files() -> None:
    """Let this process open as many files as it may; for a process that does nothing but serve."""
    with suppress(ImportError, OSError, ValueError):  # Windows, or a system that says no
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < _MOST_FILES:
            wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
