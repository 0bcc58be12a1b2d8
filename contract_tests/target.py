"""Sending requests to the target: counted, bounded, and never harmful unless that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import urllib3

from contract_tests.exchange import Exchange, Request
from contract_tests.profile import Profile
from mockserver.errors import Unavailable

_MOST_BYTES = 8 * 1_048_576
"""The largest answer that is read; what comes after it is cut off."""
_BLOCK = 65_536
_TIMEOUT = urllib3.Timeout(connect=5, read=20)


class BudgetSpent(Exception):
    """Raised when the run has sent as many requests as it may."""


class Unsafe(Exception):
    """Raised instead of sending what could write to a real account; the check that asked is at fault."""


class Unanswered(Exception):
    """Raised when the target gives no complete answer."""


class Target:
    """A server under test."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.sent = 0
        self._lock = threading.Lock()
        self._pool = urllib3.connection_from_url(
            profile.base_url, maxsize=16, block=False, retries=False, timeout=_TIMEOUT
        )
        self._prefix = _path_of(profile.base_url)
        self._secrets: set[str] = {secret.value for secret in profile.keys.values()}

    @property
    def is_safe(self) -> bool:
        """Whether writes can do no harm: allowed, or on this machine."""
        return self.profile.allow_writes or self.profile.is_loopback

    def reach(self) -> None:
        """Raise ``Unavailable`` unless the target answers at all."""
        try:
            self.send(Request("GET", "/health"))
        except Unanswered as error:
            raise Unavailable(f"{self.profile.base_url} can't be reached: {error}") from None

    def send(self, request: Request, *, may_write: bool = False) -> Exchange:
        """Send ``request`` and return the exchange.

        ``may_write`` says that the request could change something, because its key is valid and permitted.
        Raises ``BudgetSpent``, ``Unsafe``, or ``Unanswered``.
        """
        if may_write and not self.is_safe:
            raise Unsafe(f"{request.method} {request.path}")
        self._count()
        self._secrets.update(secret.value for _, _, secret in request.credentials)
        try:
            answer = self._pool.urlopen(
                request.method,
                self._prefix + request.path,
                body=_chunks(request.body) if request.chunked else request.body or None,
                headers=request.sent_headers(),
                redirect=False,
                preload_content=False,
                chunked=request.chunked,
            )
            return self._read(request, answer)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The text of such an error may quote headers; its kind is enough.
            raise Unanswered(type(error).__name__) from None

    def _read(self, request: Request, answer: urllib3.BaseHTTPResponse) -> Exchange:
        body = b""
        for block in answer.stream(_BLOCK, decode_content=True):
            body += block
            if len(body) > _MOST_BYTES:
                answer.close()
                break
        answer.release_conn()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Exchange(request, answer.status, headers, body, frozenset(self._secrets))

    def _count(self) -> None:
        with self._lock:
            limit = self.profile.max_requests
            if limit is not None and self.sent >= limit:
                raise BudgetSpent
            self.sent += 1


def _path_of(url: str) -> str:
    return urllib3.util.parse_url(url).path or ""


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _BLOCK):
        yield body[start : start + _BLOCK]
