"""A request as the pipeline sees it: read from a WSGI environ, its body only when a step asks for it."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs

from mockserver.clock import stopwatch

if TYPE_CHECKING:
    from mockserver.faults import Planted
    from mockserver.resources.recall import Answer
    from mockserver.roles import Key

Environ = dict[str, Any]

STEP_ASIDE = "mockserver.step_aside"
"""Where the environ has what must be called before a request waits for anything but its own computing.

Without it the mock's server would let every other client wait too; other servers don't have it.
"""

WIRE = "mockserver.wire"
"""Where the environ has the ``Wire`` that a request came over; other servers don't have it."""

MAX_BODY = 1_048_576
"""The largest body of an authenticated route, in bytes: 1 MiB (auth page, Errors)."""


class Wire:
    """A connection, as far as it tells which answers a client can have read before it sent a request."""

    __slots__ = ("closed_at", "opened_at")

    def __init__(self, opened_at: float) -> None:
        self.opened_at = opened_at
        self.closed_at = inf
        """When it was opened and closed, in seconds of the stopwatch."""


def step_aside(environ: Environ, *, for_long: bool = False) -> bool:
    """Let the server turn to other clients: this request is going to take its time.

    Return whether it can; ``for_long`` leaves it the means to answer those who don't take long.
    """
    call = environ.get(STEP_ASIDE)
    return call is None or bool(call(for_long=for_long))


class Unreadable(Exception):
    """Raised when a body breaks off or its chunks are malformed."""


class Call:
    """One request to one operation, and how far it got."""

    __slots__ = (
        "_broke_off",
        "_query",
        "answer",
        "began",
        "caller",
        "declared_length",
        "environ",
        "fault",
        "has_body",
        "method",
        "path",
        "path_arguments",
        "query_string",
        "read_body",
        "seen",
    )

    def __init__(
        self, environ: Environ, method: str, path: str, path_arguments: dict[str, str]
    ) -> None:
        self.began = stopwatch()
        self.environ = environ
        self.method = method
        self.path = path
        self.path_arguments = path_arguments
        self.query_string: str = environ.get("QUERY_STRING", "")
        """The raw query string."""
        self._query: dict[str, list[str]] | None = None
        self.declared_length: int | None = None
        """The Content-Length, or ``None`` when the body's length is not declared."""
        self.has_body = False
        """Whether a body was sent, of whatever length."""
        length = environ.get("CONTENT_LENGTH")
        if length and str(length).isdecimal():
            self.declared_length = int(length)
            self.has_body = self.declared_length > 0
        elif "wsgi.input_terminated" in environ:
            # Without a declared length only a server that ends the stream itself may be read from.
            self.has_body = bool(environ["wsgi.input_terminated"])
        self.read_body: bytes | None = None
        """The body, if a step has asked for it."""
        self._broke_off = False
        self.caller: Key | None = None
        """Who calls, once that is known."""
        self.seen = 0
        """Exchanges that the caller's organization had recorded by then."""
        self.fault: Planted | None = None
        """The planted fault that it met."""
        self.answer: Answer | None = None
        """What the operation answered, if it came so far."""

    def enter(self, caller: Key) -> Key:
        """Note who calls, and return it."""
        self.caller, self.seen = caller, caller.organization.journal.total
        return caller

    def header(self, name: str) -> str | None:
        """Return a header's value, or ``None`` when it was not sent."""
        value = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return None if value is None else str(value)

    @property
    def query(self) -> dict[str, list[str]]:
        """The decoded query parameters, each with all its values in the order sent."""
        if self._query is None:
            self._query = parse_qs(self.query_string, keep_blank_values=True)
        return self._query

    @property
    def content_type(self) -> str:
        """The media type of the body, lower case, without its parameters."""
        return _media_type(self.environ.get("CONTENT_TYPE") or "")

    @property
    def too_large(self) -> bool:
        """Whether the body is over 1 MiB; reads at most one byte more than that."""
        declared = self.declared_length
        if declared is not None and declared > MAX_BODY:
            return True
        return len(self.body) > MAX_BODY

    @property
    def body(self) -> bytes:
        """The body's bytes, cut after the first one past 1 MiB. Raises ``Unreadable``."""
        if self.read_body is None:
            # No `cached_property`: up to Python 3.11 all requests would wait here for the slowest client.
            self.read_body = self._read()
        return self.read_body

    def _read(self) -> bytes:
        stream: BinaryIO | None = self.environ.get("wsgi.input")
        if stream is None or not self.has_body:
            return b""
        if self._broke_off:  # a silent client would be waited for again, by whoever holds a turn
            raise Unreadable("the body broke off before")
        declared = self.declared_length
        try:
            return stream.read(
                MAX_BODY + 1 if declared is None or declared > MAX_BODY else declared
            )
        except (OSError, ValueError) as error:  # a broken chunk is a ValueError
            self._broke_off = True
            raise Unreadable(str(error)) from error


@lru_cache(maxsize=128)
def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
