"""GIFs, streaks and highlights: reads whose shapes fit no generic action."""

from __future__ import annotations

from mockserver import rules
from mockserver.clock import start_of_month
from mockserver.envelope import Refused
from mockserver.resources.dates import window_of
from mockserver.resources.paging import page_of
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Record

_SLOTS = ("purchases", "tips", "views", "likes", "comments")


def search_gifs(scene: Scene) -> Result:
    """Answer the GIFs that mention the text, in Giphy's own wrapper inside the envelope."""
    wanted = scene.arguments.query["q"].casefold()
    found = [
        gif
        for gif in scene.collection("gifs").records()
        if wanted in f"{gif['title']} {gif['alt_text']}".casefold()
    ]
    page = page_of(scene, found)
    told = {
        "total_count": len(found),
        "count": len(page.records),
        "offset": scene.arguments.query["offset"],
    }
    return Result({"data": page.records, "pagination": told}, page.next_query)


def list_streaks(scene: Scene) -> Result:
    """Answer the streaks that touch the window, which begins with this month unless it is said."""
    first, last = window_of(scene.arguments, scene.now)
    if "start_date" not in scene.arguments.query:
        first = start_of_month(scene.now)
    touched = [
        streak
        for streak in scene.collection("streaks").records()
        if timestamp(streak, "startDate") <= last and timestamp(streak, "endDate") >= first
    ]
    touched.sort(key=lambda streak: timestamp(streak, "startDate"), reverse=True)
    return Result({"list": [scene.shape.show(streak) for streak in touched], "hasMore": False})


def top_streak(scene: Scene) -> Result:
    """Answer the longest streak, the later one of equals."""
    streaks = list(scene.collection("streaks").records())
    if not streaks:
        raise Refused(rules.NOT_FOUND, "The account has no streak yet.")
    best = max(streaks, key=lambda s: (s["daysCount"], timestamp(s, "startDate")))
    return Result(scene.shape.show(best))


def top_highlights(scene: Scene) -> Result:
    """Answer the best record of each metric in a category; a slot without a winner in the window is null."""
    row = scene.find("highlights", "category", scene.arguments.path["category"])
    record = scene.collection("highlights").get(row)
    first, last = window_of(scene.arguments, scene.now)

    def winner(slot: Record | None) -> Record | None:
        return slot if slot and first <= timestamp(slot, "postedAt") <= last else None

    return Result({slot: winner(record[slot]) for slot in _SLOTS})
