"""httpx without a socket: its own WSGI transport, and an asynchronous one around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING

import anyio.to_thread
import httpx

from mockserver.testing.backends import Backend
from mockserver.testing.patience import GaveUp, patience

if TYPE_CHECKING:
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
        """Return the application's answer, whose body may still break off.

        Raises ``httpx.ReadTimeout`` at once where a planted latency outlasts the request's read timeout,
        ``httpx.ReadError`` where a fault resets the connection.
        """
        try:
            with patience(request.extensions.get("timeout", {}).get("read")):
                response = super().handle_request(request)
        except GaveUp:
            raise httpx.ReadTimeout("timed out", request=request) from None
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from error
        response.stream = _Body(response, request)
        return response


class ToApplicationAsync(httpx.AsyncBaseTransport):
    """Lets a thread answer, so that a slow answer doesn't hold up the event loop."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        response = await anyio.to_thread.run_sync(
            self._inner.handle_request, request, abandon_on_cancel=True
        )
        response.stream = _AsyncBody(response.stream)  # type: ignore[arg-type]  # WSGI answers are synchronous
        return response


class _Body(httpx.SyncByteStream):
    """The body of an answer; one that breaks off says so as a connection would."""

    def __init__(self, response: httpx.Response, request: httpx.Request) -> None:
        self._inner: httpx.SyncByteStream = response.stream  # type: ignore[assignment]  # the same
        self._expected = response.headers.get("Content-Length")
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        try:
            for piece in self._inner:
                received += len(piece)
                yield piece
        except ConnectionError as error:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body"
                f" (received {received} bytes, expected {self._expected})",
                request=self._request,
            ) from error

    def close(self) -> None:
        self._inner.close()


class _AsyncBody(httpx.AsyncByteStream):
    """The same for an asynchronous client; a thread waits for each piece."""

    def __init__(self, inner: httpx.SyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self._inner)
        while (piece := await anyio.to_thread.run_sync(next, pieces, None)) is not None:
            yield piece

    async def aclose(self) -> None:
        self._inner.close()


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
