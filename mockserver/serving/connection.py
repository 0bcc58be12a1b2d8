"""A connection of the mock's server: what has arrived on it, what is asked, and what still has to go out."""

from __future__ import annotations

import io
import logging
import re
import selectors
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from mockserver.call import STEP_ASIDE, WIRE, Wire
from mockserver.clock import stopwatch
from mockserver.serving.answers import Answer, Whole, refusal_bytes, whole_bytes
from mockserver.serving.bodies import NOTHING, Body, Broken, Intake
from mockserver.serving.heads import LARGEST_HEAD, BadHead, Head, read_head
from mockserver.spoil import BrokenOff

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_log = logging.getLogger("mockserver")

MOST_DRAINED = 4 * 1_048_576
"""Bytes of an unread body that are read before its connection is used again or closed."""

_MOST_HELD = 65_536
"""Bytes of a body that are awaited before the application is called; of a larger one it reads itself."""

_GRACE = 0.2
"""Seconds after which a body is awaited no longer, and the application may refuse it unread."""

_PATIENCE = 0.5
"""Seconds that a client has for the rest of what nobody reads."""

_WHOLE = 3
"""How many times the server's timeout a whole request may take."""

_IDLE = 6
"""How many times the server's timeout a connection may be kept between two requests."""

_UNUSED = 1.0
"""Seconds after which a connection without a request may be closed for a new one's sake."""

BLOCK = 65_536
"""Bytes that are read at once."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
_ENDS_LINES = "Each line of the head must end with CRLF."


Straight = Callable[[Head, "Connection"], "Whole | WSGIApplication | None"]
"""Answers a request without an environ; or returns what gives the answer the WSGI way, or ``None`` for the application.

To HEAD it gives no answer itself, for that has no body; no contract has an operation for it.
"""


class Keeper(Protocol):
    """What a connection needs of the loop that it lives in."""

    app: WSGIApplication
    straight: Straight | None
    """The application's other way, if it has one."""
    timeout: float
    is_prompt: bool
    """Whether the application steps aside itself before it waits."""
    environ: dict[str, Any]
    """What the environ of each request begins with."""
    buffer: memoryview
    """What the thread that waits for the connections reads into; nothing stays in it."""

    @property
    def has_thread(self) -> bool:
        """Whether a thread can be had for a connection that may take it for long."""

    def step_aside(self, connection: Connection) -> bool:
        """Let another thread wait for the connections, and none for ``connection``; return whether one can be had."""

    def take_back(self, connection: Connection) -> None:
        """Wait for ``connection`` again, which this thread has done with."""

    def send_soon(self, connection: Connection) -> None:
        """Call ``flush`` of ``connection`` once the others that are ready have been heard."""

    def expect(self, connection: Connection, events: int) -> None:
        """Wait for ``events`` on ``connection``."""

    def forget(self, connection: Connection) -> None:
        """Wait for ``connection`` no more."""


class Connection:
    """One client. Exactly one thread has it in hand at any time."""

    __slots__ = (
        "_arrived",
        "_drained",
        "_head",
        "_held",
        "_intake",
        "_is_awaited",
        "_is_broken",
        "_is_refused",
        "_is_stuck",
        "_keeper",
        "_out",
        "_seen",
        "_stays",
        "_until",
        "deadline",
        "environ",
        "is_aside",
        "is_closed",
        "sock",
        "wire",
    )

    def __init__(self, keeper: Keeper, sock: socket.socket, address: Any) -> None:
        self._keeper = keeper
        self.sock = sock
        self.wire = Wire(stopwatch())
        self.environ = {
            **keeper.environ,
            "REMOTE_ADDR": address[0],
            "REMOTE_PORT": str(address[1]),
            WIRE: self.wire,
        }
        self._arrived = bytearray()
        self._seen = 0
        """Bytes of what arrived that were searched for the end of a head."""
        self._head: Head | None = None
        """The request whose body is awaited, or whose answer is under way."""
        self._intake = NOTHING
        self._held = bytearray()
        """The part of the body that was taken."""
        self._is_broken = False
        self._is_awaited = False
        """Whether the client waits for `100 Continue` before it sends more."""
        self._out = b""
        """What has still to go out: it waits for its turn, or for a client that is slow to take it."""
        self._is_stuck = False
        """Whether the client was too slow to take it."""
        self._drained = 0
        """Bytes that were read for nobody since the last answer."""
        self._is_refused = False
        """Whether no further request is taken: what still comes is read, so that the answer isn't reset away."""
        self._stays = True
        self.is_closed = False
        self.is_aside = False
        """Whether the loop doesn't wait for it, because its thread stepped aside."""
        self.deadline = self._until = stopwatch() + _WHOLE * keeper.timeout
        """When the connection expires unless something happens, and when the present request must have arrived."""

    @property
    def is_idle(self) -> bool:
        """Whether it waits for a request of which nothing has come yet."""
        is_busy = self._arrived or self._head or self._out or self._is_refused
        return not is_busy and self._intake.is_read

    @property
    def since(self) -> float:
        """When it began to wait for the present request, or for the rest of it."""
        return self._until - _WHOLE * self._keeper.timeout

    def is_unused(self, now: float) -> bool:
        """Whether no request has come for a while; one that has just begun is about to ask."""
        return self.is_idle and self.since + _UNUSED < now

    # --- what the loop calls ---

    def ready(self) -> None:
        """Go on: there is something to read, or room to write."""
        if self._out:
            self.flush()
            return
        try:
            size = self.sock.recv_into(self._keeper.buffer)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        if self._is_refused:
            self._pass_over(size)
            return
        if not size:
            self._end_of_client()
            return
        if self.is_idle:
            self.deadline = self._until = stopwatch() + _WHOLE * self._keeper.timeout
        self._arrived += self._keeper.buffer[:size]
        self.proceed()

    def proceed(self) -> None:
        """Answer all that has arrived whole, as long as this thread has the connection in hand."""
        while not (self.is_closed or self._out or self._is_refused):
            if self._head is None and not (
                self._arrived and (self._intake.is_read or self._drain()) and self._take_head()
            ):
                return
            if not (self._intake.is_read or self._take_body()):
                return
            self._respond()
            if self.is_aside:
                self._return()
                return

    def expire(self) -> None:
        """Give up what doesn't come: without a word, with 408, or with the answer to half a body."""
        if self._out and not self._is_stuck:
            return  # a whole answer that goes out with the others of this turn
        if self._is_refused or self._out or self.is_idle:
            self.close()
        elif self._head is not None:
            self._hurry()
        elif self._intake.is_read:
            self._refuse("408 Request Timeout", "The request didn't arrive in time.")
        else:
            self.close()

    def close(self, *, reset: bool = False) -> None:
        """Close the connection, by a reset where a planted fault asks for one."""
        if self.is_closed:
            return
        self.is_closed = True
        self.wire.closed_at = stopwatch()
        self._keeper.forget(self)
        with suppress(OSError):
            if reset:
                # Without lingering the kernel sends RST, where it would send FIN; (onoff, seconds).
                linger = struct.pack("ii", 1, 0)
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                self.sock.shutdown(socket.SHUT_WR)
        self.sock.close()

    # --- reading ---

    def _take_head(self) -> bool:
        """Read the next head, if it has arrived; return whether it has."""
        while self._arrived.startswith(b"\r\n"):
            del self._arrived[:2]  # RFC 9112, 2.2: empty lines before a request are passed over
        end = self._arrived.find(b"\r\n\r\n", max(0, self._seen - 3))
        if end < 0 or end > LARGEST_HEAD:
            self._judge_half_a_head()
            return False
        data = bytes(self._arrived[:end])
        del self._arrived[: end + 4]
        self._seen = 0
        try:
            head = read_head(data)
        except BadHead as error:
            # The same sentence as where half of the head was judged.
            self._refuse(
                "400 Bad Request", _ENDS_LINES if _BARE_NEWLINE.search(data) else str(error)
            )
            return False
        self._head = head
        self._is_broken = self._is_awaited = False
        length = head.length
        if length is not None and length <= len(self._arrived) and length <= _MOST_HELD:
            self._intake = NOTHING  # all of the body is here
            self._held = self._arrived[:length]
            del self._arrived[:length]
        else:
            self._intake = Intake(length)
            self._held = bytearray()
            self._is_awaited = head.expects_continue
        return True

    def _judge_half_a_head(self) -> None:
        """Refuse a head that can't become one any more."""
        if len(self._arrived) > LARGEST_HEAD + 3:  # the four bytes of its end may lack the last one
            self._refuse(
                "431 Request Header Fields Too Large", f"The head is over {LARGEST_HEAD:,} bytes."
            )
        elif _BARE_NEWLINE.search(self._arrived, self._seen):
            self._refuse("400 Bad Request", _ENDS_LINES)
        self._seen = len(self._arrived)

    def _take_body(self) -> bool:
        """Take what has arrived of the body; return whether the application may be called."""
        try:
            while block := self._intake.take(self._arrived, _MOST_HELD):
                self._held += block
                if len(self._held) > _MOST_HELD:
                    break
        except Broken:
            self._is_broken = True
        if self._intake.is_read or self._is_broken:
            return True
        is_large = len(self._held) + (self._intake.left or 0) > _MOST_HELD
        if not (is_large or self._is_awaited):
            self.deadline = min(self._until, stopwatch() + _GRACE)
            return False
        if self._keeper.has_thread:
            return True
        self._refuse("503 Service Unavailable", "Too many large bodies are under way.")
        return False

    def _drain(self) -> bool:
        """Pass over the rest of a body that the application didn't read; return whether all of it came."""
        try:
            while block := self._intake.take(self._arrived, BLOCK):
                self._drained += len(block)
        except Broken:
            self._drained = MOST_DRAINED + 1
        if self._drained > MOST_DRAINED:
            self._linger()
        elif self._intake.is_read:
            self.deadline = stopwatch() + _IDLE * self._keeper.timeout
        return self._intake.is_read

    def _pass_over(self, size: int) -> None:
        """Forget what a refused client still sends."""
        self._drained += size
        if not size or self._drained > MOST_DRAINED:
            self.close()

    def _end_of_client(self) -> None:
        """Answer what can be answered to a client that sends nothing more."""
        if self._head is not None:
            self._break_off()
        elif self._arrived and self._intake.is_read:
            self._refuse("400 Bad Request", "The request breaks off.")
        else:
            self.close()

    def _hurry(self) -> None:
        """Let the application read the body itself while it arrives; give up on it when its time is over."""
        if stopwatch() >= self._until:
            self._break_off()
        elif self._keeper.has_thread:
            self._respond()
            if self.is_aside:
                self._return()
        else:
            self.deadline = self._until

    def _break_off(self) -> None:
        """Call the application with the part of the body that came; reading on, it finds it broken."""
        self._is_broken = True
        self._respond()
        if self.is_aside:
            self._return()

    # --- answering ---

    def _respond(self) -> None:
        """Let the application answer the request, then make ready for the next one."""
        head = self._head
        assert head is not None  # noqa: S101 - for the type checker
        if not self._keeper.is_prompt or not (self._intake.is_read or self._is_broken):
            self.step_aside()
        self._stays = head.stays and not self._is_broken
        try:
            straight = self._keeper.straight
            given = None if straight is None else straight(head, self)
            if isinstance(given, tuple):
                self._send_whole(head, given)
            else:
                self._run(given or self._keeper.app, head)
        except OSError:  # the client is gone, or too slow
            self.close()
        except Exception:
            self._fail(began=False)
        self._head = None
        self._after()

    def _send_whole(self, head: Head, answer: Whole) -> None:
        self._send(whole_bytes(answer, is_last=self._is_last(), is_old=head.line.is_old))

    def _run(self, app: WSGIApplication, head: Head) -> None:
        """Let ``app`` answer the WSGI way."""
        body = self.body()
        environ = {
            **self.environ,
            **head.environ,
            "wsgi.input": io.BytesIO(body) if isinstance(body, bytes) else body,
            STEP_ASIDE: self.step_aside,
        }
        answer = Answer(
            self._send,
            is_old=head.line.is_old,
            wants_body=head.line.method != "HEAD",
            is_last=self._is_last,
        )
        try:
            self._stays = answer.run(app, environ) and self._stays
        except BrokenOff:  # a planted fault
            self._stays = False
            if not answer.began:
                self.close(reset=True)
        except OSError:
            self.close()
        except Exception:
            self._fail(began=answer.began)

    def _is_last(self) -> bool:
        """Whether the connection ends after the answer that begins now."""
        # How long an unread body in chunks is can't be known yet, and afterwards it is too late to say
        # `close`. Nor can be known whether a client that awaits `100 Continue` still sends its body.
        left = self._intake.left
        if left is None or left > MOST_DRAINED or (left and self._is_awaited):
            self._stays = False
        self._is_awaited = False
        return not self._stays

    def body(self) -> bytes | io.BufferedReader:
        """Return the body of the request, or what it can be read from while it arrives."""
        if self._intake.is_read:
            return bytes(self._held)
        return io.BufferedReader(
            Body(bytes(self._held), self._intake, self._arrived, self._receive)
        )

    def _receive(self) -> None:
        """Wait for more of the body. Raises ``Broken`` where the client ends it, ``OSError`` where none comes."""
        if self._is_broken:
            raise Broken("the body breaks off")
        if self._is_awaited:
            self._is_awaited = False
            self.sock.sendall(_CONTINUE)
        left = self._until - stopwatch()
        if left <= 0:
            raise TimeoutError("timed out")
        self.sock.settimeout(min(left, self._keeper.timeout))
        block = self.sock.recv(BLOCK)
        self.sock.settimeout(self._keeper.timeout)
        if not block:
            raise Broken("the body breaks off")
        self._arrived += block

    def _fail(self, *, began: bool) -> None:
        _log.exception("the application failed")
        if began:
            self._stays = False
        else:
            self._refuse("500 Internal Server Error", "The server failed.")

    def _after(self) -> None:
        """Make ready for the next request, or for the end."""
        if self.is_closed or self._is_refused or self._out:
            return
        if not self._stays:
            self._linger()
            return
        self._drained = 0
        now = stopwatch()
        self._until = now + _WHOLE * self._keeper.timeout
        if not self._intake.is_read:
            self.deadline = now + _PATIENCE
        elif self._arrived:  # the next request has begun
            self.deadline = self._until
        else:
            self.deadline = now + _IDLE * self._keeper.timeout

    def _refuse(self, status: str, sentence: str) -> None:
        """Answer a request that the application never sees, and take no further one."""
        self._stays = False
        with suppress(OSError):
            self._send(refusal_bytes(status, sentence))
        self._linger()

    def _linger(self) -> None:
        """Say that nothing more goes out, and hear the client out: unread bytes would reset the answer away."""
        self._is_refused = True
        self._arrived.clear()
        if not self._out:
            self.deadline = stopwatch() + _PATIENCE
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)

    # --- threads ---

    def step_aside(self, *, for_long: bool = False) -> bool:
        """Let another thread wait for the connections: this one is about to wait for something else.

        Return whether there is one; ``for_long``: leave some to those who don't wait for long.
        """
        if self.is_aside:
            return True
        if for_long and not self._keeper.has_thread:
            return False
        self.is_aside = True  # before another thread can look at it
        if not self._keeper.step_aside(self):
            self.is_aside = False
            return False
        self.sock.settimeout(self._keeper.timeout)
        if self._out:
            out, self._out = self._out, b""
            self.sock.sendall(out)
        return True

    def _return(self) -> None:
        """Give the connection back to the thread that waits for all of them."""
        self.is_aside = False
        self._keeper.take_back(self)

    # --- writing ---

    def _send(self, data: bytes) -> None:
        """Send ``data``, or leave it to the loop, which sends the answers of one turn together."""
        if self.is_aside:
            # The socket's time is for all of one call: it must not depend on how large the answer is.
            for start in range(0, len(data), BLOCK):
                self.sock.sendall(data[start : start + BLOCK])
        elif self._out:
            self._out += data
        else:
            self._out = data
            self._keeper.send_soon(self)

    def flush(self) -> None:
        """Send what has to go out, then go on with the next request; what the client doesn't take waits for it."""
        if self.push():
            self.proceed()

    def push(self) -> bool:
        """Send what has to go out; return whether the connection is ready for the next request."""
        if not self._out or self.is_closed:
            return False
        try:
            sent = self.sock.send(self._out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return False
        self._out = self._out[sent:]
        if bool(self._out) != self._is_stuck:
            self._is_stuck = not self._is_stuck
            events = selectors.EVENT_WRITE if self._is_stuck else selectors.EVENT_READ
            self._keeper.expect(self, events)
        if self._is_stuck:
            self.deadline = stopwatch() + _WHOLE * self._keeper.timeout
        elif self._is_refused:
            self._linger()
        else:
            self._after()
            return True
        return False
