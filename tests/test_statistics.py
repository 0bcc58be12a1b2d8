"""Sums and series: each statistic says what the records say that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockserver.clock import parse_time

if TYPE_CHECKING:
    from tests.conftest import NewTenant, Tenant

QUARTER = {"start_date": "2025-11-01", "end_date": "2026-01-31"}
STREAMS = ("subscribes", "tips", "post", "chat_messages", "stream")


def whole(tenant: Tenant, operation: str, member: str | None = "list", **query: Any) -> list[Any]:
    """Return the items of every page."""
    answer = tenant.call(operation, query=query).get_json()
    found: list[Any] = []
    while True:
        found += answer["data"][member] if member else answer["data"]
        if "_pagination" not in answer:
            return found
        answer = tenant.follow(answer["_pagination"]["next_page"]).get_json()


def counts(series: list[dict[str, Any]]) -> float:
    return total(series, "count")


def total(records: list[dict[str, Any]], field: str) -> float:
    return round(float(sum(record[field] for record in records)), 2)


def test_earnings_add_up(tenant: Tenant) -> None:
    """The chart, the overview and the single streams are sums of the payments that are listed."""
    payments = whole(tenant, "listEarnings", **QUARTER)
    chart = tenant.data("getEarningsChart", query=QUARTER)
    overview = tenant.data("getEarningsOverview", query=QUARTER)["earning"]
    streams = [tenant.data("getEarningsChart", query={**QUARTER, "by": by}) for by in STREAMS]

    assert len(payments) > 20
    assert total(payments, "net") == chart["total"] == counts(chart["chartAmount"])
    assert total(payments, "amount") == chart["gross"] > chart["total"]
    assert len(payments) == counts(chart["chartCount"])
    assert {key: chart[key] for key in ("total", "gross", "delta")} == overview
    assert chart["total"] == total(streams, "total")


def test_delta_is_against_the_window_before(tenant: Tenant) -> None:
    """It is a percentage of what the window of equal length before this one came to."""
    now, before = (
        tenant.data("getEarningsChart", query={"start_date": first, "end_date": last})
        for first, last in (("2026-01-17", "2026-01-30"), ("2026-01-03", "2026-01-16"))
    )

    assert before["total"] != now["total"]
    assert round((now["total"] / before["total"] - 1) * 100, 1) == now["delta"]


def test_chargebacks_add_up(tenant: Tenant) -> None:
    filed = whole(tenant, "listChargebacks", **QUARTER)
    chart = tenant.data("getChargebacksChart", query=QUARTER)

    assert len(filed) == counts(chart["chartCount"]) > 1
    amount = total([row["payment"] for row in filed], "amount")
    assert amount == chart["total"] == counts(chart["chartAmount"])


@pytest.mark.parametrize(
    ("window", "first", "days"),
    [
        pytest.param(QUARTER, "2025-11-01", 92, id="quarter"),
        pytest.param({"start_date": "2026-01-30", "end_date": "2030-01-01"}, "2026-01-30", 2, id="ends-today"),
        pytest.param({"start_date": "2026-01-31", "end_date": "2026-01-31"}, "2026-01-31", 1, id="one-day"),
    ],
)  # fmt: skip
def test_days_without_a_chargeback_have_0(
    window: dict[str, str], first: str, days: int, tenant: Tenant
) -> None:
    """The page says so: every day of the window is there, the quiet ones at its ends too."""
    chart = tenant.data("getChargebacksChart", query=window)

    for series in (chart["chartAmount"], chart["chartCount"]):
        dates = [point["date"] for point in series]
        assert f"{first}T00:00:00+00:00" == dates[0]
        assert days == len(set(dates)) == len(dates)
        assert sorted(dates) == dates


def test_a_window_that_has_not_begun_has_no_days(tenant: Tenant) -> None:
    chart = tenant.data("getChargebacksChart", query={"start_date": "2030-01-01"})

    assert ([], [], 0) == (chart["chartAmount"], chart["chartCount"], chart["total"])


def test_visitors_add_up(tenant: Tenant) -> None:
    """Overview, chart, countries and earnings overview count the same visits."""
    whole_page = tenant.data("getProfileVisitors", query=QUARTER)
    chart = tenant.data("getProfileVisitorsChart", query=QUARTER)
    few = tenant.data("getProfileVisitorsCountries", query={**QUARTER, "limit": 3})["topCountries"]
    seen = tenant.data("getEarningsOverview", query={**QUARTER, "by": "visitors"})["visitors"]
    totals = few["totals"]

    assert whole_page["chart"] == chart["chart"]
    assert whole_page["topCountries"]["totals"] == totals
    assert totals["total"] == int(totals["guests"]) + int(totals["users"]) + totals["subscribers"]
    assert str(totals["total"]) == whole_page["total"]["current"] == chart["total"]["current"]
    assert totals["total"] == counts(chart["chart"]["visitors"]) == seen["visitors"]["total"]
    assert totals["total"] == sum(row["viewsCount"]["total"] for row in few["rows"])
    assert ("Others", "") == (few["rows"][3]["countryName"], few["rows"][3]["countryCode"])


@pytest.mark.parametrize(
    ("limit", "rows"),
    [(100, 100), (101, 100), (10**9, 100), (99, 99), (1, 1), (0, 10)],
    ids=str,
)
def test_no_more_than_100_countries_are_named(limit: int, rows: int, tenant: Tenant) -> None:
    """The page says that `limit` is capped; all others are the row after those."""
    codes = [f"{one}{two}" for one in "ABCDE" for two in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    visits = tenant.organization.accounts[1001].collection("visitors")
    first = dict(visits.get(visits.rows()[0]))
    visits.remove(visits.rows())
    for id, code in enumerate(codes, start=1):
        visits.add({**first, "id": id, "countryCode": code, "date": "2026-01-30T00:00:00+00:00"})
    for operation in ("getProfileVisitors", "getProfileVisitorsCountries"):
        told = tenant.data(operation, query={"limit": limit})["topCountries"]

        assert rows + 1 == len(told["rows"])
        assert "Others" == told["rows"][-1]["countryName"]
        assert told["hasMore"]


def test_mass_messages_add_up(tenant: Tenant) -> None:
    sent = whole(tenant, "listMassMessages", None, **QUARTER)
    chart = tenant.data("getMassMessageChart", query=QUARTER)["group_messages"]
    told = tenant.data("getEarningsOverview", query=QUARTER)["massMessages"]

    assert total(sent, "sentCount") == chart["total"] == counts(chart["chart"])
    assert (len(sent), total(sent, "viewedCount")) == (
        told["count"]["total"],
        told["views"]["total"],
    )


def test_sent_mass_messages_are_in_the_statistics(tenant: Tenant) -> None:
    """What the queue shows as sent is there with the same numbers."""
    shown = ("date", "text", "sentCount", "viewedCount", "isFree")
    told = [
        [row[name] for name in shown] for row in whole(tenant, "listMassMessages", None, limit=100)
    ]
    queue = whole(tenant, "listMassMessageQueue", limit=100)
    sent = [[item[name] for name in shown] for item in queue if item["sentCount"]]

    assert len(sent) == len({item[0] for item in sent}) == 20
    assert [] == [item for item in sent if item not in told]


def test_statistics_are_about_no_other_message(tenant: Tenant) -> None:
    """None that is seeded has the id of a message in the chats, which says something else."""
    messages = tenant.organization.accounts[1001].collection("messages")
    told = [row["id"] for row in whole(tenant, "listDirectMessages", "items", limit=100)]

    assert len(told) > 30
    assert [] == [id for id in told if messages.find("id", id)]


def test_promotions_are_claimed_by_their_subscribers(tenant: Tenant) -> None:
    """As often as fans are listed who joined through them, and no oftener than they may be."""
    claims = {}
    for promotion in whole(tenant, "listReachPromotions", "items", limit=100):
        id, most = promotion["id"], promotion["subscribeCounts"]
        fans = tenant.data(
            "listPromotionSubscribers", query={"limit": 100}, path_arguments={"promo_id": id}
        )["list"]
        claims[id] = len(fans)

        assert len(fans) == promotion["claimsCount"]
        assert most is None or len(fans) <= most

    assert sum(claims.values()) == 60


def test_stories_count_their_viewers(tenant: Tenant) -> None:
    """Viewers, likes and tips are those of the fans who are listed."""
    for story in whole(tenant, "listTopStories", "items"):
        viewers = tenant.data(
            "listStoryViewers", query={"limit": 100}, path_arguments={"story_id": story["id"]}
        )["list"]
        tips = sum(viewer["hasStoryTips"] for viewer in viewers)

        assert len(viewers) == story["viewersCount"]
        assert sum(viewer["isStoryLiked"] for viewer in viewers) == story["likesCount"]
        assert (tips, 5 * tips) == (story["tipsCount"], story["tipsAmountRaw"])


def test_trials_and_referrals_add_up(tenant: Tenant) -> None:
    links = whole(tenant, "listTrialLinks", limit=200)
    trials = tenant.data("getTrialLinksOverview")["trials"]
    payouts = whole(tenant, "listReferralPayouts", **QUARTER)
    chart = tenant.data("getReferralPayoutsChart", query=QUARTER)

    assert len(links) == trials["offers"]["total"]
    assert total(links, "claimCounts") == trials["claims"]["total"] == counts(trials["chartData"])
    assert total(payouts, "amount") == chart["total"] == counts(chart["chartAmount"])
    assert chart["total"] < chart["gross"]


def test_trials_are_a_section_of_the_overview(tenant: Tenant) -> None:
    """The trial links page says that both are one upstream call; without `by` the section isn't shown."""
    own = tenant.data("getTrialLinksOverview", query=QUARTER)
    section = tenant.data("getEarningsOverview", query={**QUARTER, "by": "trials"})

    assert own["trials"]["offers"]["total"] > 0
    assert own == section
    assert "trials" not in tenant.data("getEarningsOverview", query=QUARTER)


def test_streaks_are_those_of_this_month(tenant: Tenant) -> None:
    """Those that touch it, unless a window is asked for."""
    streaks = tenant.organization.accounts[1001].collection("streaks")
    rows = streaks.rows()
    streaks.change([rows[1]], {"endDate": "2026-01-01T00:00:00+00:00"})
    streaks.change([rows[2]], {"endDate": "2025-12-31T23:59:59+00:00"})
    shown = [streak["id"] for streak in tenant.data("listActivityStreaks")["list"]]

    assert [streaks.get(row)["id"] for row in rows[:2]] == shown


def test_media_types_count_the_vault(tenant: Tenant) -> None:
    media = [item["type"] for item in whole(tenant, "listVaultMedia")]
    told = tenant.data("getVaultMediaTypes")["list"]

    assert {row["type"]: row["count"] for row in told} == {
        kind: media.count(kind) for kind in media
    }


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-01-31T12:00:30Z", "2025-12-31 12:00:30"),
        ("2026-03-15T12:00:30Z", "2026-02-15 12:00:30"),
        ("2026-03-31T12:00:30Z", "2026-02-28 12:00:30"),
        ("2028-03-30T12:00:30Z", "2028-02-29 12:00:30"),
    ],
)
def test_top_subscribers_look_back_one_month(now: str, start: str, new_tenant: NewTenant) -> None:
    """Not a number of days; a month without such a day begins with its last one."""
    tenant = new_tenant()
    tenant.organization.freeze(parse_time(now))
    fans = tenant.organization.accounts[1001].collection("fans")
    edge = f"{start.replace(' ', 'T')}+00:00"
    early = f"{start[:-2]}29".replace(" ", "T") + "+00:00"
    fans.change(fans.rows()[:1], {"lastActivityAt": edge})
    fans.change(fans.rows()[1:], {"lastActivityAt": early})
    (fan,) = tenant.data("listTopSubscribers")["list"]

    assert fans.get(fans.rows()[0])["id"] == fan["id"]
