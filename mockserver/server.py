"""The HTTP server under the mock: cheroot, made to answer every refusal of its own with the flat body."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

import orjson
from cheroot.server import ChunkedRFile, HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from mockserver.envelope import JSON_TYPE
from mockserver.errors import Unavailable
from mockserver.spoil import BrokenOff

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_DRAIN = 4 * 1_048_576
"""Bytes of an unread body that are read before its connection is used again or closed."""

_PATIENCE = 0.5
"""Seconds that a client has for each further piece of a body that nobody reads."""

_MAX_HEADERS = 65_536
_BLOCK = 65_536


class FlatRequest(HTTPRequest):
    """A request whose refusals are flat JSON, and whose unread body never poisons the connection."""

    def simple_response(self, status: str, msg: str = "") -> None:
        """Answer a request that never reaches the application, then close its connection."""
        # Whatever can't be parsed is the caller's error, also where cheroot speaks of 501 and 505.
        line = str(status) if not str(status).startswith(("501", "505")) else "400 Bad Request"
        body = orjson.dumps({"error": msg or line.partition(" ")[2]})
        self.close_connection = True
        head = (
            f"{self.server.protocol} {line}\r\nContent-Type: {JSON_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.conn.wfile.write(head.encode("latin-1") + body)

    def send_headers(self) -> None:
        """Send the head at once; cheroot would first wait for the rest of a body that nobody reads."""
        # How long an unread body in chunks is can't be known yet, and afterwards it is too late to say `close`.
        if isinstance(self.rfile, ChunkedRFile):
            self.close_connection = self._unread() or self.close_connection
        rfile, self.rfile = self.rfile, None
        if getattr(rfile, "remaining", 0) > _DRAIN:
            self.close_connection = True
        super().send_headers()
        self.rfile = rfile

    def respond(self) -> None:
        """Answer, then read what is left of the body within bounds, or give the connection up."""
        try:
            super().respond()
        except BrokenOff:  # a planted fault; the head of the answer may be out or not
            self.conn.reset_on_close = not self.sent_headers
            raise
        if self._unread():
            self.close_connection = not self._drained() or self.close_connection

    def _drained(self) -> bool:
        """Read the rest of the body; return whether the connection may carry another request."""
        left = _DRAIN
        self.conn.socket.settimeout(_PATIENCE)
        try:
            while left > 0 and self._unread():
                block = self.rfile.read(min(_BLOCK, left))
                if not block:
                    break
                left -= len(block)
        except (OSError, ValueError):  # a client that is slow or gone, or a broken chunk
            return False
        finally:
            self.conn.socket.settimeout(self.server.timeout)
        return not self._unread()

    def _unread(self) -> bool:
        if isinstance(self.rfile, ChunkedRFile):
            return not self.rfile.closed
        return bool(getattr(self.rfile, "remaining", 0))


class Connection(HTTPConnection):
    """A connection of flat requests, which a planted fault may end with a reset."""

    RequestHandlerClass = FlatRequest
    reset_on_close = False
    """Whether the connection ends with a reset instead of an orderly end."""

    def close(self) -> None:
        """Close the connection, by a reset where a planted fault asks for one."""
        if self.reset_on_close:
            # Without lingering the kernel sends RST, where it would send FIN; (onoff, seconds).
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().close()

    def _close_kernel_socket(self) -> None:
        if not self.reset_on_close:
            super()._close_kernel_socket()  # type: ignore[misc]  # missing in cheroot's stubs


class _Server(Server):
    ConnectionClass = Connection
    max_request_header_size = _MAX_HEADERS
    expiration_interval = 0.05
    """Seconds between two looks at whether to stop."""

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        """Drop the line: clients that hang up are no news, and the application logs its own errors."""


class MockServer:
    """The mock behind a port, in threads of this process."""

    def __init__(
        self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, threads: int = 16
    ) -> None:
        """Prepare a server of ``app``; port 0 takes any free one."""
        self._server = _Server(
            (host, port), app, numthreads=threads, server_name="mock", shutdown_timeout=1
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
