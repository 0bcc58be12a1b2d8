"""Schemathesis's own client, held to the bounds that the gate has: answers end in time, and are cut off."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from schemathesis.engine import context

from contract_tests.patience import PATIENT_POOLS
from mockserver.clock import stopwatch

_MOST_BYTES = 8 * 1_048_576
"""The largest answer that is read; what comes after it is cut off."""
_BLOCK = 65_536
_MOST_SILENT = 90.0
"""Seconds of waiting in a row without a complete answer, after which the target is given up."""
_CODED = ("content-encoding", "content-length", "transfer-encoding")


class Silence:
    """How long in a row nothing complete was answered; in the end nobody asks any more.

    A connection that is dropped at once costs no time, so an operation that does that hides no other.
    """

    def __init__(self) -> None:
        self._seconds = 0.0

    @property
    def is_final(self) -> bool:
        """Whether the target is given up."""
        return self._seconds >= _MOST_SILENT

    def note(self, seconds: float, *, answered: bool) -> None:
        """Take note of how long one request took, and how it ended."""
        self._seconds = 0.0 if answered else self._seconds + seconds


class _Bounded(HTTPAdapter):
    """Reads each answer itself, as far as the bounds go; what comes after it finds a short plain one."""

    def __init__(self, silence: Silence) -> None:
        super().__init__()
        self._silence = silence

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        if self._silence.is_final:
            raise requests.exceptions.ConnectionError("the target answers no more")
        begun, answered = stopwatch(), False
        try:
            response = super().send(*arguments, **options)
            answered = True
        finally:
            self._silence.note(stopwatch() - begun, answered=answered)
        return response

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = PATIENT_POOLS

    def build_response(
        self, req: requests.PreparedRequest, resp: urllib3.BaseHTTPResponse
    ) -> requests.Response:
        response = super().build_response(req, resp)
        try:
            body = _read(resp)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The text of such an error may quote headers; its kind is enough.
            raise requests.exceptions.ConnectionError(type(error).__name__) from None
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
def bounded() -> Iterator[Silence]:
    """Let Schemathesis ask within bounds while the block runs; it has no setting for them.

    Yields what knows when the target doesn't answer any more.
    """
    make, silence = context.make_session, Silence()

    def made(*arguments: Any, **options: Any) -> requests.Session:
        session = make(*arguments, **options)
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Bounded(silence))
        return session

    context.make_session = made
    try:
        yield silence
    finally:
        context.make_session = make
