"""One request on its way through the pipeline; its body is read only when a step asks for it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, BinaryIO

from mockserver.clock import stopwatch
from mockserver.request import Environ, Request

if TYPE_CHECKING:
    from mockserver.faults import Planted
    from mockserver.resources.recall import Answer
    from mockserver.roles import Key

STEP_ASIDE = "mockserver.step_aside"
"""Where the environ has what must be called before a request waits for anything but its own computing.

Without it the mock's server would let every other client wait too; other servers don't have it.
"""

WIRE = "mockserver.wire"
"""Where the environ has the ``Wire`` that a request came over; other servers don't have it."""

MAX_BODY = 1_048_576
"""The largest body of an authenticated route, in bytes: 1 MiB (auth page, Errors)."""

StepAside = Callable[..., bool]


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
    return _told(environ.get(STEP_ASIDE), for_long)


class Unreadable(Exception):
    """Raised when a body breaks off or its chunks are malformed."""


class Call:
    """One request to one operation, and how far it got."""

    __slots__ = (
        "_aside",
        "_broke_off",
        "_source",
        "answer",
        "began",
        "caller",
        "fault",
        "read_body",
        "request",
        "seen",
        "wire",
    )

    def __init__(
        self,
        request: Request,
        source: bytes | BinaryIO | None,
        aside: StepAside | None = None,
        wire: Wire | None = None,
    ) -> None:
        """Take what is asked, the body or what it is read from, and what the mock's own server gives."""
        self.began = stopwatch()
        self.request = request
        self._source = source
        self._aside = aside
        self.wire = wire
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

    def step_aside(self, *, for_long: bool = False) -> bool:
        """Let the server turn to other clients; see ``step_aside`` of an environ."""
        return _told(self._aside, for_long)

    @property
    def too_large(self) -> bool:
        """Whether the body is over 1 MiB; reads at most one byte more than that."""
        declared = self.request.declared_length
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
        source = self._source
        if source is None or not self.request.has_body:
            return b""
        declared = self.request.declared_length
        most = MAX_BODY + 1 if declared is None or declared > MAX_BODY else declared
        if isinstance(source, bytes):
            return source[:most]
        if self._broke_off:  # a silent client would be waited for again, by whoever holds a turn
            raise Unreadable("the body broke off before")
        try:
            return source.read(most)
        except (OSError, ValueError) as error:  # a broken chunk is a ValueError
            self._broke_off = True
            raise Unreadable(str(error)) from error


def call_of(request: Request, environ: Environ) -> Call:
    """Return the call that came the WSGI way."""
    return Call(request, environ.get("wsgi.input"), environ.get(STEP_ASIDE), environ.get(WIRE))


def _told(aside: StepAside | None, for_long: bool) -> bool:
    return aside is None or aside(for_long=for_long)
