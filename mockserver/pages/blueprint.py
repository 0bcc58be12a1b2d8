"""The pages as a Flask blueprint: which page lives where, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from mockserver.control.guard import invitation, is_foreign, prefers_html, reason_to_refuse
from mockserver.control.signing import SIGN_IN
from mockserver.envelope import JSON_TYPE

if TYPE_CHECKING:
    from mockserver.mock import Mock

_VIEWS = (
    ("/", "landing", "landing"),
    ("/rules", "catalogue", "rules"),
    ("/docs", "reference", "api"),
    ("/docs/openapi.json", "reference", "api_document"),
    ("/docs/control", "reference", "control"),
    ("/docs/control/openapi.json", "reference", "control_api_document"),
    ("/openapi.yaml", "served", "contract_yaml"),
    ("/openapi.json", "served", "contract_json"),
    ("/_pages/<name>", "assets", "own_file"),
    ("/_pages/swagger-ui/<name>", "assets", "renderer_file"),
)
"""Each page's path, the module in this package that makes it, and the function."""

_OPEN = frozenset({"pages.contract_yaml", "pages.contract_json"})
"""What everybody may read whom the mocked API answers: it says no more than the API does."""

_ENTRANCE = frozenset({"pages.entrance", "pages.own_file"})
"""What a browser must get that is to sign in."""

# Whoever wants no page at `/` finds no route there, whatever the method.
_EVERY_METHOD = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def pages_blueprint(mock: Mock, token: str | None) -> Blueprint:
    """Return the pages of ``mock``; ``token`` is what callers from other hosts must present."""
    blueprint = Blueprint("pages", __name__, template_folder="templates")
    blueprint.before_request(_hide_first_page)
    blueprint.before_request(lambda: _refuse_strangers(token))
    for path, module, view in _VIEWS:
        blueprint.add_url_rule(
            path,
            view,
            _imported_when_asked(mock, module, view),
            methods=_EVERY_METHOD if path == "/" else ("GET",),
            provide_automatic_options=False,
        )
    if token is not None:
        entrance = _imported_when_asked(token, "entrance", "entrance")
        blueprint.add_url_rule(SIGN_IN, "entrance", entrance, methods=["GET", "POST"])
    return blueprint


def _imported_when_asked(first: Mock | str, module: str, view: str) -> Callable[..., Response]:
    def answer(**arguments: Any) -> Response:
        made = getattr(import_module(f"mockserver.pages.{module}"), view)
        answered: Response = made(first, **arguments)
        return answered

    return answer


def _hide_first_page() -> None:
    """Raise ``NotFound`` unless a browser asks for it: the mocked API has no route `/`."""
    is_asked_for = request.method in {"GET", "HEAD"} and prefers_html(request)
    if request.path == "/" and not is_asked_for:
        raise NotFound


def _refuse_strangers(token: str | None) -> Response | None:
    """Refuse whom the control API refuses; to read is free on this machine, though there be a token."""
    endpoint = request.endpoint
    if endpoint in _OPEN or (token and endpoint in _ENTRANCE and not is_foreign(request)):
        return None
    # The control API can be tried from its reference, for which a browser must have signed in.
    enough = (token,) if endpoint == "pages.control" else (token, None)
    if any(reason_to_refuse(request, each) is None for each in enough):
        return None
    message = "The pages need a loopback caller and Host, or X-Mock-Token, and no foreign origin."
    refused = Response(orjson.dumps({"error": message}), 403, content_type=JSON_TYPE)
    return invitation(request, token) or refused
