"""A connection of the mock's server, and its requests: every refusal flat, every body read or given up."""

from __future__ import annotations

import io
import socket
import struct
import threading
from contextlib import suppress

import orjson
from cheroot.server import HTTPConnection, HTTPRequest

from mockserver.clock import stopwatch
from mockserver.envelope import JSON_TYPE
from mockserver.heads import Fields, Lines, check_line, merged, read_fields
from mockserver.spoil import BrokenOff
from mockserver.wire import Body, Stream

_DRAIN = 4 * 1_048_576
"""Bytes of an unread body that are read before its connection is used again or closed."""

_PATIENCE = 0.5
"""Seconds that a client has for the rest of what nobody reads."""

_WHOLE = 3
"""How many times the server's timeout a whole request may take."""

_BLOCK = 65_536


class Tally:
    """How many connections wait for a worker or have one."""

    def __init__(self) -> None:
        self._count = 0
        self._lock = threading.Lock()

    def up(self) -> int:
        """Count one more; return how many there are."""
        with self._lock:
            self._count += 1
            return self._count

    def down(self) -> None:
        """Count one less."""
        with self._lock:
            self._count -= 1


class FlatRequest(HTTPRequest):
    """A request whose refusals are flat JSON, and whose unread body never poisons the connection."""

    fields: Fields
    """The headers as they were sent."""
    body: Body | None = None

    def read_request_line(self) -> bool:
        """Read the first line; return whether it is one."""
        try:
            # Raises ValueError itself at `//[`, where cheroot expects none.
            if not super().read_request_line():  # type: ignore[no-untyped-call]  # cheroot's stubs
                return False
            check_line(self.method, self.uri, self.request_protocol)
        except ValueError as error:
            self.simple_response("400 Bad Request", str(error))
            return False
        return True

    def header_reader(self, stream: Lines, found: dict[bytes, bytes]) -> None:
        """Read the headers into ``found``. Raises ``ValueError`` where they are odd or ambiguous."""
        self.fields = read_fields(stream)
        found.update(merged(self.fields, self.response_protocol))
        # cheroot would send `100 Continue` at once, also to a request that is then refused.
        expected = found.pop(b"Expect", b"").lower() == b"100-continue"
        self.conn.rfile.is_awaited = expected and self.response_protocol == "HTTP/1.1"

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
        self.conn.hear_out()

    def send_headers(self) -> None:
        """Send the head at once; cheroot would first wait for the rest of a body that nobody reads."""
        # How long an unread body in chunks is can't be known yet, and afterwards it is too late to say
        # `close`. Nor can be known whether a client that awaits `100 Continue` still sends its body.
        left = self.body.left if self.body is not None else 0
        if left is None or left > _DRAIN or (left and self.conn.rfile.is_awaited):
            self.close_connection = True
        self.conn.rfile.is_awaited = False
        rfile, self.rfile = self.rfile, None
        super().send_headers()
        self.rfile = rfile

    def respond(self) -> None:
        """Answer, then read what is left of the body within bounds, or give the connection up."""
        length = None if self.chunked_read else int(self.inheaders.get(b"Content-Length", 0))
        self.body = Body(self.conn.rfile, length)
        self.rfile = io.BufferedReader(self.body)
        try:
            self.server.gateway(self).respond()
            self.ensure_headers_sent()
            if self.chunked_write:
                self.conn.wfile.write(b"0\r\n\r\n")
        except BrokenOff:  # a planted fault; the head of the answer may be out or not
            self.conn.reset_on_close = not self.sent_headers
            raise
        if not self.body.is_read:
            self.close_connection = not self._drained(self.body) or self.close_connection

    def _drained(self, body: Body) -> bool:
        """Read the rest of the body; return whether the connection may carry another request."""
        left, block = _DRAIN, bytearray(_BLOCK)
        self.conn.rfile.deadline = stopwatch() + _PATIENCE
        with suppress(OSError, ValueError):  # a client that is slow or gone, or a broken chunk
            while left > 0 and not body.is_read:
                left -= body.readinto(block)
        return body.is_read


class Connection(HTTPConnection):
    """A connection of flat requests, which a planted fault may end with a reset."""

    RequestHandlerClass = FlatRequest
    reset_on_close = False
    """Whether the connection ends with a reset instead of an orderly end."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.rfile = Stream(self.socket)

    def communicate(self) -> bool:
        """Answer one request, which must arrive in time; return whether another one may come."""
        self.rfile.deadline = stopwatch() + _WHOLE * self.server.timeout
        try:
            return bool(super().communicate())  # type: ignore[no-untyped-call]  # cheroot's stubs
        finally:
            self.server.in_hand.down()

    def hear_out(self) -> None:
        """Take what a refused client still sends; unread bytes at the end would reset the answer away."""
        left, self.rfile.deadline = _DRAIN, stopwatch() + _PATIENCE
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            while left > 0 and (block := self.rfile.read1(_BLOCK)):
                left -= len(block)

    def close(self) -> None:
        """Close the connection, by a reset where a planted fault asks for one."""
        if self.reset_on_close:
            # Without lingering the kernel sends RST, where it would send FIN; (onoff, seconds).
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().close()

    def _close_kernel_socket(self) -> None:
        if not self.reset_on_close:
            super()._close_kernel_socket()  # type: ignore[misc]  # missing in cheroot's stubs
