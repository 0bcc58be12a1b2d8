"""What is made once for each mock and then kept, since a contract doesn't change while it is served."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from mockserver.mock import Mock

_KEPT: WeakKeyDictionary[Mock, dict[str, bytes]] = WeakKeyDictionary()


def kept(mock: Mock, name: str, make: Callable[[], bytes]) -> bytes:
    """Return what ``make`` gave for this mock under ``name``; two requests at once may both make it."""
    found = _KEPT.setdefault(mock, {})
    if name not in found:
        found[name] = make()
    return found[name]
