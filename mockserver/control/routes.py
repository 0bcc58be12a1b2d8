"""Every route of the control API, and the answer of its view to a request, however that came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

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
from mockserver.control.asked import Answer, Asked, Routes, Sent, View
from mockserver.control.document import control_document
from mockserver.errors import Misuse

if TYPE_CHECKING:
    from mockserver.mock import Mock

KIND = "X-Mock-Misuse"
"""The header that names the class of a misuse."""

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


def answer(mock: Mock, view: View, sent: Sent, arguments: dict[str, Any]) -> Answer:
    """Return what ``view`` gives to a request; what makes no sense is refused with a sentence."""
    try:
        given = control_document().read(view.__name__, sent)
        found = view(Asked(mock, given.body, given.query, sent), **arguments)
    except (Misuse, TimeReversed) as error:
        return _refusal(error)
    return found if isinstance(found, Answer) else Answer(orjson.dumps(found))


def _refusal(error: Misuse | TimeReversed) -> Answer:
    status = error.status if isinstance(error, Misuse) else Misuse.status
    said = orjson.dumps({"error": str(error)})
    return Answer(said, status, headers={KIND: type(error).__name__})
