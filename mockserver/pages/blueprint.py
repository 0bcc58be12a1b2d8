"""The pages as a Flask blueprint: which page lives where, and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from mockserver.control.guard import reason_to_refuse
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
    return blueprint


def _imported_when_asked(mock: Mock, module: str, view: str) -> Callable[..., Response]:
    def answer(**arguments: Any) -> Response:
        made = getattr(import_module(f"mockserver.pages.{module}"), view)
        answered: Response = made(mock, **arguments)
        return answered

    return answer


def _hide_first_page() -> None:
    """Raise ``NotFound`` unless a browser asks for it: the mocked API has no route `/`."""
    accepted = request.accept_mimetypes
    wants_page = accepted["text/html"] > accepted["application/json"]
    if request.path == "/" and (request.method not in {"GET", "HEAD"} or not wants_page):
        raise NotFound


def _refuse_strangers(token: str | None) -> Response | None:
    """Refuse whom the control API refuses; a browser on this machine needs no token, for it can't send one."""
    if request.endpoint in _OPEN or reason_to_refuse(request, None) is None:
        return None
    if token is not None and reason_to_refuse(request, token) is None:
        return None
    message = "The pages need a loopback caller and Host, or X-Mock-Token, and no foreign origin."
    return Response(orjson.dumps({"error": message}), 403, content_type=JSON_TYPE)
