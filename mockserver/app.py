"""The Flask application: one URL map for everything, and a short path for the mocked operations.

`app.wsgi_app` is wrapped, Flask's own idiom: a request for a mocked operation goes from the WSGI environ
straight into the pipeline, anything else (control API, pages, a user's blueprints) into Flask.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from mockserver import rules
from mockserver.call import call_of
from mockserver.clock import Clock
from mockserver.control import signing
from mockserver.control.blueprint import control_blueprint
from mockserver.envelope import Refused, Reply, refusal
from mockserver.files import MOST_BYTES
from mockserver.front import Front
from mockserver.light import create_light_app
from mockserver.mock import Mock
from mockserver.pages.blueprint import pages_blueprint
from mockserver.request import read_request
from mockserver.routing import flask_path


class MockFlask(Flask):
    """A Flask application that carries its mock."""

    mock: Mock
    is_prompt = True
    """Tells the mock's server that requests step aside themselves before they wait; see ``STEP_ASIDE``."""


def create_app(
    fixtures: str | Path | None = None,
    spec: str | Path | None = None,
    *,
    clock: Clock | None = None,
    diagnosis: bool = True,
    check_responses: bool = True,
    token: str | None = None,
) -> MockFlask:
    """Return the mock as a Flask application, which any WSGI server can run.

    ``fixtures`` and ``spec`` are paths of a fixture directory and an OpenAPI document, by default the
    packaged ones; ``token`` opens the control API and the pages to other hosts than loopback.
    Raises ``ContractError`` or ``FixtureError`` when one of them can't be used, ``Misuse`` at an empty token.
    """
    return create_light_app(
        fixtures,
        spec,
        clock=clock,
        diagnosis=diagnosis,
        check_responses=check_responses,
        token=token,
    ).flask


def flask_app(mock: Mock, token: str | None = None) -> MockFlask:
    """Return the Flask application around ``mock``, which any WSGI server can run."""
    app = MockFlask("mockserver", static_folder=None)
    app.mock = mock
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES  # of the control API; the mocked one has its own
    app.url_map.merge_slashes = False
    if token is not None:
        signing.prepare(app, token)
    _add_operations(app)
    app.register_blueprint(control_blueprint(mock, token))
    app.register_blueprint(pages_blueprint(mock, token))
    app.register_error_handler(HTTPException, _flat_error)
    app.wsgi_app = Front(mock, app.wsgi_app)  # type: ignore[method-assign]  # Flask's idiom for middleware
    return app


def _add_operations(app: MockFlask) -> None:
    """Put the contract's routes into Flask's URL map, where `flask routes` shows them."""
    for operation in app.mock.contract:
        app.add_url_rule(
            flask_path(operation.path),
            operation.id,
            _through_flask,
            methods=[operation.method],
            provide_automatic_options=False,
        )


def _through_flask(**arguments: str) -> Response:
    """Answer a mocked operation that reached Flask itself, because somebody unwrapped the front."""
    app = _current()
    operation = app.mock.contract.operations[str(request.endpoint)]
    asked = replace(
        read_request(request.environ),
        method=operation.method,
        operation=operation,
        path_arguments=arguments,
    )
    reply = app.mock.answer(call_of(asked, request.environ), operation)
    return _sent(app.mock, reply)


def _flat_error(error: HTTPException) -> Response:
    """Give Flask's own errors the flat body; an unknown route names its rule as the pipeline's refusals do."""
    mock = _current().mock
    if isinstance(error, NotFound):
        refused = Refused(rules.UNKNOWN_ROUTE, "There is no such route.")
        # Calls of the control API are no exchanges with the mocked one.
        is_control = request.path.startswith("/_mock/")
        call = call_of(read_request(request.environ), request.environ)
        reply = refusal(refused) if is_control else mock.turn_away(call, refused)
    else:
        allow = tuple((k, v) for k, v in error.get_headers() if k == "Allow")
        reply = refusal(
            Refused(rules.UNKNOWN_METHOD, f"{error.name}.", status=error.code, headers=allow)
        )
    return _sent(mock, reply)


def _sent(mock: Mock, reply: Reply) -> Response:
    return Response(reply.body, reply.status, list(mock.begin(reply).headers))


def _current() -> MockFlask:
    from flask import current_app

    app = current_app._get_current_object()  # type: ignore[attr-defined]  # the proxy's documented way out
    assert isinstance(app, MockFlask)  # noqa: S101 - only create_app registers this view
    return app
