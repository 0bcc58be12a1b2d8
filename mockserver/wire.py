"""What comes over a connection: bytes within a time, and bodies that end where they say."""

from __future__ import annotations

import io
import re
import socket
from typing import TYPE_CHECKING

from mockserver.clock import stopwatch

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 65_536
_LONGEST_LINE = 4_096
"""Bytes of a line between chunks, with its extensions."""

_MOST_TRAILERS = 64
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Broken(ValueError):
    """Raised where a body breaks off or its chunks are malformed."""


class Stream:
    """The bytes of one connection; whoever sends them too slowly meets the deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._held = bytearray()
        self.deadline = float("inf")
        """When the present request must have arrived, by the stopwatch."""
        self.is_awaited = False
        """Whether the client waits for `100 Continue` before it sends more."""

    def has_data(self) -> bool:
        """Whether there is more that has arrived already."""
        return bool(self._held)

    def readline(self, size: int = _BLOCK) -> bytes:
        """Return the next line with its end, cut after ``size`` bytes, or nothing at the end."""
        seen = 0
        while (end := self._held.find(b"\n", seen)) < 0 and len(self._held) < size:
            seen = len(self._held)
            if not self._receive():
                break
        return self._taken(size if end < 0 else min(size, end + 1))

    def read1(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as there are some, or nothing at the end."""
        if not self._held:
            self._receive()
        return self._taken(size)

    def close(self) -> None:
        """Forget what has arrived; the socket belongs to the connection."""
        self._held.clear()

    def _taken(self, size: int) -> bytes:
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def _receive(self) -> bool:
        if self.is_awaited:
            self.is_awaited = False
            self._socket.sendall(_CONTINUE)
        usual, left = self._socket.gettimeout(), self.deadline - stopwatch()
        if left <= 0:
            raise TimeoutError("timed out")
        if usual is not None and left >= usual:
            block = self._socket.recv(_BLOCK)
        else:
            self._socket.settimeout(left)
            try:
                block = self._socket.recv(_BLOCK)
            finally:
                self._socket.settimeout(usual)
        self._held += block
        return bool(block)


class Body(io.RawIOBase):
    """A body of a known length, or in chunks where ``left`` is ``None``."""

    def __init__(self, stream: Stream, length: int | None) -> None:
        super().__init__()
        self._stream = stream
        self._is_chunked = length is None
        self._in_chunk = False
        self._rest = length or 0
        """Bytes left of the body, or of the present chunk."""
        self.is_read = length == 0
        """Whether the whole body was taken from the connection."""

    @property
    def left(self) -> int | None:
        """Bytes that weren't taken from the connection; ``None`` where nobody can know."""
        return None if self._is_chunked and not self.is_read else self._rest

    def readable(self) -> bool:
        """Whether it can be read from."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` with what comes next. Raises ``Broken``, or ``OSError`` when it doesn't come."""
        if self.is_read or (self._is_chunked and not self._rest and not self._next_chunk()):
            return 0
        view = memoryview(buffer)
        block = self._stream.read1(min(len(view), self._rest))
        if not block:
            raise Broken("the body breaks off")
        view[: len(block)] = block
        self._rest -= len(block)
        self.is_read = not self._is_chunked and not self._rest
        return len(block)

    def _next_chunk(self) -> bool:
        """Read the line in front of the next chunk; return whether there is one."""
        if self._in_chunk and self._stream.readline(_LONGEST_LINE) != b"\r\n":
            raise Broken("a chunk is longer than it says")
        size = _SIZE.fullmatch(self._stream.readline(_LONGEST_LINE))
        if size is None:
            raise Broken("a chunk has no size")
        self._rest = int(size[1], 16)
        self._in_chunk = bool(self._rest)
        if not self._rest:
            self._skip_trailers()
        return bool(self._rest)

    def _skip_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            line = self._stream.readline(_LONGEST_LINE)
            if line == b"\r\n":
                self.is_read = True
                return
            if not line.endswith(b"\r\n"):
                break
        raise Broken("the trailers don't end")
