"""The proxy's own port: the mock's server, which also hands on every request header as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from cheroot.server import HeaderReader
from cheroot.wsgi import Gateway_10

from contract_tests.proxy.headers import Headers
from mockserver.server import Connection, FlatRequest, MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HEADERS = "contract_tests.headers"
"""Where the WSGI environ has the request's headers; its own form loses repeated ones and underscores."""


class _Lines:
    """A stream that remembers the lines that were read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read: list[bytes] = []

    def readline(self) -> bytes:
        self.read.append(self._stream.readline())
        return self.read[-1]


class _Request(FlatRequest):
    headers: Headers

    def header_reader(self, stream: BinaryIO, found: dict[bytes, bytes]) -> None:
        """Read the headers into ``found``, as cheroot wants them, and keep them as they are."""
        lines = _Lines(stream)
        HeaderReader()(lines, found)
        self.headers = _parsed(lines.read)


class _Connection(Connection):
    RequestHandlerClass = _Request


class _Gateway(Gateway_10):
    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stubs say None
        """Return the environ, with the headers as they were sent."""
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]  # cheroot's
        return {**environ, HEADERS: self.req.headers}


class ProxyServer(MockServer):
    """A WSGI application behind a port, which finds the request's headers under ``HEADERS``."""

    def __init__(
        self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, threads: int = 32
    ) -> None:
        super().__init__(app, host, port, threads)
        self._server.ConnectionClass = _Connection
        self._server.gateway = _Gateway
        # Sent only where the real server names itself nothing.
        self._server.server_name = "contract-tests"


def _parsed(lines: list[bytes]) -> Headers:
    found: Headers = []
    for line in lines:
        text = line.decode("latin-1").rstrip("\r\n")
        if text[:1] in (" ", "\t") and found:
            name, value = found.pop()
            found.append((name, f"{value} {text.strip()}"))
        elif text:
            name, _, value = text.partition(":")
            found.append((name.strip(), value.strip()))
    return found
