"""The first page: what this is, what it serves, and the seeded keys with a line to try each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from mockserver.pages.seeded import key_rows
from mockserver.pages.sending import page
from mockserver.rules import RULES

if TYPE_CHECKING:
    from mockserver.mock import Mock


def landing(mock: Mock) -> Response:
    """Return the first page."""
    answer = page(
        "landing",
        here="landing",
        contract=mock.contract,
        rules=RULES,
        keys=key_rows(mock, request.host_url.rstrip("/")),
    )
    answer.vary.add("Accept")
    return answer
