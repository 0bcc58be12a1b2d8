"""Members of fan lists, names of fans, the leading subscribers, and the order of vault lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from mockserver import rules
from mockserver.envelope import Refused
from mockserver.resources.dates import span_of_dates
from mockserver.resources.paging import answer_page
from mockserver.resources.records import id_sent
from mockserver.resources.scene import DONE, Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.resources.views import show
from mockserver.store import Collection, Record

_MEDIA_TYPES = ("photo", "gif", "video", "audio")


def list_members(scene: Scene) -> Result:
    """Answer the fans on a list, which is named by its id or, if it is built in, by its slug."""
    row = scene.find("user_lists", "id", id_sent(scene.arguments.path["list_id"]))
    ids = scene.collection("user_lists").get(row)["memberIds"]
    if scene.arguments.query["sort_dir"] == "desc":
        ids = ids[::-1]
    fans = scene.collection("fans")
    members = [fans.get(found) for id in ids for found in fans.find("id", id)]
    return answer_page(scene, members, scene.shape.show)


def update_display_name(scene: Scene) -> Result:
    """Give a fan another name; an empty one brings the fan's own name back."""
    fans, row = scene.collection("fans"), scene.find("fans", "id", scene.arguments.path["user_id"])
    name = scene.arguments.body["displayName"] or fans.get(row).get("name", "")
    fans.change([row], {"displayName": name})
    return Result(scene.shape.show(fans.get(row)))


def list_top_subscribers(scene: Scene) -> Result:
    """Answer the fans who were active in the window, the leading ones by the metric first."""
    first, last = span_of_dates(scene.arguments, scene.now, days=_days_of_a_month(scene.now))
    active = [
        fan
        for fan in scene.collection("fans").records()
        if first <= timestamp(fan, "lastActivityAt") <= last
    ]
    metric = _metric(scene, first, last)
    active.sort(key=lambda fan: (-metric(fan), fan["id"]))
    return answer_page(scene, active, scene.shape.show)


def _days_of_a_month(now: float) -> int:
    """Return how many days ago the same day of the former month was, or its last day if it has no such one."""
    today = datetime.fromtimestamp(now, UTC)
    last = today.replace(day=1) - timedelta(days=1)
    return max(last.day, today.day)


def _metric(scene: Scene, first: float, last: float) -> Callable[[Record], float]:
    by = scene.arguments.query["by"]
    if by == "recent":
        return lambda fan: timestamp(fan, "lastActivityAt")
    if by == "currency":
        spent = _spent(scene, first, last)
        return lambda fan: spent.get(fan["id"], 0.0)
    field = {"messages": "messagesCount", "posts": "postsBought", "media": "mediaBought"}
    return lambda fan: float(fan[field.get(by, "spentTotal")])


def _spent(scene: Scene, first: float, last: float) -> dict[int, float]:
    """Return what each fan paid between two instants."""
    spent: dict[int, float] = {}
    for payment in scene.collection("transactions").records():
        if first <= timestamp(payment, "createdAt") <= last:
            fan = payment["user"]["id"]
            spent[fan] = spent.get(fan, 0.0) + payment["amount"]
    return spent


def vault_media_types(scene: Scene) -> Result:
    """Answer how many finished media there are of each type."""
    ready = [m["type"] for m in scene.collection("vault_media").records() if m["isReady"]]
    return Result(
        {"list": [{"type": type_, "count": ready.count(type_)} for type_ in _MEDIA_TYPES]}
    )


_SORTS: dict[str, Callable[[Record], Any]] = {
    "media": lambda record: len(record["mediaIds"]),
    "recent": lambda record: record["changedAt"],
    "name": lambda record: record["name"].casefold(),
    "default": lambda record: record["id"],
    "custom": lambda record: record["position"],
}


def list_vault_lists(scene: Scene) -> Result:
    """Answer the vault's lists in the order that is stored, which holds for what changed since too."""
    lists = scene.collection("vault_lists").records()
    order = next((record["order"] for record in lists if "order" in record), _order("custom"))
    ordered = sorted(lists, key=_SORTS[order["by"]], reverse=order["direction"] == "desc")
    return answer_page(scene, ordered, lambda record: show(scene, record))


def sort_vault_lists(scene: Scene) -> Result:
    """Store the order of the vault's lists, in each of them.

    Raises ``Refused`` (400) when a custom order doesn't hold each list exactly once.
    """
    lists, asked = scene.collection("vault_lists"), scene.arguments.body
    if asked["sort"] == "custom":
        _place(lists, asked["customOrder"])
        order = _order("custom")
    else:
        order = _order(asked["sort"], asked["order"])
    lists.change(lists.rows(), {"order": order})
    return DONE


def _order(by: str, direction: str = "asc") -> dict[str, str]:
    return {"by": by, "direction": direction}


def _place(lists: Collection, ids: list[int]) -> None:
    """Give each of the lists its position."""
    rows = {lists.get(row)["id"]: row for row in lists.rows()}
    if sorted(ids) != sorted(rows):
        raise Refused(rules.BAD_BODY, "customOrder must hold the id of every list exactly once.")
    for position, id in enumerate(ids, start=1):
        lists.change([rows[id]], {"position": position})
