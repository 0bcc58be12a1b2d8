"""The control API as a Flask blueprint: every route, behind the guard."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from flask import Blueprint, Response, request

from mockserver.control.asked import NUMBERS, Answer, Sent, View
from mockserver.control.guard import invitation, reason_to_refuse
from mockserver.control.routes import ROUTES, answer
from mockserver.envelope import JSON_TYPE
from mockserver.routing import flask_path

if TYPE_CHECKING:
    from mockserver.mock import Mock


def control_blueprint(mock: Mock, token: str | None) -> Blueprint:
    """Return the control API of ``mock``; ``token`` is what callers from other hosts must present."""
    blueprint = Blueprint("control", __name__, url_prefix="/_mock")
    blueprint.before_request(lambda: _refuse_strangers(token))
    for path, method, view in ROUTES:
        # Without strict slashes `/_mock` is answered as `/_mock/` is, instead of by a redirection.
        blueprint.add_url_rule(
            flask_path(path, NUMBERS),
            view.__name__,
            _answering(mock, view),
            methods=[method],
            strict_slashes=path != "/",
        )
    blueprint.add_url_rule("/page/<name>", "page_file", _page_file)
    return blueprint


def _page_file(name: str) -> Response:
    """Return a file of the page that `GET /` shows; it is no part of the API, so no document has it."""
    from mockserver.pages.world import page_file

    return page_file(name)


def _answering(mock: Mock, view: View) -> Callable[..., Response]:
    return lambda **arguments: _response(answer(mock, view, _sent(), arguments))


def _sent() -> Sent:
    """Return the present request."""
    accepted = request.accept_mimetypes.best_match((JSON_TYPE, "text/html"))
    return Sent(
        request.method,
        request.path,
        request.args,
        request.get_data,
        request.mimetype,
        accepted == "text/html",
        request.environ,
    )


def _response(given: Answer) -> Response:
    sent = Response(given.content, given.status, given.headers, content_type=given.content_type)
    sent.call_on_close(given.close)
    return sent


def _refuse_strangers(token: str | None) -> Response | None:
    reason = reason_to_refuse(request, token)
    if reason is None:
        return None
    refused = Response(orjson.dumps({"error": reason}), 403, content_type=JSON_TYPE)
    return invitation(request, token) or refused
