"""Renders the shell of the page, and hands out its files; nothing of them may come from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from werkzeug.exceptions import NotFound

from mockserver.control.asked import Answer
from mockserver.control.signing import SIGN_IN, is_signed_in
from mockserver.faults import FaultKind
from mockserver.rules import RULES
from mockserver.seeds import Subscription

if TYPE_CHECKING:
    from mockserver.mock import Mock

_HERE = Path(__file__).parent
_SHARED = _HERE.parent / "templates"
"""Where the navigation is that all pages have."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def world_page(mock: Mock, version: str) -> Answer:
    """Return the page of ``mock``."""
    text = _template().render(
        here="world",
        signed_in=is_signed_in(),
        sign_in=SIGN_IN,
        version=version,
        operations=list(mock.contract),
        permissions=sorted(mock.world.permissions),
        kinds=[str(kind) for kind in FaultKind],
        subscriptions=[str(state) for state in Subscription],
        rules=RULES,
    )
    headers = {**_HEADERS, "Vary": "Accept"}
    return Answer(text.encode(), content_type="text/html; charset=utf-8", headers=headers)


def page_file(name: str) -> Response:
    """Return one of the page's files. Raises ``NotFound`` when it has none of this name."""
    data = _files().get(name)
    if data is None:
        raise NotFound
    return Response(data, content_type=_TYPES[Path(name).suffix], headers=_HEADERS)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader([_HERE, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("world.html.j2")


@cache
def _files() -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (_HERE / "files").iterdir()}
