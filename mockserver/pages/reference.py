"""The API reference: Swagger UI on the served contract, and on the control API's document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask import Response

from mockserver.control.document import control_document
from mockserver.pages.assets import renderer_folder
from mockserver.pages.display import Document, displayed
from mockserver.pages.kept import kept
from mockserver.pages.seeded import seeded_keys
from mockserver.pages.sending import file, page

if TYPE_CHECKING:
    from mockserver.mock import Mock
    from mockserver.roles import Key


def api(mock: Mock) -> Response:
    """Return the reference of the mocked API, with a key chosen for trying it."""
    return _reference("docs", seeded_keys(mock.world))


def control(_: Mock) -> Response:
    """Return the reference of the control API, which lets its own pages in."""
    return _reference("control", [])


def api_document(mock: Mock) -> Response:
    """Return the contract as the reference shows it."""
    return _document(mock, "api", mock.contract.document, "/")


def control_api_document(mock: Mock) -> Response:
    """Return the control API's document as the reference shows it."""
    return _document(mock, "control", control_document().document, "/_mock")


def _reference(here: str, keys: list[Key]) -> Response:
    if renderer_folder() is None:
        return page("missing", 501, here=here)
    return page("reference", here=here, keys=keys)


def _document(mock: Mock, name: str, document: Document, server: str) -> Response:
    body = kept(mock, f"display/{name}", lambda: orjson.dumps(displayed(document, server)))
    return file(body, "application/json")
