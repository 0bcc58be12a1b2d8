"""What a view of the control API gets, and the small readings that several views need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.clock import parse_instant
from mockserver.errors import Misuse
from mockserver.organizations import Organization

if TYPE_CHECKING:
    from mockserver.mock import Mock
    from mockserver.world import World


@dataclass(frozen=True, slots=True)
class Asked:
    """One valid request, and the mock that it is for."""

    mock: Mock
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    url: str
    """The path that was asked, with the control API's prefix."""

    @property
    def world(self) -> World:
        """The mock's world."""
        return self.mock.world

    def organization(self, id: str) -> Organization:
        """Return the organization that the path names. Raises ``NotThere`` when it isn't there."""
        return self.world.organization(id)


View = Callable[..., Any]
"""Takes what was asked and the path's parameters; returns a JSON value, or a response of its own."""

Routes = tuple[tuple[str, str, View], ...]
"""Path, method and view. A view is named like its operation in `openapi.yaml`."""

ONE = "/organizations/<organization>"


def instant(text: str | None, place: str) -> float | None:
    """Return a time in seconds since the epoch. Raises ``Misuse`` when ``text`` is none."""
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise Misuse(
            f"{place}: {ascii(text)[:40]} is no ISO 8601 time, such as 2026-01-31T10:00:00Z"
        ) from None
