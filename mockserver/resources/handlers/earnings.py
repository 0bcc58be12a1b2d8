"""Earnings, chargebacks and referral payouts, summed up from the payments themselves.

The charts, the overview and the lists read the same records, so they agree.
"""

from __future__ import annotations

from typing import Any

from mockserver.clock import DAY, isoformat, start_of_day
from mockserver.resources.handlers.reach import trials
from mockserver.resources.scene import Result, Scene
from mockserver.resources.selection import timestamp
from mockserver.resources.series import Span, Value, one, span_of
from mockserver.store import Record


def _net(record: Record) -> float:
    return float(record["net"])


def _amount(record: Record) -> float:
    return float(record["amount"])


def earnings_chart(scene: Scene) -> Result:
    """Answer money and number of payments per bucket, of one revenue stream or of all."""
    by = scene.arguments.query["by"]
    payments = [r for r in scene.collection("transactions").records() if by in ("total", r["kind"])]
    span = span_of(scene, payments, "createdAt")
    return Result(
        {
            "chartAmount": span.series(_net),
            "chartCount": span.series(one),
            "total": span.total(_net),
            "gross": span.total(_amount),
            "delta": span.delta(_net),
        }
    )


def chargebacks_chart(scene: Scene) -> Result:
    """Answer money and number of chargebacks per day, days without any included."""
    span = span_of(scene, scene.collection("chargebacks").records(), "createdAt")

    def amount(record: Record) -> float:
        return _amount(record["payment"])

    return Result(
        {
            "chartAmount": _of_every_day(scene, span, amount),
            "chartCount": _of_every_day(scene, span, one),
            "total": span.total(amount),
            "delta": span.delta(amount),
        }
    )


def _of_every_day(scene: Scene, span: Span, value: Value) -> list[dict[str, Any]]:
    """Return one point per day of the window until today, or until the last record if that is later."""
    counted = {point["date"]: point for point in span.series(value, daily=True)}
    latest = max((timestamp(record, span.field) for record in span.records), default=0)
    start, end = start_of_day(max(span.first, 0)), max(min(span.last, scene.now), latest)
    days = (isoformat(day) for day in range(int(start), int(end) + 1, DAY))
    return [counted.get(day, {"date": day, "count": 0}) for day in days]


def referral_chart(scene: Scene) -> Result:
    """Answer money and number of referral payouts per bucket."""
    span = span_of(scene, scene.collection("referral_payouts").records(), "createdAt")
    return Result(
        {
            "chartAmount": span.series(_amount),
            "chartCount": span.series(one),
            "total": span.total(_amount),
            "gross": span.total(lambda record: record["gross"]),
            "delta": span.delta(_amount),
        }
    )


def earnings_overview(scene: Scene) -> Result:
    """Answer the section that `by` names, or all that the page shows."""
    by = scene.arguments.query.get("by")
    if by == "trials":  # known to upstream, named by another page (trial-links/get-overview)
        return Result({by: trials(scene)})
    return Result(
        {
            name: section(scene)
            for asked, (name, section) in _SECTIONS.items()
            if by in (None, asked)
        }
    )


def _payments(scene: Scene, *kinds: str) -> Span:
    records = scene.collection("transactions").records()
    return span_of(scene, [r for r in records if not kinds or r["kind"] in kinds], "createdAt")


def _money(span: Span) -> dict[str, Any]:
    return {"total": span.total(_net), "gross": span.total(_amount), "delta": span.delta(_net)}


def _earning(scene: Scene) -> dict[str, Any]:
    return _money(_payments(scene))


def _posts(scene: Scene) -> dict[str, Any]:
    posts = span_of(scene, scene.collection("posts").records(), "postedAt")
    payments = _payments(scene, "post")
    return {
        "hasStatistic": bool(posts.records),
        "count": posts.change(one),
        "views": posts.change(lambda post: post.get("viewsCount", 0)),
        "earnings": _money(payments),
        "chartData": payments.series(_net, daily=False),
    }


def _streams(scene: Scene) -> dict[str, Any]:
    streams = span_of(scene, scene.collection("streaks").records(), "startDate")
    payments = _payments(scene, "stream")

    def minutes(streak: Record) -> float:
        return float(streak["streamsDuration"])

    return {
        "hasStatistic": bool(payments.records),
        "count": {"total": f"{int(streams.total(minutes))}m", "delta": streams.delta(minutes)},
        "views": {"total": len(payments.records), "delta": payments.delta(one)},
        "earnings": _money(payments),
        "chartData": payments.series(_net, daily=False),
    }


def _visitors(scene: Scene) -> dict[str, Any]:
    visits = span_of(scene, scene.collection("visitors").records(), "date")
    subscribed = _payments(scene, "subscribes")

    def seen(visit: Record) -> float:
        return float(visit["guests"] + visit["users"] + visit["subscribers"])

    def fresh(payment: Record) -> float:
        return float(not payment["isRenewal"])

    def renewed(payment: Record) -> float:
        return float(payment["isRenewal"])

    return {
        "hasStatistic": bool(visits.records),
        "count": visits.change(seen),
        "visitors": visits.change(seen),
        "subscriptions": {"new": subscribed.change(fresh), "renew": subscribed.change(renewed)},
        "chartData": visits.series(seen, daily=False),
    }


def _mass_messages(scene: Scene) -> dict[str, Any]:
    sent = span_of(scene, scene.collection("mass_messages").records(), "date")
    viewed = int(sent.total(lambda message: message["viewedCount"]))
    return {
        "hasStatistic": bool(sent.records),
        "count": sent.change(one),
        "views": {"total": viewed},
    }


_SECTIONS = {
    "earnings": ("earning", _earning),
    "posts": ("posts", _posts),
    "streams": ("streams", _streams),
    "visitors": ("visitors", _visitors),
    "massMessages": ("massMessages", _mass_messages),
}
"""The member and the maker of each section, by the value of `by`."""
