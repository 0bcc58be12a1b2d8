"""Tracking links, with counts of their whole life or of a window of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver.resources.dates import window_of
from mockserver.resources.paging import answer_page
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import order_of, select, timestamp
from mockserver.store import Record

_COUNTS = ("countSubscribers", "countTransitions")


def list_tracking_links(scene: Scene) -> Result:
    """Answer the links; with `stats=true` they count, and are sorted by, what fell into the window."""
    links = scene.collection("tracking_links")
    found = [links.get(row) for row in select(scene)]
    if scene.arguments.query["stats"] == "true":
        found = [_within(scene, link) for link in found]
        field, descending = order_of(scene) or (None, False)
        if field in _COUNTS:
            found.sort(key=lambda link: link[field], reverse=descending)
    return answer_page(scene, found, scene.shape.show)


def _within(scene: Scene, link: Record) -> dict[str, Any]:
    """Return ``link`` with the counts of the window, rounded so that adjacent windows add up."""
    first, last = window_of(scene.arguments, scene.now)
    passed = _passed(scene, link)

    def count(field: str) -> int:
        # The last second belongs to the window, and the next one begins after it.
        upto = int(link[field] * passed(last + 1))
        return max(upto - int(link[field] * passed(first)), 0)

    return {**link, **{field: count(field) for field in _COUNTS}}


def _passed(scene: Scene, link: Record) -> Callable[[float], float]:
    """Return what tells which share of a link's counts came before an instant.

    No record says when they came, so they are spread evenly from the link's creation
    to its deletion or to the world's day.
    """
    start, day = timestamp(link, "createdAt"), scene.named_account.population.day
    end = min(timestamp(link, "deletedAt"), day) if link["deletedAt"] else day
    length = end - start
    if length <= 0:
        return lambda instant: float(instant > start)
    return lambda instant: min(max((instant - start) / length, 0.0), 1.0)
