"""The proxy's own port: the mock's server, which also hands on every request header as it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cheroot.wsgi import Gateway_10

from contract_tests.proxy.headers import Headers
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HEADERS = "contract_tests.headers"
"""Where the WSGI environ has the request's headers; its own form loses repeated ones and underscores."""


class _Gateway(Gateway_10):
    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stubs say None
        """Return the environ, with the headers as they were sent."""
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]  # cheroot's
        fields: Headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in self.req.fields]
        return {**environ, HEADERS: fields}


class ProxyServer(MockServer):
    """A WSGI application behind a port, which finds the request's headers under ``HEADERS``."""

    def __init__(
        self, app: WSGIApplication, host: str = "127.0.0.1", port: int = 0, threads: int = 32
    ) -> None:
        super().__init__(app, host, port, threads)
        self._server.gateway = _Gateway
        # Sent only where the real server names itself nothing.
        self._server.server_name = "contract-tests"
