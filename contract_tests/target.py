"""Sending requests to the target: counted, bounded, and never harmful unless that is allowed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ProtocolError

from contract_tests import patience
from contract_tests.exchange import Exchange, Request
from contract_tests.failures import told
from contract_tests.masking import masked
from contract_tests.pace import Pace
from contract_tests.plan import SPENT, BudgetSpent
from contract_tests.profile import Profile
from mockserver.clock import stopwatch
from mockserver.errors import SuiteError, Unavailable

_MOST_BYTES = 8 * 1_048_576
"""The largest answer that is read; what comes after it is cut off."""
_BLOCK = 65_536
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""The methods that do the same when they are sent twice (RFC 9110 section 9.2.2)."""
_HEALTH = Request("GET", "/health")
_TIMEOUT = urllib3.Timeout(connect=5, read=20)


class Unsafe(Exception):
    """Raised instead of sending what could write to a real account; the check that asked is at fault."""


class Unanswered(Exception):
    """Raised when the target gives no complete answer."""


class Dropped(Unanswered):
    """Raised when the connection ends before an answer begins, as one does that was kept too long."""


class Closed(Unanswered):
    """Raised when a connection that was kept ends before an answer to what may not be sent twice.

    A server may close one at any time, and nobody can know whether it had seen the request.
    """


class Lost(Exception):
    """Raised when the target doesn't answer any more, whatever is asked."""


class Target:
    """A server under test."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.pace = None if profile.control else Pace()
        """How fast an organization is asked that isn't the run's own; ``None`` where nobody minds."""
        self.sent = 0
        self.from_cache = 0
        """Answers of which the target says itself that a cache had kept them."""
        self._closes = False
        """Whether a connection was dropped; then what may not be sent twice gets one of its own."""
        self._lost = False
        self._silent = 0.0
        """Seconds in a row without a complete answer; a server that hangs is given up some time."""
        self._lock = threading.Lock()
        self._pool = patience.patient_pool(
            profile.base_url, maxsize=16, block=False, timeout=_TIMEOUT
        )
        self._prefix = _path_of(profile.base_url)
        # A dict, for it knows the order; an empty key is none, and masking it would mask everything.
        self._secrets = {secret.value: None for secret in profile.keys.values() if secret.value}
        self._shared = self._secrets.keys()

    @property
    def is_safe(self) -> bool:
        """Whether writes can do no harm: allowed, or on this machine and not forbidden."""
        return self.profile.may_write

    def reach(self) -> None:
        """Raise ``Unavailable`` unless the target answers at all, ``SuiteError`` where it does so over https only."""
        self._count()
        base = self.profile.base_url
        try:
            answer = self._exchanged(_HEALTH)
        except Unanswered as error:
            raise Unavailable(f"{base} can't be reached: {error}") from None
        if _leads_to_https(base, answer):
            raise SuiteError(f"{base} only redirects to https; name the https address")

    def hurry(self, *, when: bool) -> None:
        """Mind no pace any more from ``when`` on: a check begins that may use a window up."""
        if when:
            self.pace = None

    def masked(self, text: str) -> str:
        """Return ``text`` without any key that was sent."""
        return masked(text, self._secrets)

    def send(self, request: Request, *, may_write: bool = False) -> Exchange:
        """Send ``request`` and return the exchange.

        ``may_write`` says that the request could change something, because its key is valid and permitted.
        Raises ``BudgetSpent``, ``Unsafe``, ``Unanswered``, or ``Lost`` when nothing is answered any more.
        """
        if self._lost:
            raise Lost
        if may_write and not self.is_safe:
            raise Unsafe(f"{request.method} {request.path}")
        if self.pace is not None:
            self.pace.before(request)
        self._count()
        self._secrets |= {s.value: None for _, _, s in request.credentials if s.value}
        begun = stopwatch()
        try:
            exchange = self._twice(request)
        except Unanswered:
            self._silent += stopwatch() - begun
            if self._silent >= patience.MOST_SILENT or not self._answers():
                self._lost = True
                raise Lost from None
            raise
        self._silent = 0.0
        if self.pace is None:
            return exchange
        self.pace.after(exchange)
        # What is refused with a 429 wasn't carried out, so it may be sent again, even if it writes.
        again = exchange.status == 429 and self.pace.may_repeat(exchange)
        return self.send(request, may_write=may_write) if again else exchange

    def _twice(self, request: Request) -> Exchange:
        """Send ``request``, and once more if that can do no harm and its connection was dropped."""
        repeatable = request.method in _REPEATABLE
        try:
            if self._closes and not repeatable:
                with self._pool_of_one() as pool:
                    return self._exchanged(request, pool)
            return self._exchanged(request)
        except Dropped as dropped:
            if not repeatable:
                known, self._closes = self._closes, True
                raise dropped if known else Closed(f"{dropped}") from None
            self._closes = True
            self._count()
            return self._exchanged(request)

    def _pool_of_one(self) -> urllib3.HTTPConnectionPool:
        return patience.patient_pool(self.profile.base_url, timeout=_TIMEOUT)

    def _answers(self) -> bool:
        """Whether the target answers a simple question, after it left another one unanswered."""
        try:
            self._count()
            self._exchanged(_HEALTH)
        except Unanswered:
            return False
        except BudgetSpent:  # then nobody can know
            return True
        return True

    def _exchanged(
        self, request: Request, pool: urllib3.HTTPConnectionPool | None = None
    ) -> Exchange:
        try:
            answer = (pool or self._pool).urlopen(
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
            failure = Dropped if type(error) is ProtocolError else Unanswered
            raise failure(told(error)) from None

    def _read(self, request: Request, answer: urllib3.BaseHTTPResponse) -> Exchange:
        body = bytearray()
        while block := answer.read1(_BLOCK, decode_content=True):
            body += block
            if len(body) > _MOST_BYTES:
                answer.close()
                break
        answer.release_conn()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if "allow" in headers:  # a list, which may be told in several lines (RFC 9110 section 5.3)
            headers["allow"] = answer.headers["allow"]
        self.from_cache += headers.get("age", "0").strip() not in ("", "0")
        return Exchange(request, answer.status, headers, bytes(body), self._shared)

    def _count(self) -> None:
        with self._lock:
            limit = self.profile.max_requests
            if limit is not None and self.sent >= limit:
                raise BudgetSpent(SPENT)
            self.sent += 1


def _leads_to_https(base: str, answer: Exchange) -> bool:
    """Whether an answer sends whoever asks over http to the same host over https."""
    try:
        there = urlsplit(answer.headers.get("location", ""))
        same = there.hostname == urlsplit(base).hostname
    except ValueError:  # no URL at all
        return False
    moved = 300 <= answer.status < 400 and base.startswith("http://")
    return moved and there.scheme == "https" and same


def _path_of(url: str) -> str:
    return urllib3.util.parse_url(url).path or ""


def _chunks(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), _BLOCK):
        yield body[start : start + _BLOCK]
