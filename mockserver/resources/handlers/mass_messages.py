"""Mass messages: the queue they go through, and what they sold."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from mockserver import rules
from mockserver.clock import isoformat
from mockserver.envelope import Refused
from mockserver.resources.dates import body_time
from mockserver.resources.deliveries import delivered
from mockserver.resources.scene import DONE, Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.resources.series import Span, Value, span_of
from mockserver.store import Record

_CROPPED = 100
_CHART_DAYS = 30


def send_mass_message(scene: Scene) -> Result:
    """Queue a mass message; without a date in the future it is sent at once and shows in the statistics."""
    queue = scene.collection("mass_message_queue")
    item = {"isFree": True, **scene.form.record(scene, queue), **_snapshot(scene)}
    if "date" not in item or timestamp(item, "date") <= scene.now:
        item |= {"date": isoformat(scene.now)}
        item |= delivered(scene, item)
    queue.add(item)
    return Result({"success": True, "queue": scene.shape.show(item)})


def update_mass_message(scene: Scene) -> Result:
    """Change an item of the queue.

    Raises ``Refused`` (400) when it is delivered or canceled already, would move into the past,
    or would be left without a recipient.
    """
    queue, row = scene.collection("mass_message_queue"), _undelivered(scene)
    if queue.get(row)["isCanceled"]:
        raise Refused(rules.BAD_STATE, "The message is canceled already.")
    changes = _snapshot(scene)
    if "date" in changes and timestamp(changes, "date") <= scene.now:
        raise Refused(
            rules.BAD_BODY, f"scheduledDate must be later than now, {isoformat(scene.now)}."
        )
    if not _names_anyone({**queue.get(row), **changes}):
        raise Refused(
            rules.BAD_BODY, "Name at least one recipient in userLists or userIds; none is left."
        )
    queue.change([row], changes)
    return Result({"success": True, "queue": scene.shape.show(queue.get(row))})


def _names_anyone(item: Record) -> bool:
    return bool(item.get("userLists") or item.get("userIds"))


def cancel_mass_message(scene: Scene) -> Result:
    """Cancel an item of the queue; one that is canceled already stays so.

    Raises ``Refused`` (400) when it is delivered already.
    """
    queue = scene.collection("mass_message_queue")
    queue.change([_undelivered(scene)], {"isCanceled": True, "canUnsend": False})
    return DONE


def _undelivered(scene: Scene) -> int:
    """Return the row of the item that the path names, which must not be delivered yet."""
    row = scene.find("mass_message_queue", "id", scene.arguments.path["queue_id"])
    if scene.collection("mass_message_queue").get(row).get("isDone"):
        raise Refused(rules.BAD_STATE, "The message is delivered already.")
    return row


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
    fields = scene.form.sent(scene)
    if "date" in fields:
        fields["date"] = isoformat(body_time("scheduledDate", fields["date"]))
    if "text" in fields:
        fields["textCropped"] = fields["text"][:_CROPPED]
    if "price" in fields:
        fields["isFree"] = not fields["price"]
    return fields
