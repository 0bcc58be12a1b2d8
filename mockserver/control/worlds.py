"""The whole mock: what it serves, its description, and its reset."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mockserver.control.asked import Asked, Routes
from mockserver.control.document import control_document


def get_summary(asked: Asked) -> Any:
    """Return the version, and how much is served; to whoever prefers HTML, the page of the mock."""
    if asked.sent.prefers_html:
        from mockserver.pages.world import world_page

        return world_page(asked.mock, _version())
    return _summary(asked)


def _summary(asked: Asked) -> Any:
    return {
        "version": _version(),
        "operations": len(asked.mock.contract),
        "organizations": len(asked.world.organizations),
    }


def get_openapi(_: Asked) -> Any:
    """Return the control API's own document."""
    return control_document().document


def reset_world(asked: Asked) -> Any:
    """Return to the seeded world."""
    asked.world.reset()
    return _summary(asked)


@cache
def _version() -> str:
    try:
        return version("fansmetric-contract")
    except PackageNotFoundError:  # a checkout that nobody installed
        return "0"


ROUTES: Routes = (
    ("/", "GET", get_summary),
    ("/openapi.json", "GET", get_openapi),
    ("/reset", "POST", reset_world),
)
