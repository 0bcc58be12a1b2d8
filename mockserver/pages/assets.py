"""Scripts and stylesheets: the pages' own, and the renderer's from its package."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Response
from werkzeug.exceptions import NotFound

from mockserver.pages.sending import file

if TYPE_CHECKING:
    from mockserver.mock import Mock

_OWN = Path(__file__).with_name("assets")
_OWN_FILES = frozenset(each.name for each in _OWN.iterdir())
_RENDERER_FILES = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


def own_file(_: Mock, name: str) -> Response:
    """Return one of the pages' own files."""
    return _sent(_OWN, name, _OWN_FILES)


def renderer_file(_: Mock, name: str) -> Response:
    """Return one of Swagger UI's files, where it is installed."""
    folder = renderer_folder()
    if folder is None:
        raise NotFound
    return _sent(folder, name, _RENDERER_FILES)


@cache
def renderer_folder() -> Path | None:
    """Return where Swagger UI's files lie, or ``None`` when the extra `pages` isn't installed."""
    found = find_spec("flask_swagger_ui")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).with_name("dist")


def _sent(folder: Path, name: str, known: frozenset[str]) -> Response:
    if name not in known:
        raise NotFound
    return file(_read(folder / name), _TYPES[Path(name).suffix])


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()
