"""What a view of the control API gets and gives, and the small readings that several views need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver.clock import parse_instant
from mockserver.envelope import JSON_TYPE
from mockserver.errors import Misuse
from mockserver.organizations import Organization
from mockserver.request import Environ

if TYPE_CHECKING:
    from mockserver.mock import Mock
    from mockserver.world import World


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came, over Flask or from a caller in this process."""

    method: str
    url: str
    """The path that was asked, with the control API's prefix."""
    query: Mapping[str, str]
    """The query parameters, each with its first value."""
    data: Callable[[], bytes]
    """Reads the body. Raises ``OSError`` or ``ValueError`` where it breaks off."""
    mimetype: str = JSON_TYPE
    prefers_html: bool = False
    environ: Environ = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, in whatever way the request came."""

    content: bytes | Iterator[bytes]
    status: int = 200
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], None] = lambda: None
    """Called when all was sent, or nobody listens any more."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One valid request, and the mock that it is for."""

    mock: Mock
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    sent: Sent

    @property
    def world(self) -> World:
        """The mock's world."""
        return self.mock.world

    def organization(self, id: str) -> Organization:
        """Return the organization that the path names. Raises ``NotThere`` when it isn't there."""
        return self.world.organization(id)


View = Callable[..., Any]
"""Takes what was asked and the path's parameters; returns a JSON value, or an ``Answer`` of its own."""

Routes = tuple[tuple[str, str, View], ...]
"""Path, method and view. A view is named like its operation in `openapi.yaml`."""

ONE = "/organizations/{organization}"

NUMBERS = frozenset({"account"})
"""The parameters of paths that are numbers."""


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
