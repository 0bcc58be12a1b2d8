"""The two ways to a mock: inside this process, or a running server. Both speak the control API."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from mockserver.errors import Misuse, NotThere, Unavailable, UnknownOperation
from mockserver.testing.answers import WANTED, address, decoded
from mockserver.testing.frames import says_all

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from mockserver.app import MockFlask
    from mockserver.contract import Contract
    from mockserver.light import LightApp
    from mockserver.server import MockServer

__tracebackhide__ = says_all

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

    @property
    def last_unclaimed(self) -> int | None:
        """The number of the last request that reached no organization; ``None`` where others send some too."""

    def check(self) -> None:
        """Raise ``SuiteError`` when the mock can't be used."""

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
        self._light: LightApp | None = None
        self._server: MockServer | None = None

    @property
    def wsgi(self) -> LightApp:
        """The application itself, made at the first use. Raises ``SuiteError`` where its files are wrong."""
        if self._light is None:
            from mockserver.light import create_light_app
            from mockserver.testing.patience import Sleeper

            self._light = create_light_app(self._fixtures, self._spec)
            self._light.mock.pipeline.sleeper = Sleeper()
        return self._light

    @property
    def app(self) -> MockFlask:
        """The Flask application around the same mock. Raises as ``wsgi`` does."""
        return self.wsgi.flask

    @property
    def url(self) -> str:
        """The address of the server, which starts with the first question for it."""
        if self._server is None:
            from mockserver.server import MockServer

            self._server = MockServer(self.wsgi).start()
        return self._server.url

    @property
    def contract(self) -> Contract:
        """The contract that the application was made from."""
        return self.wsgi.mock.contract

    @property
    def last_unclaimed(self) -> int:
        """The number of the last request that reached no organization, 0 before the first."""
        return 0 if self._light is None else int(self.call("GET", "/journal?limit=1")["total"])

    def check(self) -> None:
        """Read the files. Raises ``ContractError`` or ``FixtureError`` where they are wrong."""
        _ = self.wsgi

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API without a socket; see ``Backend.call``."""
        from mockserver.control.calling import call

        data = b"" if body is None else json.dumps(body).encode()
        status, payload, kind = call(self.wsgi.mock, method, path, data)
        return decoded(status, payload, kind, f"{method} /_mock{path}")

    def make(self, body: Any) -> Any:
        """Make an organization under the next free id."""
        return self.call("POST", "/organizations", body)

    def close(self) -> None:
        """Stop the server, if it ever started, and let go whoever waits still: a client may have given up."""
        if self._light is not None:
            self._light.mock.pipeline.sleeper.wake()
        if self._server is not None:
            self._server.stop()
            self._server = None


class Remote:
    """A running mock, such as `mockserver serve` in another process or container."""

    wsgi = None
    last_unclaimed = None

    def __init__(self, url: str, token: str | None = None) -> None:
        """Take the server's base URL, and its control token if it has one.

        Raises ``Misuse`` when ``url`` is no http or https address.
        """
        self.url = url.rstrip("/")
        self._parts = address(url)
        self._headers = {"Content-Type": "application/json", "Connection": "close"}
        if token:
            self._headers["X-Mock-Token"] = token

    @cached_property
    def contract(self) -> Contract:
        """The packaged contract, which a mock of the same version keeps."""
        from mockserver.contract import load_contract

        return load_contract()

    def check(self) -> None:
        """Ask for an organization that nobody made, which also a router knows the way to.

        Raises as ``call`` does, and where somebody else than a mock answers.
        """
        with suppress(NotThere):
            self.call("GET", f"/organizations/none-{os.urandom(6).hex()}")
            raise Misuse(f"{self.url}/_mock/ knows an organization that nobody made; {WANTED}")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API over HTTP; see ``Backend.call``."""
        # A mock inside this process needs neither this nor the 4 MB of TLS that it brings.
        from http.client import HTTPConnection, HTTPException, HTTPSConnection

        secure = self._parts.scheme == "https"
        connection = (HTTPSConnection if secure else HTTPConnection)(
            str(self._parts.hostname), self._parts.port, timeout=PATIENCE
        )
        target = f"{self._parts.path.rstrip('/')}/_mock{path}"
        payload = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, target, payload, self._headers)
            response = connection.getresponse()
            return decoded(
                response.status,
                response.read(),
                response.headers.get(_KIND),
                f"{method} {self.url}/_mock{path}",
                hint=f"; {WANTED}",
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
        return self.call("PUT", f"/organizations/org-{os.urandom(6).hex()}", body)

    def close(self) -> None:
        """Do nothing: the server belongs to somebody else."""


def operation_id(backend: Backend, text: str) -> str:
    """Return the id of the operation that ``text`` names, by its id or its method and path.

    Raises ``UnknownOperation``, which names the nearest one, when the contract has none: for a path
    that a client asked, as failures show it, the route that it takes.
    """
    from mockserver.nearest import nearest_route, operation_named

    try:
        return operation_named(backend.contract, text).id
    except UnknownOperation:
        method, _, path = text.partition(" ")
        path = urlsplit(path).path
        if not path.startswith("/"):
            raise
        near = nearest_route(backend.contract, method, path)
    raise UnknownOperation(
        f"the contract has no operation {ascii(text)[1:-1][:100]}; did you mean {near}?"
    )
