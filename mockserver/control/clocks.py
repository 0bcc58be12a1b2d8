"""Clocks: each organization's own, and the one that all of them follow."""

from __future__ import annotations

from typing import Any

from mockserver.clock import LATEST, Clock, isoformat
from mockserver.control.asked import ONE, Asked, Routes, instant
from mockserver.errors import Misuse
from mockserver.organizations import Organization
from mockserver.world import World


def get_world_clock(asked: Asked) -> Any:
    """Return the clock that all organizations follow."""
    return _shown(asked.world.clock)


def move_world_clock(asked: Asked) -> Any:
    """Move the clock that all organizations follow."""
    _move(asked, asked.world, asked.world.clock)
    return get_world_clock(asked)


def get_clock(asked: Asked, organization: str) -> Any:
    """Return an organization's clock."""
    clock = asked.organization(organization).clock
    return {**_shown(clock), "world": asked.world.clock.mode}


def move_clock(asked: Asked, organization: str) -> Any:
    """Move an organization's clock."""
    found = asked.organization(organization)
    _move(asked, found, found.clock)
    return get_clock(asked, organization)


def _move(asked: Asked, owner: Organization | World, clock: Clock) -> None:
    body = asked.body
    if "freeze" in body:
        owner.freeze(None if body["freeze"] is True else instant(body["freeze"], "freeze"))
    elif "advance" in body:
        if clock.now() + body["advance"] >= LATEST:
            raise Misuse(f"advance: time ends with the year 5899; it is {isoformat(clock.now())}")
        clock.advance(body["advance"])
    elif "run" in body:
        clock.run()
    else:
        clock.reset()


def _shown(clock: Clock) -> dict[str, Any]:
    return {"now": isoformat(clock.now()), "mode": clock.mode}


ROUTES: Routes = (
    ("/clock", "GET", get_world_clock),
    ("/clock", "POST", move_world_clock),
    (f"{ONE}/clock", "GET", get_clock),
    (f"{ONE}/clock", "POST", move_clock),
)
