"""Timeouts without a socket: a client that would give up before a planted latency ends doesn't wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from mockserver import faults


class GaveUp(Exception):
    """Raised where a client's read timeout ends no later than the latency that its request met."""


@dataclass(slots=True)
class _Client:
    patience: float
    gave_up: bool = False


_CLIENT: ContextVar[_Client | None] = ContextVar("fansmetric_client", default=None)


class Sleeper(faults.Sleeper):
    """Waits out latencies, but not those that the waiting client would not see the end of."""

    def wait(self, seconds: float) -> None:
        """Return after ``seconds``; at once where the client gives up first, which is noted."""
        client = _CLIENT.get()
        if client is not None and seconds >= client.patience:
            client.gave_up = True
        else:
            super().wait(seconds)


@contextmanager
def patience(seconds: float | None) -> Iterator[None]:
    """Let the requests of the block have a read timeout of ``seconds``, or none.

    Such a request is carried out, as it is by a server that nobody listens to any more; then the block
    ends with ``GaveUp``, whatever became of its answer.
    """
    if seconds is None:
        yield
        return
    client = _Client(seconds)
    token = _CLIENT.set(client)
    try:
        yield
    except ConnectionError:
        if not client.gave_up:
            raise
    finally:
        _CLIENT.reset(token)
    if client.gave_up:
        raise GaveUp
