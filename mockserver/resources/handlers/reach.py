"""Who visits the profile, and who takes up a trial."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mockserver.resources.scene import Result, Scene
from mockserver.resources.series import Span, Value, one, span_of
from mockserver.store import Record

_KINDS = ("guests", "users", "subscribers")
_DEFAULT_ROWS = 10
_MOST_ROWS = 100


def visitors_overview(scene: Scene) -> Result:
    """Answer countries, time on the profile, the chart and the total together."""
    visits = _visits(scene)
    stays = [
        {**visit, **{kind: visit[kind] * visit["duration"] for kind in _KINDS}}
        for visit in visits.records
    ]
    return Result(
        {
            **_presence(visits),
            "topCountries": _top_countries(scene, visits),
            "topDurationUsers": {"totals": _totals(stays)},
            "chart": _chart(visits, _seen("total")),
            "total": _change(visits, _seen("total")),
        }
    )


def visitors_countries(scene: Scene) -> Result:
    """Answer the ranked countries."""
    visits = _visits(scene)
    return Result({**_presence(visits), "topCountries": _top_countries(scene, visits)})


def visitors_chart(scene: Scene) -> Result:
    """Answer the monthly series of visitors and of their time on the profile."""
    visits, seen = _visits(scene), _seen(scene.arguments.query["by"])
    return Result(
        {**_presence(visits), "chart": _chart(visits, seen), "total": _change(visits, seen)}
    )


def trial_overview(scene: Scene) -> Result:
    """Answer how many trials were offered and claimed."""
    return Result({"trials": trials(scene)})


def trials(scene: Scene) -> dict[str, Any]:
    """Return what the window's trial links offered, and how often they were claimed."""
    links = span_of(scene, scene.collection("trial_links").records(), "createdAt")

    def claims(link: Record) -> float:
        return float(link["claimCounts"])

    chart = [{**point, "date": point["date"][:10]} for point in links.series(claims, daily=False)]
    return {
        "hasStatistic": bool(links.records),
        "offers": links.change(one),
        "claims": links.change(claims),
        "chartData": chart,
    }


def _visits(scene: Scene) -> Span:
    return span_of(scene, scene.collection("visitors").records(), "date")


def _seen(by: str) -> Value:
    """Return what counts the visitors of one kind, or of all."""
    kinds = _KINDS if by == "total" else (by,)
    return lambda visit: sum(visit[kind] for kind in kinds)


def _presence(visits: Span) -> dict[str, Any]:
    return {"isAvailable": True, "hasStats": bool(visits.records)}


def _chart(visits: Span, seen: Value) -> dict[str, Any]:
    def stayed(visit: Record) -> float:
        return seen(visit) * float(visit["duration"])

    return {
        "visitors": visits.series(seen, daily=False),
        "duration": visits.series(stayed, daily=False),
    }


def _change(visits: Span, seen: Value) -> dict[str, Any]:
    return {"current": str(int(visits.total(seen))), "delta": visits.delta(seen)}


def _counts(visits: Iterable[Record]) -> dict[str, int]:
    rows = list(visits)
    kinds = {kind: sum(visit[kind] for visit in rows) for kind in _KINDS}
    return {"total": sum(kinds.values()), **kinds}


def _totals(visits: Iterable[Record]) -> dict[str, Any]:
    """Return the sums with two of them as text, as the pages show them."""
    counts = _counts(visits)
    return {**counts, "guests": str(counts["guests"]), "users": str(counts["users"])}


def _top_countries(scene: Scene, visits: Span) -> dict[str, Any]:
    by = scene.arguments.query["by"]
    limit = scene.arguments.query["limit"]
    size = min(limit, _MOST_ROWS) if limit > 0 else _DEFAULT_ROWS
    names = {record["code"]: record["name"] for record in scene.collection("countries").records()}
    grouped: dict[str, list[Record]] = {}
    for visit in visits.records:
        grouped.setdefault(visit["countryCode"], []).append(visit)
    ranked = sorted(grouped, key=lambda code: (-_counts(grouped[code])[by], code))
    top, rest = ranked[:size], ranked[size:]
    rows = [(names.get(code, code), code, grouped[code]) for code in top]
    if rest:
        rows.append(("Others", "", [visit for code in rest for visit in grouped[code]]))
    return {
        "hasMore": bool(rest),
        "totals": _totals(visits.records),
        "rows": [
            {"rank": rank, "countryName": name, "countryCode": code, "viewsCount": _counts(group)}
            for rank, (name, code, group) in enumerate(rows, start=1)
        ],
    }
