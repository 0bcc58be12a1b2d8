"""Schemathesis's own client, held to the bounds that the gate has: answers end in time, and are cut off.

No more requests are sent than the run may send.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from schemathesis.engine import context

from contract_tests import patience
from contract_tests.exchange import Exchange, Request
from contract_tests.pace import Pace
from contract_tests.plan import SILENT, SPENT, TOO_LARGE, BudgetSpent
from mockserver.clock import stopwatch

_MOST_BYTES = 8 * 1_048_576
"""The largest answer that is read; what comes after it is cut off."""
_MOST_HELD = 256 * 1_048_576
"""Bytes of the answers that Schemathesis keeps until they are judged: all those of a scenario."""
_BLOCK = 65_536
_OWN = Request("GET", "/")
"""Stands for every request of an exploration: all go with the organization's own key."""
_CODED = ("content-encoding", "content-length", "transfer-encoding")


class Limits:
    """What was sent, and how long in a row nothing complete was answered; in the end nobody asks any more.

    A connection that is dropped at once costs no time, so an operation that does that hides no other.
    """

    def __init__(self, budget: int | None, pace: Pace | None) -> None:
        self._budget = budget
        self.pace = pace
        self._spent = ""
        self._silent = 0.0
        self._held = 0
        self.sent = 0
        """Requests that were sent."""
        self.unanswered = 0
        """Those of them that got no whole answer."""

    @property
    def ended(self) -> str:
        """Why nothing is asked any more: the target is given up, or as much was sent as may be."""
        if self._silent >= patience.MOST_SILENT:
            return SILENT
        return SPENT if self._budget is not None and self.sent >= self._budget else self._spent

    def may_ask(self) -> bool:
        """Whether another request may be sent, perhaps after a wait for the next minute."""
        try:
            if self.pace is not None and not self.ended:
                self.pace.before(_OWN)
        except BudgetSpent as spent:
            self._spent = str(spent)
        return not self.ended

    def note(self, seconds: float, *, answered: bool) -> None:
        """Take note of how long one request took, and how it ended."""
        self.unanswered += not answered
        self._silent = 0.0 if answered else self._silent + seconds

    def hold(self, size: int) -> None:
        """Take note of an answer that is kept; where they are too large, nothing is asked any more."""
        self._held += size
        if self._held > _MOST_HELD:
            self._spent = TOO_LARGE

    def let_go(self) -> None:
        """Take note that the answers so far are judged, and kept no longer."""
        self._held = 0


class _Bounded(HTTPAdapter):
    """Reads each answer itself, as far as the bounds go; what comes after it finds a short plain one."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        if not self._limits.may_ask():
            raise requests.exceptions.ConnectionError(self._limits.ended)
        self._limits.sent += 1
        begun, answered = stopwatch(), False
        try:
            response = super().send(*arguments, **options)
            answered = True
        finally:
            self._limits.note(stopwatch() - begun, answered=answered)
        if self._limits.pace is not None:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._limits.pace.after(Exchange(_OWN, response.status_code, headers, response.content))
        return response

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Trust whom the gate's own client trusts: the authorities of this machine, or of ``SSL_CERT_FILE``."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = patience.PATIENT_POOLS

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        response = super().build_response(req, resp)
        try:
            body = _read(resp)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The text of such an error may quote headers; its kind is enough.
            raise requests.exceptions.ConnectionError(type(error).__name__) from None
        self._limits.hold(len(body))
        headers = {k: v for k, v in resp.headers.items() if k.lower() not in _CODED}
        response.raw = urllib3.HTTPResponse(
            io.BytesIO(body), headers, resp.status, preload_content=False
        )
        return response


def _read(answer: urllib3.BaseHTTPResponse) -> bytes:
    body = bytearray()
    while block := answer.read1(_BLOCK, decode_content=True):
        body += block
        if len(body) > _MOST_BYTES:
            answer.close()
            return bytes(body)
    answer.release_conn()
    return bytes(body)


@contextmanager
def bounded(budget: int | None, pace: Pace | None = None) -> Iterator[Limits]:
    """Let Schemathesis ask within bounds while the block runs; it has no setting for them.

    ``budget`` is the most requests that it may send, and ``pace`` how fast. Yields what knows when nothing is asked any more.
    """
    make, limits = context.make_session, Limits(budget, pace)

    def made(*arguments: Any, **options: Any) -> requests.Session:
        session = make(*arguments, **options)
        # Neither a proxy nor a .netrc counts, as for the rule checks.
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Bounded(limits))
        return session

    context.make_session = made
    try:
        yield limits
    finally:
        context.make_session = make
