"""httpx without a socket: its own WSGI transport, and an asynchronous one around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
import httpx

from mockserver.testing.backends import Backend

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def transport(backend: Backend) -> httpx.BaseTransport:
    """Return what carries a client's requests to the mock, whatever their address."""
    if backend.wsgi is None:
        return ToServer(backend.url)
    return ToApplication(backend.wsgi)


def async_transport(backend: Backend) -> httpx.AsyncBaseTransport:
    """Return what carries an asynchronous client's requests to the mock, whatever their address."""
    if backend.wsgi is None:
        return ToServerAsync(backend.url)
    return ToApplicationAsync(transport(backend))


class ToApplication(httpx.WSGITransport):
    """Answers each request from a WSGI application in this process."""

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__(_terminated(app))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the application's answer. Raises ``httpx.ReadError`` where a fault breaks the connection."""
        try:
            response = super().handle_request(request)
            content = b"".join(response.stream)  # type: ignore[arg-type]  # WSGI answers are synchronous
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        return httpx.Response(response.status_code, headers=response.headers, content=content)


class ToApplicationAsync(httpx.AsyncBaseTransport):
    """Lets a thread answer, so that a slow answer doesn't hold up the event loop."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return await anyio.to_thread.run_sync(
            self._inner.handle_request, request, abandon_on_cancel=True
        )


class ToServer(httpx.HTTPTransport):
    """Sends each request to one server, whatever its address says."""

    def __init__(self, url: str) -> None:
        super().__init__(trust_env=False)
        self._url = httpx.URL(url)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = _moved(request.url, self._url)
        return super().handle_request(request)


class ToServerAsync(httpx.AsyncHTTPTransport):
    """Sends each request to one server, whatever its address says."""

    def __init__(self, url: str) -> None:
        super().__init__(trust_env=False)
        self._url = httpx.URL(url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = _moved(request.url, self._url)
        return await super().handle_async_request(request)


def _moved(url: httpx.URL, to: httpx.URL) -> httpx.URL:
    return url.copy_with(scheme=to.scheme, host=to.host, port=to.port)


def _terminated(app: WSGIApplication) -> WSGIApplication:
    """Say that the input ends by itself, else a body without a declared length would go unread."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "wsgi.input_terminated": True}, start_response)

    return wrapped
