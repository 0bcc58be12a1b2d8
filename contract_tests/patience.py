"""Answers that must be there in time as a whole, however slowly they drip."""

from __future__ import annotations

import io
import socket
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from contract_tests.interim import FinalResponse, Lines
from mockserver.clock import stopwatch

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WHOLE = 30.0
"""Seconds that an answer may take, from its first byte to its last."""

MOST_SILENT = 90.0
"""Seconds of waiting in a row without a complete answer, after which a server is given up."""


class TooSlow(TimeoutError):
    """Raised when an answer isn't there as a whole in time."""


class _Timed(io.RawIOBase):
    """What a socket receives until a deadline."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._socket = sock
        self._raw = raw
        self._deadline = stopwatch() + WHOLE

    def readable(self) -> bool:
        """Whether it can be read from."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        """Receive into ``buffer``. Raises ``TooSlow`` once the deadline has passed."""
        left, usual = self._deadline - stopwatch(), self._socket.gettimeout()
        if left <= 0:
            raise TooSlow("timed out")
        is_last = usual is not None and left < usual
        if is_last:
            self._socket.settimeout(left)
        try:
            read: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            if is_last:
                raise TooSlow("timed out") from None
            raise
        return read

    def close(self) -> None:
        """Let go of the socket, which the connection may use again."""
        self._raw.close()
        super().close()


class _Response(FinalResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = Lines(_Timed(sock, self.fp.detach()))


class _Plain(HTTPConnection):
    response_class = _Response


class _Secure(HTTPSConnection):
    response_class = _Response


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _Secure


PATIENT_POOLS = {"http": _PlainPool, "https": _SecurePool}
"""Pools of connections whose answers end in time, by the scheme of the URL."""


def patient_pool(url: str, **options: Any) -> urllib3.HTTPConnectionPool:
    """Return a pool of connections to ``url`` whose answers end in time; ``options`` are urllib3's."""
    pool = urllib3.connection_from_url(url, retries=False, **options)
    pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
    return pool
