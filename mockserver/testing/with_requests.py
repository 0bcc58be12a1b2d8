"""requests without a socket: a transport adapter that calls the WSGI application.

The adapter on PyPI, `requests-wsgi-adapter`, has had no release since 2019, hence this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse, Timeout
from urllib3.exceptions import ProtocolError
from werkzeug.test import create_environ, run_wsgi_app

from mockserver.errors import Misuse
from mockserver.testing.backends import Backend
from mockserver.testing.patience import GaveUp, patience

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def session(backend: Backend) -> requests.Session:
    """Return a session whose requests all reach the mock, and that trusts no proxy of the environment."""
    return ToMock(ToServer(backend.url) if backend.wsgi is None else ToApplication(backend.wsgi))


class ToMock(requests.Session):
    """A session whose every address leads to the mock, and that no adapter of a client's leads elsewhere."""

    def __init__(self, adapter: HTTPAdapter) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        for prefix in ("http://", "https://"):
            super().mount(prefix, adapter)

    def mount(self, prefix: str | bytes, adapter: BaseAdapter) -> None:
        """Mount what requests itself mounts at first. Raises ``Misuse`` afterwards.

        The client's requests would leave for the address that it has built in, with the test's key.
        """
        if any(isinstance(mounted, ToApplication | ToServer) for mounted in self.adapters.values()):
            raise Misuse(
                f"an adapter mounted at {prefix!r} would lead past the mock; give a client that mounts"
                " its own a session of its own, and fansmetric.url"
            )
        super().mount(prefix, adapter)


class ToApplication(HTTPAdapter):
    """Answers each request from a WSGI application in this process."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(
        self, request: requests.PreparedRequest, *_: Any, timeout: Any = None, **__: Any
    ) -> requests.Response:
        """Return the application's answer; proxies and certificates don't matter.

        Raises ``requests.ReadTimeout`` at once where a planted latency outlasts the read timeout,
        ``requests.ConnectionError`` where a fault resets the connection.
        """
        environ = create_environ(
            request.path_url,
            "{0.scheme}://{0.netloc}".format(urlsplit(str(request.url))),
            method=str(request.method),
            headers=dict(request.headers),
            input_stream=BytesIO(_bytes(request.body)),
            environ_overrides={"REMOTE_ADDR": "127.0.0.1", "wsgi.input_terminated": True},
        )
        seconds = _read_timeout(timeout)
        try:
            with patience(seconds):
                pieces, line, headers = run_wsgi_app(self._app, environ)
        except GaveUp:
            raise requests.ReadTimeout(
                f"Read timed out. (read timeout={seconds})", request=request
            ) from None
        except ConnectionError as error:
            broken = ProtocolError("Connection aborted.", error)
            raise requests.ConnectionError(broken, request=request) from error
        status, reason = line.split(maxsplit=1)
        raw = HTTPResponse(
            BytesIO(_received(pieces)),
            HTTPHeaderDict(headers.items()),
            int(status),
            reason=reason,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


class ToServer(HTTPAdapter):
    """Sends each request to one server, whatever its address says."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Return the server's answer."""
        redirected = request.copy()
        redirected.url = self._url + request.path_url
        return super().send(redirected, *args, **kwargs)


def _received(pieces: Iterable[bytes]) -> bytes:
    """Return the body up to where it breaks off; urllib3 compares it with its declared length."""
    received = bytearray()
    try:
        for piece in pieces:
            received += piece
    except ConnectionError:
        pass
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
    return bytes(received)


def _read_timeout(timeout: Any) -> float | None:
    """Return the seconds to wait for an answer, of a ``timeout`` in any form that requests takes."""
    if isinstance(timeout, tuple):
        _, timeout = timeout
    running = timeout.clone() if isinstance(timeout, Timeout) else Timeout(read=timeout)
    running.start_connect()  # only then it says what is left of a total
    return running.read_timeout


def _bytes(body: Any) -> bytes:
    """Return a prepared request's body, which may be text, bytes, a file or an iterable."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    if hasattr(body, "read"):
        body = body.read()
        return body.encode() if isinstance(body, str) else bytes(body)
    return bytes(body) if isinstance(body, bytes | bytearray) else b"".join(body)
