"""The HTTP server under the mock: cheroot, with connections of our own and threads that nobody can use up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from cheroot.wsgi import Server

from mockserver.clock import real_time
from mockserver.connection import Connection, Tally
from mockserver.errors import Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_MOST_IDLE = 512
"""Idle connections; with one more, all that are idle are closed before the system's files run out."""

_MOST_THREADS = 128
_BACKLOG = 128
"""Connections that the system holds until they are taken; the others would have to ask again."""

_MAX_HEADERS = 65_536


class _Server(Server):
    ConnectionClass = Connection
    max_request_header_size = _MAX_HEADERS
    expiration_interval = 0.05
    """Seconds between two looks at whether to stop."""
    keep_alive_conn_limit = _MOST_IDLE
    _connections: Any  # missing in cheroot's stubs

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.in_hand = Tally()

    def process_conn(self, conn: Connection) -> None:
        """Give a connection to a worker once it sends something; a silent one would hold it back."""
        if conn.last_used is None:
            if not self.can_add_keepalive_connection:
                self._connections._expire(float("inf"))
            self._connections.put(conn)
            # cheroot looks for idle connections by the real time, and would note freezegun's here.
            conn.last_used = real_time()
            return
        # Slow clients and delayed answers keep workers busy; others shouldn't wait for them.
        if self.in_hand.up() > len(self.requests._threads):
            self.requests.grow(1)
        super().process_conn(conn)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Drop the line: clients that hang up are no news, and the application logs its own errors."""


class MockServer:
    """The mock behind a port, in threads of this process."""

    def __init__(
        self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, threads: int = 16
    ) -> None:
        """Prepare a server of ``app``; port 0 takes any free one."""
        self._server = _Server(
            (host, port),
            app,
            numthreads=threads,
            server_name="mock",
            shutdown_timeout=1,
            max=max(threads, _MOST_THREADS),
            request_queue_size=_BACKLOG,
        )
        self._thread: threading.Thread | None = None

    def bind(self) -> None:
        """Take the port. Raises ``Unavailable`` when it can't be had."""
        host, port = self._server.bind_addr[:2]
        failed: list[Exception] = []

        def prepare() -> None:
            try:
                self._server.prepare()
            except Exception as error:
                failed.append(error)

        # Workers are as daemonic as the thread that starts them; others would keep a process that
        # forgot to stop the server from ending.
        starter = threading.Thread(target=prepare, name="fansmetric-mock-start", daemon=True)
        starter.start()
        starter.join()
        for error in failed:
            if not isinstance(error, OSError):
                raise error
            reason = str(error).splitlines()[0]
            raise Unavailable(
                f"port {port} on {host} can't be had: {reason}; choose another with --port"
            )

    @property
    def url(self) -> str:
        """The base URL, such as ``http://127.0.0.1:4010``."""
        host, port = self._server.bind_addr[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def serve(self) -> None:
        """Answer requests until ``stop`` is called or the process is interrupted."""
        self._server.serve()

    def start(self) -> MockServer:
        """Take the port and answer in a thread of its own; returns the server itself."""
        self.bind()
        self._thread = threading.Thread(target=self.serve, name="fansmetric-mock", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and give the port back; delayed answers go out at once, and streams end."""
        mock = getattr(self._server.wsgi_app, "mock", None)
        with nullcontext() if mock is None else mock.released():
            self._server.stop()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def __enter__(self) -> MockServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve_forever(server: MockServer, announce: Callable[[str], None]) -> None:
    """Bind ``server``, call ``announce`` once it answers, and serve until interrupted."""
    server.bind()
    try:
        announce(server.url)
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()
