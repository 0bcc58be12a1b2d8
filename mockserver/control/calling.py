"""The control API for callers in this process: no guard, no socket, and no Flask."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

import orjson

from mockserver.control.asked import NUMBERS, Sent, View
from mockserver.control.routes import KIND, ROUTES, answer
from mockserver.routing import Paths

if TYPE_CHECKING:
    from mockserver.mock import Mock

_log = logging.getLogger("mockserver")


def call(mock: Mock, method: str, target: str, data: bytes = b"") -> tuple[int, bytes, str | None]:
    """Call ``method`` on ``target``, the path under `/_mock` with its query.

    Return the status, the body, and the class of a misuse. What never ends has no body here.
    """
    path, _, query = target.partition("?")
    views, arguments = _found(unquote(path))
    if method not in views:
        return _failure(405 if views else 404, "There is no such route.")
    sent = Sent(method, f"/_mock{path}", _first_values(query), lambda: data)
    try:
        given = answer(mock, views[method], sent, arguments)
    except Exception:
        _log.exception("%s /_mock%s failed", method, path)
        return _failure(500, "Internal Server Error.")
    given.close()
    whole = given.content if isinstance(given.content, bytes) else b""
    return given.status, whole, given.headers.get(KIND)


def _found(path: str) -> tuple[dict[str, View], dict[str, Any]]:
    """Return the views of ``path`` by method, none where it has no route, and their arguments."""
    found = _paths().match(path)
    if found is None:
        return {}, {}
    template, given = found
    numbers = given.keys() & NUMBERS
    if not all(given[name].isdecimal() for name in numbers):
        return {}, {}
    return _views()[template], {**given, **{name: int(given[name]) for name in numbers}}


def _first_values(query: str) -> dict[str, str]:
    values = parse_qs(query, keep_blank_values=True)
    return {name: given[0] for name, given in values.items()}


@cache
def _views() -> dict[str, dict[str, View]]:
    """Return the views by path and method."""
    views: dict[str, dict[str, View]] = {}
    for path, method, view in ROUTES:
        views.setdefault(path, {})[method] = view
    return views


@cache
def _paths() -> Paths:
    return Paths(_views())


def _failure(status: int, sentence: str) -> tuple[int, bytes, None]:
    return status, orjson.dumps({"error": sentence}), None
