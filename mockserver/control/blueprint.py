"""The control API as a Flask blueprint: every area's routes, behind the guard, with plain errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Response, request

from mockserver.clock import TimeReversed
from mockserver.control import (
    accounts,
    clocks,
    defects,
    faults,
    journals,
    keys,
    organizations,
    states,
    streams,
    windows,
    worlds,
)
from mockserver.control.asked import Asked, Routes, View
from mockserver.control.document import control_document
from mockserver.control.guard import invitation, reason_to_refuse
from mockserver.envelope import JSON_TYPE
from mockserver.errors import Misuse

if TYPE_CHECKING:
    from mockserver.mock import Mock

ROUTES: Routes = (
    *worlds.ROUTES,
    *organizations.ROUTES,
    *keys.ROUTES,
    *accounts.ROUTES,
    *clocks.ROUTES,
    *windows.ROUTES,
    *faults.ROUTES,
    *journals.ROUTES,
    *streams.ROUTES,
    *states.ROUTES,
    *defects.ROUTES,
)
"""Every route under `/_mock`."""


def control_blueprint(mock: Mock, token: str | None) -> Blueprint:
    """Return the control API of ``mock``; ``token`` is what callers from other hosts must present."""
    blueprint = Blueprint("control", __name__, url_prefix="/_mock")
    blueprint.before_request(lambda: _refuse_strangers(token))
    blueprint.register_error_handler(Misuse, _misuse)
    blueprint.register_error_handler(TimeReversed, _misuse)
    for path, method, view in ROUTES:
        answer = _answering(mock, view)
        # Without strict slashes `/_mock` is answered as `/_mock/` is, instead of by a redirection.
        blueprint.add_url_rule(
            path, view.__name__, answer, methods=[method], strict_slashes=path != "/"
        )
    blueprint.add_url_rule("/page/<name>", "page_file", _page_file)
    return blueprint


def _page_file(name: str) -> Response:
    """Return a file of the page that `GET /` shows; it is no part of the API, so no document has it."""
    from mockserver.pages.world import page_file

    return page_file(name)


def _answering(mock: Mock, view: View) -> Callable[..., Response]:
    def answered(**arguments: Any) -> Response:
        given = control_document().read(view.__name__, request)
        answer = view(Asked(mock, given.body, given.query, request.path), **arguments)
        return answer if isinstance(answer, Response) else _json(answer)

    return answered


def _refuse_strangers(token: str | None) -> Response | None:
    reason = reason_to_refuse(request, token)
    if reason is None:
        return None
    return invitation(request, token) or _json({"error": reason}, 403)


def _misuse(error: Misuse | TimeReversed) -> Response:
    status = error.status if isinstance(error, Misuse) else Misuse.status
    answer = _json({"error": str(error)}, status)
    answer.headers["X-Mock-Misuse"] = type(error).__name__
    return answer


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, content_type=JSON_TYPE)
