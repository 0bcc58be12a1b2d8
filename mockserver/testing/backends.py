"""The two ways to a mock: inside this process, or a running server. Both speak the control API."""

from __future__ import annotations

import json
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from mockserver import errors
from mockserver.errors import Misuse, Unavailable

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from mockserver.app import MockFlask
    from mockserver.contract import Contract
    from mockserver.server import MockServer

_KIND = "X-Mock-Misuse"
"""The header in which the control API names the class of a misuse."""

PATIENCE = 10.0
"""Seconds that a running server has for one call of its control API."""


class Backend(Protocol):
    """A mock and the way to its control API."""

    @property
    def url(self) -> str:
        """The base URL that clients are given."""

    @property
    def wsgi(self) -> WSGIApplication | None:
        """The mock as a WSGI application, or ``None`` when it isn't in this process."""

    @property
    def contract(self) -> Contract:
        """The contract that the mock keeps."""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON answer of the control API to ``method`` on ``path`` under `/_mock`.

        Raises ``Misuse`` with the mock's own sentence when it refuses, ``Unavailable`` when it isn't there.
        """

    def make(self, body: Any) -> Any:
        """Make the organization that ``body`` describes, and return it. Raises as ``call`` does."""

    def close(self) -> None:
        """Give back what the backend holds: its port and its threads."""


class InProcess:
    """A mock inside this process; its server starts when somebody first asks for the URL."""

    def __init__(self, fixtures: str | Path | None = None, spec: str | Path | None = None) -> None:
        """Take what ``create_app`` takes; nothing is read before it is needed."""
        self._fixtures, self._spec = fixtures, spec
        self._app: MockFlask | None = None
        self._server: MockServer | None = None

    @property
    def app(self) -> MockFlask:
        """The Flask application, made at the first use. Raises ``SuiteError`` where its files are wrong."""
        if self._app is None:
            from mockserver.app import create_app
            from mockserver.testing.patience import Sleeper

            self._app = create_app(self._fixtures, self._spec)
            self._app.mock.pipeline.sleeper = Sleeper()
        return self._app

    @property
    def url(self) -> str:
        """The address of the server, which starts with the first question for it."""
        if self._server is None:
            from mockserver.server import MockServer

            self._server = MockServer(self.wsgi).start()
        return self._server.url

    @property
    def wsgi(self) -> WSGIApplication:
        """The application itself."""
        return self.app

    @property
    def contract(self) -> Contract:
        """The contract that the application was made from."""
        return self.app.mock.contract

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API without a socket; see ``Backend.call``."""
        from werkzeug.test import create_environ, run_wsgi_app

        environ = create_environ(
            f"/_mock{path}",
            "http://localhost",
            method=method,
            data=b"" if body is None else json.dumps(body).encode(),
            environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
        )
        pieces, status, headers = run_wsgi_app(self.app.wsgi_app, environ, buffered=True)
        return _answer(
            int(status.split()[0]), b"".join(pieces), headers.get(_KIND), f"{method} /_mock{path}"
        )

    def make(self, body: Any) -> Any:
        """Make an organization under the next free id."""
        return self.call("POST", "/organizations", body)

    def close(self) -> None:
        """Stop the server, if it ever started."""
        if self._server is not None:
            self._server.stop()
            self._server = None


class Remote:
    """A running mock, such as `mockserver serve` in another process or container."""

    wsgi = None

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take the server's base URL, and its control token if it has one.

        Raises ``Misuse`` when ``url`` is no http or https address.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Misuse(f"{url!r} is no address of a mock; give one such as http://127.0.0.1:4010")
        self.url = url.rstrip("/")
        self._parts = parts
        self._headers = {"Content-Type": "application/json", "Connection": "close"}
        if token:
            self._headers["X-Mock-Token"] = token

    @cached_property
    def contract(self) -> Contract:
        """The packaged contract, which a mock of the same version keeps."""
        from mockserver.contract import load_contract

        return load_contract()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API over HTTP; see ``Backend.call``."""
        secure = self._parts.scheme == "https"
        connection = (HTTPSConnection if secure else HTTPConnection)(
            str(self._parts.hostname), self._parts.port, timeout=PATIENCE
        )
        target = f"{self._parts.path.rstrip('/')}/_mock{path}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, target, payload, self._headers)
            response = connection.getresponse()
            kind = response.headers.get(_KIND)
            return _answer(
                response.status, response.read(), kind, f"{method} {self.url}/_mock{path}"
            )
        except (OSError, HTTPException) as error:
            raise Unavailable(
                f"no mock answers at {self.url} ({type(error).__name__}: {error});"
                " start one with `mockserver serve`"
            ) from None
        finally:
            connection.close()

    def make(self, body: Any) -> Any:
        """Make an organization under an id of our own: behind a router, the id says which mock is asked."""
        return self.call("PUT", f"/organizations/org-{token_hex(6)}", body)

    def close(self) -> None:
        """Do nothing: the server belongs to somebody else."""


def _answer(status: int, payload: bytes, kind: str | None, label: str) -> Any:
    """Return the decoded answer, or raise the ``Misuse`` of this kind with the sentence of the refusal."""
    try:
        value = json.loads(payload)
    except ValueError:
        raise Misuse(
            f"{label} answered {status} without JSON: is that a FansMetric mock?"
        ) from None
    if status >= 500:
        raise Unavailable(f"the mock failed at {label}: {value}; its log says more")
    if status >= 400:
        said = value.get("error") if isinstance(value, dict) else None
        raise _misuse(kind)(str(said or f"{label} answered {status}"))
    return value


def _misuse(kind: str | None) -> type[Misuse]:
    """Return the class that the control API named, or ``Misuse`` where this version doesn't know it."""
    found = getattr(errors, kind or "", Misuse)
    return found if isinstance(found, type) and issubclass(found, Misuse) else Misuse
