"""Mass messages: the queue they go through, and what they sold."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from mockserver import rules
from mockserver.clock import isoformat
from mockserver.envelope import Refused
from mockserver.resources.dates import body_time
from mockserver.resources.records import body_fields, new_record
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.resources.series import Span, Value, span_of

_CROPPED = 100
_CHART_DAYS = 30


def send_mass_message(scene: Scene) -> Result:
    """Queue a mass message; without a date in the future it is sent at once and shows in the statistics."""
    queue = scene.collection("mass_message_queue")
    item = {"isFree": True, **new_record(scene, queue), **_snapshot(scene)}
    at_once = "date" not in item or timestamp(item, "date") <= scene.now
    if at_once:
        item |= {"date": isoformat(scene.now), "sentCount": len(_recipients(scene))}
        _count_as_sent(scene, item)
    queue.add(item)
    return Result({"success": True, "queue": scene.shape.show(item)})


def update_mass_message(scene: Scene) -> Result:
    """Change an item of the queue.

    Raises ``Refused`` (400) when it is delivered or canceled already.
    """
    queue = scene.collection("mass_message_queue")
    row = scene.find("mass_message_queue", "id", scene.arguments.path["queue_id"])
    item = queue.get(row)
    if item["isCanceled"] or timestamp(item, "date") <= scene.now:
        raise Refused(rules.BAD_STATE, "The message is delivered or canceled already.")
    queue.change([row], _snapshot(scene))
    return Result({"success": True, "queue": scene.shape.show(queue.get(row))})


def mass_message_chart(scene: Scene) -> Result:
    """Answer how many messages went out per day, and what they sold."""
    sent = span_of(scene, scene.collection("mass_messages").records(), "date", days=_CHART_DAYS)
    series = {"group_messages": "sentCount", "group_messages_purchases": "purchases"}
    return Result({name: _charted(sent, itemgetter(field)) for name, field in series.items()})


def _charted(sent: Span, value: Value) -> dict[str, Any]:
    return {
        "chart": sent.series(value, daily=True),
        "total": sent.total(value),
        "delta": sent.delta(value),
    }


def _snapshot(scene: Scene) -> dict[str, Any]:
    """Return the fields of the queue's item that the body sets."""
    fields = body_fields(scene)
    if "date" in fields:
        fields["date"] = isoformat(body_time("scheduledDate", fields["date"]))
    if "text" in fields:
        fields["textCropped"] = fields["text"][:_CROPPED]
    if "price" in fields:
        fields["isFree"] = not fields["price"]
    return fields


def _recipients(scene: Scene) -> set[int]:
    """Return the fans that the lists and ids name, without the excluded ones."""
    asked = scene.arguments.body
    members = _members(scene, asked.get("userLists", ())) | set(asked.get("userIds", ()))
    return members - _members(scene, asked.get("excludedLists", ()))


def _members(scene: Scene, lists: Iterable[Any]) -> set[int]:
    named = {str(id) for id in lists}
    return {
        fan
        for record in scene.collection("user_lists").records()
        if str(record["id"]) in named
        for fan in record["memberIds"]
    }


def _count_as_sent(scene: Scene, item: dict[str, Any]) -> None:
    scene.collection("mass_messages").add(
        {
            "date": item["date"],
            "text": item["text"],
            "sentCount": item["sentCount"],
            "viewedCount": 0,
            "mediaCount": len(item.get("mediaFiles", ())),
            "price": item.get("price", 0),
            "isFree": item["isFree"],
            "purchases": 0,
        }
    )
