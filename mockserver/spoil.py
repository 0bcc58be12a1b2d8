"""What a fault does to a finished answer, and how an answer ends before its time.

A reset or a truncated body needs the server, so WSGI gets the nearest thing that it has: the application,
or the iterable that it returned, raises `BrokenOff`, a `ConnectionResetError`.
`MockServer` turns it into a reset, or into an end in the middle of the body.
An in-process transport (httpx's and requests' WSGI adapters, Flask's test client) hands it to the client
as it is: for a reset on the call itself, for a truncated body while the body is read.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from mockserver.envelope import Reply
from mockserver.faults import FaultKind, Planted

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

_WRONG_TYPE = "text/html; charset=utf-8"


class BrokenOff(ConnectionResetError):
    """Raised where a planted fault ends the connection; its text names the fault."""

    def __init__(self, fault: str) -> None:
        super().__init__(errno.ECONNRESET, f"connection reset by {fault}")


def spoil(reply: Reply, planted: Planted) -> Reply:
    """Return what becomes of ``reply`` under a fault; it names the fault in any case."""
    kind = planted.fault.kind
    if kind is FaultKind.LATENCY:
        return replace(reply, fault=planted.id)
    named = replace(reply, fault=planted.id, origin="fault")
    if kind is FaultKind.MALFORMED:
        return replace(named, body=_half(reply.body))
    if kind is FaultKind.CONTENT_TYPE:
        others = tuple(pair for pair in reply.headers if pair[0] != "Content-Type")
        return replace(named, headers=(("Content-Type", _WRONG_TYPE), *others))
    if planted.fault.breaks_connection:
        return replace(named, cut=0 if kind is FaultKind.RESET else len(_half(reply.body)))
    return named


def send_broken(
    reply: Reply, status: str, headers: list[tuple[str, str]], start_response: StartResponse
) -> Iterable[bytes]:
    """Send what is sent of an answer with a ``cut``. Raises ``BrokenOff`` at once where that is nothing."""
    if not reply.cut:
        raise BrokenOff(str(reply.fault))
    start_response(status, headers)
    return _cut_off(reply)


def _cut_off(reply: Reply) -> Iterator[bytes]:
    yield reply.body[: reply.cut]
    raise BrokenOff(str(reply.fault))


def _half(body: bytes) -> bytes:
    return body[: max(1, len(body) // 2)]
