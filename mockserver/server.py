"""The mock behind a port."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from mockserver.errors import Unavailable
from mockserver.serving.loop import Bounds, Loop, most_files

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_BACKLOG = 1_024
"""Connections that the system holds until they are taken; the others would have to ask again."""

_COLLECTED = (10_000, 20, 100)
"""When Python looks for cycles in what is young, older and old: records make none, and there may be many of them."""

_LAST_ANSWERS = 1.0
"""Seconds that answers under way have when the server stops."""


class MockServer:
    """A WSGI application behind a port, in threads that don't keep the process from ending."""

    def __init__(
        self,
        app: WSGIApplication,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        most_threads: int = 128,
        most_connections: int | None = None,
        timeout: float = 10.0,
    ) -> None:
        """Prepare a server of ``app``; port 0 takes any free one.

        ``most_threads`` bounds the requests that may wait for something at a time, a planted latency or
        a large body, and ``most_connections`` the clients, which by default the open files of the process
        do; ``timeout`` is the seconds of silence in the middle of something that are accepted.
        """
        self._app = app
        self._address = host, port
        self._bounds = Bounds(most_threads, most_connections or most_files(), timeout)
        self._loop: Loop | None = None
        self._is_stopped = threading.Event()

    def bind(self) -> None:
        """Take the port. Raises ``Unavailable`` when it can't be had."""
        host, port = self._address
        try:
            listener = _listener(host, port)
        except (OSError, OverflowError, UnicodeError) as error:  # a name that no address can be
            reason = str(error).splitlines()[0]
            raise Unavailable(
                f"port {port} on {host} can't be had: {reason}; choose another with --host or --port"
            ) from None
        self._address = host, listener.getsockname()[1]
        self._loop = Loop(self._app, listener, self._bounds)

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:4010``."""
        host, port = self._address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def thread_count(self) -> int:
        """The threads that the server has now."""
        return 0 if self._loop is None else self._loop.thread_count

    def start(self) -> MockServer:
        """Take the port and answer requests from now on; returns the server itself."""
        if self._loop is None:
            self.bind()
        assert self._loop is not None  # noqa: S101 - bind made it
        self._loop.start()
        return self

    def wait(self) -> None:
        """Return when somebody has stopped the server."""
        self._is_stopped.wait()

    def stop(self) -> None:
        """Stop answering and give the port back; delayed answers go out at once, and streams end."""
        mock = getattr(self._app, "mock", None)
        if self._loop is not None:
            with nullcontext() if mock is None else mock.released():
                self._loop.stop(_LAST_ANSWERS)
        self._is_stopped.set()

    def __enter__(self) -> MockServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises ``OSError``."""
    # Told as text, even an address would be looked up in the tables for names in other scripts.
    name = host.encode() if host.isascii() else host
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, *_, address = found[0]
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)


def serve_forever(server: MockServer, announce: Callable[[str], None]) -> None:
    """Bind ``server``, call ``announce`` once it answers, and serve until interrupted."""
    server.bind()
    try:
        server.start()
        gc.freeze()  # what the application is made of stays: the collector needn't look at it
        gc.set_threshold(*_COLLECTED)
        announce(server.url)
        server.wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
