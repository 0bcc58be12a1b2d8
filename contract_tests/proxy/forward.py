"""Passing requests on and answers back, unchanged but for what belongs to a single connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http.client import HTTPException
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import orjson
import urllib3
from urllib3.util import SKIP_HEADER

from contract_tests.interim import final_pool
from contract_tests.proxy.headers import Headers, end_to_end, without
from contract_tests.proxy.upload import ClientFailed, Upload
from contract_tests.proxy.watch import Answer, Passing, Watcher
from mockserver.clock import stopwatch
from mockserver.envelope import JSON_TYPE
from mockserver.request import path_of
from mockserver.serving.heads import FIELDS
from mockserver.spoil import BrokenOff

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

OWN = ("X-Proxy-Source", "contract-tests")
"""The header that marks an answer as the proxy's own."""

_BLOCK = 65_536
_MOST_JUDGED = 8 * 1_048_576
"""The largest body that is judged; a larger one passes through all the same."""
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_FAILURES = (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError)


class Forwarder:
    """A WSGI application that asks one server, and shows every exchange to a watcher."""

    def __init__(self, base_url: str, watcher: Watcher) -> None:
        self._watcher = watcher
        self._prefix = urlsplit(base_url).path.rstrip("/")
        self._pool = final_pool(base_url, maxsize=32, block=False, timeout=_TIMEOUT)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        if not self._is_inside(target):
            message = f"The proxy only asks for paths under {self._prefix}/."
            return _own_answer(method, "400 Bad Request", message, start_response)
        headers = end_to_end((n.decode("latin-1"), v.decode("latin-1")) for n, v in environ[FIELDS])
        passing = self._watcher.begin(method, target, path_of(environ), headers)
        upload = Upload(environ)
        try:
            answer = self._ask(method, target, headers, upload)
        except ClientFailed:
            message = "The body breaks off or is malformed."
            return _own_answer(method, "400 Bad Request", message, start_response)
        except _FAILURES as error:
            # The text of such an error may quote headers; its kind is enough.
            self._watcher.fail(passing, type(error).__name__)
            message = f"The proxy got no answer from the server ({type(error).__name__})."
            return _own_answer(method, "502 Bad Gateway", message, start_response)
        start_response(f"{answer.status} {answer.reason or ''}", _passed_back(answer))
        return self._download(passing, upload, answer)

    def _is_inside(self, target: str) -> bool:
        """Whether the target is a path that stays under the base URL."""
        if not target.startswith("/"):
            return False
        steps = unquote(target.partition("?")[0]).split("/")
        return not self._prefix or ".." not in steps

    def _ask(
        self, method: str, target: str, headers: Headers, upload: Upload
    ) -> urllib3.BaseHTTPResponse:
        # The host is the server's own, and 100 Continue was already said to the client.
        sent = urllib3.HTTPHeaderDict(without(headers, "host", "expect", "content-length"))
        for name in ("Accept-Encoding", "User-Agent"):
            if name not in sent:
                sent[name] = SKIP_HEADER  # urllib3 would add one of its own
        if upload.declared is not None:
            sent["Content-Length"] = str(upload.declared)
        return self._pool.urlopen(
            method,
            self._prefix + target,
            body=iter(upload) if upload.is_there else None,
            headers=sent,
            redirect=False,
            preload_content=False,
            decode_content=False,
            chunked=upload.is_chunked,
        )

    def _download(
        self, passing: Passing, upload: Upload, answer: urllib3.BaseHTTPResponse
    ) -> Iterator[bytes]:
        """Yield the answer's body; the last piece only once the exchange is judged."""
        took = stopwatch() - passing.began
        kept, held, whole = bytearray(), b"", False
        try:
            for block in answer.stream(_BLOCK, decode_content=False):
                if len(kept) <= _MOST_JUDGED:
                    kept += block
                if held:
                    yield held
                held = block
            whole = True
        except _FAILURES as error:
            self._watcher.fail(passing, type(error).__name__)
            raise BrokenOff("the target") from None
        finally:
            if whole:
                answer.release_conn()
            else:
                answer.close()
        self._watcher.end(passing, _readable(answer, bytes(kept), upload), took)
        if held:
            yield held


def _passed_back(answer: urllib3.BaseHTTPResponse) -> Headers:
    headers = end_to_end(answer.headers.items())
    if "chunked" in answer.headers.get("Transfer-Encoding", "").lower():
        return without(headers, "content-length")  # RFC 9112 section 6.3
    return headers


def _readable(answer: urllib3.BaseHTTPResponse, body: bytes, upload: Upload) -> Answer | None:
    """Return the answer with its content decoded, or ``None`` when that can't be had."""
    codings = answer.headers.get("Content-Encoding", "")
    plain = _decoded(body, codings) if codings and body else body
    if plain is None or len(plain) > _MOST_JUDGED:
        return None
    return Answer(answer.status, list(answer.headers.items()), plain, upload.begun, upload.size)


def _decoded(body: bytes, codings: str) -> bytes | None:
    names = {name.strip().lower() for name in codings.split(",")} - {"identity"}
    if names - set(urllib3.HTTPResponse.CONTENT_DECODERS):
        return None
    coded = urllib3.HTTPResponse(
        BytesIO(body), {"content-encoding": codings}, preload_content=False
    )
    try:
        return coded.read(_MOST_JUDGED + 1, decode_content=True)
    except urllib3.exceptions.HTTPError:
        return None


def _own_answer(
    method: str, status: str, message: str, start_response: StartResponse
) -> list[bytes]:
    body = orjson.dumps({"error": message})
    start_response(status, [("Content-Type", JSON_TYPE), ("Content-Length", str(len(body))), OWN])
    return [] if method == "HEAD" else [body]
