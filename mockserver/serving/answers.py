"""One answer: the application is called the WSGI way, and what it returns becomes bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from mockserver.clock import http_date, real_time
from mockserver.envelope import JSON_TYPE, Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


Send = Callable[[bytes], None]

_NO_BODY = frozenset({204, 304})
_CLOSE, _KEEP = b"Connection: close\r\n", b"Connection: keep-alive\r\n"


class Answer:
    """What the application answers to one request, and how it goes over the connection."""

    __slots__ = (
        "_ends",
        "_head",
        "_is_chunked",
        "_is_last",
        "_is_old",
        "_left",
        "_send",
        "_wants_body",
        "began",
    )

    def __init__(
        self, send: Send, *, is_old: bool, wants_body: bool, is_last: Callable[[], bool]
    ) -> None:
        """Answer by ``send``; ``is_last`` is asked, when the answer begins, whether the connection ends after it."""
        self._send = send
        self._is_old = is_old
        self._wants_body = wants_body
        self._is_last = is_last
        self._ends = False
        self._head: tuple[str, list[tuple[str, str]]] | None = None
        self._is_chunked = False
        self._left: int | None = None
        """Bytes of the body that its Content-Length still promises."""
        self.began = False
        """Whether something was sent."""

    def run(self, app: WSGIApplication, environ: dict[str, Any]) -> bool:
        """Send what ``app`` answers; return whether the connection may live on.

        Whatever ``app`` raises passes; ``began`` then says whether a part of the answer is out.
        """
        result = app(environ, self.start_response)
        if type(result) is list and not self.began:  # all there is
            self._whole(b"".join(result))
            return self._is_complete
        try:
            for piece in result:
                self._write(piece)
            self._finish()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        return self._is_complete

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Send:
        """Note status and headers; the WSGI callable."""
        if exc_info is not None and self.began:
            raise exc_info[1].with_traceback(exc_info[2])
        self._head = status, headers
        return self._write

    @property
    def _is_complete(self) -> bool:
        return not self._ends and not self._left

    def _whole(self, body: bytes) -> None:
        """Send head and body in one piece."""
        head = self._begin(len(body))
        if self._left is None:
            body = b""
        else:
            body = body[: self._left]
            self._left -= len(body)
        self.began = True
        self._send(head + body if body else head)

    def _write(self, piece: bytes) -> None:
        """Send a piece of the body, the head before the first one."""
        if not piece:
            return
        head = b"" if self.began else self._begin(None)
        self.began = True
        if not self._wants_body:
            piece = b""
        elif self._is_chunked:
            piece = b"%x\r\n%b\r\n" % (len(piece), piece)
        elif self._left is not None:
            piece = piece[: self._left]
            self._left -= len(piece)
        if head or piece:
            self._send(head + piece)

    def _finish(self) -> None:
        if not self.began:
            self._whole(b"")
        elif self._is_chunked and self._wants_body:
            self._send(b"0\r\n\r\n")

    def _begin(self, size: int | None) -> bytes:
        """Return the head of an answer whose body has ``size`` bytes, ``None`` if that isn't known."""
        if self._head is None:
            raise TypeError("the application sent a body before it called start_response")
        head = _remembered(self._head[0], tuple(self._head[1]))
        self._wants_body = self._wants_body and head.may_have_body
        self._ends = self._is_last()
        added = b"" if head.is_dated else _date_line(int(real_time()))
        self._left = head.length if head.length is not None else size
        if head.length is None and head.may_have_body:
            added += self._framing(size)
        if not self._wants_body:
            self._left = None
        if self._ends:
            added += _CLOSE
        elif self._is_old:
            added += _KEEP
        return b"%b%b\r\n" % (head.data, added)

    def _framing(self, size: int | None) -> bytes:
        """Return the line that says where a body ends whose length the application didn't say."""
        if size is not None:
            return b"Content-Length: %d\r\n" % size
        if self._is_old:
            self._ends = True
            return b""
        self._is_chunked = True
        return b"Transfer-Encoding: chunked\r\n"


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """What the application says of its answer."""

    status: str
    headers: Headers
    data: bytes
    """Status and headers as they go over the connection, without the empty line."""
    length: int | None
    """The Content-Length, if it says one."""
    is_dated: bool
    may_have_body: bool


Whole = tuple[Beginning, bytes]
"""An answer with a body, of which all is known; its headers tell the date, and the length of the body."""


def whole_bytes(answer: Whole, *, is_last: bool, is_old: bool = False) -> bytes:
    """Return ``answer`` as it goes over the connection, which ends after it if it ``is_last``."""
    beginning, body = answer
    line = _CLOSE if is_last else _KEEP if is_old else b""
    return b"%b%b\r\n%b" % (beginning.data, line, body)


def beginning_of(status: str, headers: Headers) -> Beginning:
    """Return how an answer begins. Raises ``ValueError`` at a line break in a header."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header of the answer has a line break in it")
    values = {name.lower(): value for name, value in headers}
    length = values.get("content-length")
    return Beginning(
        status,
        headers,
        "".join(f"{line}\r\n" for line in lines).encode("latin-1"),
        None if length is None else int(length),
        "date" in values,
        int(status[:3]) not in _NO_BODY,
    )


_remembered = lru_cache(maxsize=512)(beginning_of)
"""Within one second, answers of one size begin alike."""


@lru_cache(maxsize=4)
def _date_line(seconds: int) -> bytes:
    return f"Date: {http_date(seconds)}\r\n".encode()


def refusal_bytes(status: str, sentence: str) -> bytes:
    """Return the whole answer to a request that no application ever sees; its connection ends."""
    body = orjson.dumps({"error": sentence})
    headers = (
        ("Content-Type", JSON_TYPE),
        ("Content-Length", str(len(body))),
        ("Date", http_date(int(real_time()))),
    )
    return whole_bytes((_remembered(status, headers), body), is_last=True)
