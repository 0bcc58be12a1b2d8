"""The mock as it is served: a WSGI application that makes the Flask application once a request needs it.

The mocked operations don't, so whoever asks for nothing else has neither the time nor the memory that
importing Flask takes.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.clock import Clock
from mockserver.contract import load_contract
from mockserver.control.admission import check_token
from mockserver.fixtures import read_fixtures
from mockserver.front import Front
from mockserver.mock import Mock
from mockserver.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mockserver.app import MockFlask
    from mockserver.serving.answers import Whole
    from mockserver.serving.connection import Connection
    from mockserver.serving.heads import Head

_FLASK_HAS = re.compile(r"/|/(_mock|_pages|docs|rules|openapi)([/.].*)?", re.DOTALL)
"""The paths under which Flask has routes; a test compares them with its URL map."""


class LightApp:
    """A mock as a WSGI application, and its Flask application when somebody asks for it."""

    is_prompt = True
    """Tells the mock's server that requests step aside themselves before they wait; see ``STEP_ASIDE``."""

    def __init__(self, mock: Mock, token: str | None = None) -> None:
        """Take the mock, and the token that opens its control API to other hosts.

        Raises ``ContractError`` at a path of the contract that can't be one.
        """
        self.mock = mock
        self._token = token
        self._front = Front(mock, self._through_flask, may_know=has_route)
        self._flask: MockFlask | None = None
        self._lock = threading.Lock()

    @property
    def flask(self) -> MockFlask:
        """The Flask application around the same mock, made by whoever asks first."""
        with self._lock:
            if self._flask is None:
                from mockserver.app import flask_app

                self._flask = flask_app(self.mock, self._token)
            return self._flask

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        # Once it is there it may have been given blueprints, or another `wsgi_app`.
        answer = self._flask or self._front
        return answer(environ, start_response)

    def straight(self, head: Head, client: Connection) -> Whole | WSGIApplication | None:
        """Answer ``client`` of the mock's own server without an environ, where that comes to the same."""
        flask = self._flask
        if flask is not None and not isinstance(flask.wsgi_app, Front):
            return None  # somebody has put something before it
        return self._front.straight(head, client)

    def _through_flask(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        return self.flask(environ, start_response)


def has_route(path: str) -> bool:
    """Whether Flask may have a route at ``path``, besides those of the contract."""
    return _FLASK_HAS.fullmatch(path) is not None


def create_light_app(
    fixtures: str | Path | None = None,
    spec: str | Path | None = None,
    *,
    clock: Clock | None = None,
    diagnosis: bool = True,
    check_responses: bool = True,
    token: str | None = None,
) -> LightApp:
    """Return the mock as a WSGI application without Flask; takes and raises what ``create_app`` does."""
    check_token(token)
    contract = load_contract(Path(spec) if spec else None)
    seed = read_fixtures(contract, Path(fixtures) if fixtures else None)
    mock = Mock(
        contract,
        World(seed, contract.permissions, clock),
        diagnosis=diagnosis,
        check_responses=check_responses,
    )
    return LightApp(mock, token)
