"""What is left of an organization's two windows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from mockserver.control.asked import ONE, Asked, Routes


def get_headroom(asked: Asked, organization: str) -> Any:
    """Return what is left."""
    found = asked.organization(organization)
    return asdict(found.windows.headroom(found.clock.now))


def set_headroom(asked: Asked, organization: str) -> Any:
    """Set what is left of the present windows."""
    found, body = asked.organization(organization), asked.body
    found.windows.set_remaining(
        found.clock.now, minute=body.get("remaining_minute"), day=body.get("remaining_day")
    )
    if any(body.values()):
        found.journal.restored()
    return get_headroom(asked, organization)


def exhaust_windows(asked: Asked, organization: str) -> Any:
    """Leave nothing of the present windows."""
    found, named = asked.organization(organization), asked.body["windows"]
    found.windows.exhaust(found.clock.now, minute="minute" in named, day="day" in named)
    return get_headroom(asked, organization)


ROUTES: Routes = (
    (f"{ONE}/headroom", "GET", get_headroom),
    (f"{ONE}/headroom", "PUT", set_headroom),
    (f"{ONE}/exhaust", "POST", exhaust_windows),
)
