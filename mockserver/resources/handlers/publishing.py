"""Posts, promotions, uploads and notification switches."""

from __future__ import annotations

import re
from typing import Any

from mockserver import rules
from mockserver.clock import DAY, isoformat
from mockserver.envelope import Refused
from mockserver.resources.dates import body_time
from mockserver.resources.paging import answer_page
from mockserver.resources.scene import DONE, Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.resources.views import view_of
from mockserver.store import Record

_TAG = re.compile(r"<[^<>]{0,1000}>")
_PRICE = 9.99
"""The subscription's price, which a promotion's discount lowers."""

_NEVER = 3_650
"""Days after which an open-ended promotion is said to finish; the answer needs a date."""


def create_post(scene: Scene) -> Result:
    """Publish a post, or schedule it for the time that the body gives."""
    posts = scene.collection("posts")
    post = scene.form.record(scene, posts)
    scheduled = scene.arguments.body.get("scheduledTime")
    at = body_time("scheduledTime", scheduled) if scheduled else scene.now
    post |= {
        "postedAt": isoformat(max(at, scene.now)),
        "rawText": _TAG.sub("", post["text"]),
    }
    posts.add(post)
    return Result(scene.shape.show(post))


def create_promotion(scene: Scene) -> Result:
    """Create a promotion, or two of them for the type `new_and_expired`."""
    promotions, asked = scene.collection("promotions"), scene.arguments.body
    created = []
    both = asked["type"] == "new_and_expired"
    for audience in ("new", "expired") if both else (asked["type"],):
        promotion = _promotion(scene, promotions.next_id(), audience)
        promotions.add(promotion)
        created.append(scene.shape.show(promotion))
    return Result(created)


def _promotion(scene: Scene, id: int, audience: str) -> dict[str, Any]:
    asked = scene.arguments.body
    message = asked.get("message", "")
    return {
        "id": id,
        "message": message,
        "rawMessage": message,
        "hasRelatedPromo": asked["type"] == "new_and_expired",
        "price": round(_PRICE * (100 - asked["discount"]) / 100, 2),
        "type": audience,
        "canClaim": True,
        "claimsCount": 0,
        "subscribeCounts": asked["subscribeCounts"] or None,
        "subscribeDays": asked["subscribeDays"],
        "createdAt": isoformat(scene.now),
        "finishedAt": isoformat(scene.now + (asked["finishDays"] or _NEVER) * DAY),
        "isFinished": False,
    }


def promotions_and_trials(scene: Scene) -> Result:
    """Answer promotions and trial links in one feed, the newest first."""
    feed = [
        (timestamp(record, "createdAt"), record["id"], {member: view_of(scene, record, name)})
        for member, name in (("promo", "promotions"), ("trial", "trial_links"))
        for record in scene.collection(name).records()
    ]
    feed.sort(key=lambda entry: entry[:2], reverse=True)
    return answer_page(scene, [item for _, _, item in feed], _feed_item)


_TRIAL_FIELDS = (
    "id",
    "url",
    "trialLinkName",
    "subscribeDays",
    "subscribeCounts",
    "claimCounts",
    "createdAt",
    "expiredAt",
    "isFinished",
)


def _feed_item(item: Record) -> dict[str, Any]:
    """Return one entry of the feed; a trial link shows fewer fields here than in its own list."""
    if "trial" in item:
        return {"trial": {field: item["trial"][field] for field in _TRIAL_FIELDS}}
    return dict(item)


def create_upload(scene: Scene) -> Result:
    """Begin an upload and answer where its parts go."""
    uploads, asked = scene.collection("uploads"), scene.arguments.body
    id, parts = uploads.next_id(), asked["parts"]
    urls = [f"https://cdn.example.com/upload/{id}/{part}" for part in range(1, parts + 1)]
    if parts == 1:
        return Result({"url": urls[0]})
    upload = {
        "id": id,
        "uploadId": f"upload-{id}",
        "key": asked["key"],
        "parts": parts,
        "secure": asked.get("secure", False),
    }
    uploads.add(upload)
    return Result({"uploadId": upload["uploadId"], "keys": urls})


def finish_upload(scene: Scene) -> Result:
    """Complete a multipart upload.

    Raises ``Refused``: 404 for an upload that wasn't begun, 400 when parts or `secure` don't match it.
    """
    asked = scene.arguments.body
    row = scene.find("uploads", "uploadId", asked["uploadId"])
    upload = scene.collection("uploads").get(row)
    if upload["key"] != asked["key"]:
        raise Refused(rules.NOT_FOUND, "There is no upload with this key and uploadId.")
    numbers = [part["PartNumber"] for part in asked["parts"]]
    if numbers != list(range(1, upload["parts"] + 1)):
        raise Refused(rules.BAD_BODY, f"parts must be the {upload['parts']} parts in their order.")
    if asked.get("secure", False) != upload["secure"]:
        raise Refused(rules.BAD_BODY, "secure must be what it was when the upload was created.")
    scene.collection("uploads").remove([row])
    return DONE


def message_settings(scene: Scene) -> Result:
    """Answer the switches of a notification group; an unknown group has none."""
    group = scene.arguments.query["group"]
    settings = scene.collection("notification_settings").records()
    return Result([scene.shape.show(s) for s in settings if s["group"] == group])


def update_notification_settings(scene: Scene) -> Result:
    """Set the switches that the body names, and leave the others as they are."""
    settings = scene.collection("notification_settings")
    for channel, updates in scene.arguments.body["notifications"].items():
        values = {update["code"]: update["value"] for update in updates}
        for row in settings.find("channel", channel):
            items = settings.get(row)["items"]
            switched = [{**i, "value": values.get(i["code"], i["value"])} for i in items]
            settings.change([row], {"items": switched})
    return DONE
