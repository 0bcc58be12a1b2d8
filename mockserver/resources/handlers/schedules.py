"""What is scheduled: messages in the queue, posts, and streams, as one list in the order of their dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from mockserver import rules
from mockserver.envelope import Refused
from mockserver.resources.dates import parse_query_date
from mockserver.resources.paging import answer_page
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.store import Record

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_COUNTER_DAYS = 30

_ITEMS = 1_000_000
"""What an item's id lies above its entity's: the two differ (schedules/list-scheduled-items)."""


def schedule_items(scene: Scene) -> Result:
    """Answer what is scheduled between two days, the earliest first."""
    first, last = _days(scene, ahead=0)
    kinds = scene.arguments.query.get("type")
    found = [
        item
        for item in _scheduled(scene)
        if (not kinds or item["type"] in kinds) and first <= _day(scene, item) <= last
    ]
    return answer_page(scene, found, scene.shape.show)


def schedule_counters(scene: Scene) -> Result:
    """Answer how many items of each type are scheduled on each day that has any."""
    first, last = _days(scene, ahead=_COUNTER_DAYS)
    counters: dict[str, dict[str, int]] = {}
    for item in _scheduled(scene):
        day = _day(scene, item)
        if first <= day <= last:
            types = counters.setdefault(day, {})
            types[item["type"]] = types.get(item["type"], 0) + 1
    return Result({"list": counters})


def later_chats(scene: Scene) -> Result:
    """Answer the next scheduled messages, the earliest first."""
    chats = [item for item in _scheduled(scene) if item["type"] == "chat"]
    shown = [
        {
            **item,
            "entity": {
                "responseType": "message",
                "id": item["entity"]["id"],
                "text": item["entity"]["text"],
                "isFromQueue": True,
                "queueId": item["entity"]["id"],
            },
        }
        for item in chats[: scene.arguments.query["limit"]]
    ]
    return Result({"list": shown})


def _scheduled(scene: Scene) -> list[dict[str, Any]]:
    items = [*_messages(scene), *_posts(scene), *_streams(scene)]
    ahead = [item for item in items if timestamp(item, "publishDateTime") > scene.now]
    return sorted(ahead, key=lambda item: (timestamp(item, "publishDateTime"), item["id"]))


def _messages(scene: Scene) -> Iterable[dict[str, Any]]:
    for item in scene.collection("mass_message_queue").records():
        if not item["isCanceled"]:
            lists = [str(id) for id in item.get("userLists", ())]
            entity = {"responseType": "message", **_text(item), "userLists": lists}
            yield _item("chat", item, item["date"], entity)


def _posts(scene: Scene) -> Iterable[dict[str, Any]]:
    for post in scene.collection("posts").records():
        yield _item("post", post, post["postedAt"], {"responseType": "post", **_text(post)})


def _streams(scene: Scene) -> Iterable[dict[str, Any]]:
    for stream in scene.collection("scheduled_streams").records():
        yield _item("stream", stream, stream["date"], {"responseType": "stream", **_text(stream)})


def _item(kind: str, record: Record, date: str, entity: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _ITEMS + record["id"],
        "type": kind,
        "publishDateTime": date,
        "createdDateTime": record.get("createdAt", date),
        "entity": {**entity, "id": record["id"], "scheduledAt": date},
    }


def _text(record: Record) -> dict[str, Any]:
    return {
        "text": record["text"],
        "rawText": record.get("rawText", record["text"]),
        "price": record.get("price", 0),
        "isFree": not record.get("price"),
        "media": [],
        "previews": [],
    }


def _days(scene: Scene, *, ahead: int) -> tuple[str, str]:
    """Return the first and the last day that are asked for, as text; the last one defaults to ``ahead``."""
    asked = scene.arguments.query
    _zone(scene)  # a bad name is refused also when nothing is scheduled
    # Today is UTC's, whatever the time zone (schedules/list-scheduled-items).
    first = asked.get("start_date") or datetime.fromtimestamp(scene.now, UTC).strftime("%Y-%m-%d")
    last = asked.get("end_date")
    if last is None:
        start = datetime.fromtimestamp(parse_query_date(first), UTC)
        last = (start + timedelta(days=ahead)).strftime("%Y-%m-%d")
    return first, last


def _day(scene: Scene, item: Record) -> str:
    return _local(scene, timestamp(item, "publishDateTime"))


def _local(scene: Scene, seconds: float) -> str:
    """Return the day of an instant in the time zone that is asked for."""
    return datetime.fromtimestamp(seconds, _zone(scene)).strftime("%Y-%m-%d")


def _zone(scene: Scene) -> ZoneInfo:
    """Return the time zone that is asked for.

    Raises ``Refused`` (400) when there is no such zone.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # only where a day is asked for

    name = scene.arguments.query["timezone"]
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"timezone must be an IANA name such as Europe/Amsterdam, got {ascii(name)[:60]}."
        raise Refused(rules.BAD_QUERY, message) from None
