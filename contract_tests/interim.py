"""Answers that come after interim ones (RFC 9110 section 15.2): these are dropped, the final one counts."""

from __future__ import annotations

import io
import socket
from http.client import HTTPException, HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

_SWITCHING = 101
"""The one 1xx after which no other answer comes."""
_MOST = 32
"""Interim answers to one request; more are no way to an answer."""
_BREAKS = bytes.maketrans(b"\x0b\x0c\x1c\x1d\x1e\x85", b"??????")
"""What Python takes for the end of a header line beside CR and LF; the last byte of an Å in UTF-8 is one."""


class Lines(io.BufferedReader):
    """What a socket receives, with header lines that end where HTTP says that they end."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line."""
        return super().readline(size).translate(_BREAKS)


class FinalResponse(HTTPResponse):
    """The final answer; Python's own class passes over 100 Continue only."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = Lines(self.fp.detach())

    def begin(self) -> None:
        """Read up to the end of the final answer's headers. Raises ``HTTPException`` when none comes."""
        for _ in range(_MOST):
            super().begin()
            if not 100 <= self.status < 200 or self.status == _SWITCHING:
                return
            self.headers = self.msg = None  # type: ignore[assignment]  # as it was before anything was read
        raise HTTPException("only interim answers")


class _Plain(HTTPConnection):
    response_class = FinalResponse


class _Secure(HTTPSConnection):
    response_class = FinalResponse


def final_pool(url: str, **options: Any) -> urllib3.HTTPConnectionPool:
    """Return a pool of connections to ``url`` that give final answers only; ``options`` are urllib3's."""
    pool = urllib3.connection_from_url(url, retries=False, **options)
    pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
    return pool
