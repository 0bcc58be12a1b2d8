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


def test_both_ends_of_a_window_belong_to_it(tenant: Tenant) -> None:
    """What came just before it counts for the window before, and what comes just after for none."""
    account = tenant.organization.accounts[1001]
    one = account.collection("transactions").get(0)
    times = (
        "2026-01-09T23:59:59",
        "2026-01-10T00:00:00",
        "2026-01-20T12:00:00",
        "2026-01-20T12:00:01",
    )
    records = [
        {**one, "id": f"{n}", "net": 10.0, "createdAt": f"{time}+00:00"}
        for n, time in enumerate(times)
    ]
    account.load("transactions", records)
    asked = {"start_date": "2026-01-10 00:00:00", "end_date": "2026-01-20 12:00:00"}
    chart = tenant.data("getEarningsChart", query=asked)

    assert (20.0, 100.0) == (chart["total"], chart["delta"])
    assert 2 == counts(chart["chartCount"])


def test_windows_over_a_quarter_come_in_months(tenant: Tenant) -> None:
    quarter, longer = (
        [point["date"] for point in tenant.data("getEarningsChart", query=query)["chartAmount"]]
        for query in (QUARTER, QUARTER | {"start_date": "2025-10-31"})
    )

    assert len(quarter) > 80
    assert {"01T00:00:00+00:00"} == {date[8:] for date in longer}
    assert len(set(longer)) == len(longer) <= 4


@pytest.mark.parametrize("section", ["posts", "streams", "visitors"])
def test_sections_of_the_overview_come_in_months(section: str, tenant: Tenant) -> None:
    """Also where the window is short enough for the days of the earnings' own chart."""
    overview = tenant.data("getEarningsOverview", query={**QUARTER, "by": section})
    months = [point["date"] for point in overview[section]["chartData"]]

    assert 1 < len(months) <= 4
    assert {"01T00:00:00+00:00"} == {date[8:] for date in months}


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


def test_members_come_in_the_order_of_their_list(tenant: Tenant) -> None:
    """The latest member first, unless the other direction is asked for."""
    lists = tenant.organization.accounts[1001].collection("user_lists")
    ids = lists.get(lists.find("id", 801)[0])["memberIds"]
    shown = {
        direction: [fan["id"] for fan in whole(tenant, "listUserListMembers", **query)]
        for direction, query in {
            "by-default": {},
            "desc": {"sort_dir": "desc"},
            "asc": {"sort_dir": "asc"},
        }.items()
    }

    assert len(ids) > 2
    assert {"by-default": ids[::-1], "desc": ids[::-1], "asc": ids} == shown


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


VISITS = {"FR": (3, 3, 0), "NL": (5, 1, 0), "US": (1, 1, 4), "DE": (2, 2, 2)}
"""Guests, users and subscribers from a few countries."""


@pytest.fixture
def visited(tenant: Tenant) -> Tenant:
    """Return an organization whose profile was visited by so many, each for ten seconds."""
    visits = tenant.organization.accounts[1001].collection("visitors")
    one = visits.get(0)
    records = [
        {**one, "id": id, "countryCode": code, "date": "2026-01-30T00:00:00+00:00", "duration": 10}
        | dict(zip(("guests", "users", "subscribers"), seen, strict=True))
        for id, (code, seen) in enumerate(VISITS.items(), start=1)
    ]
    tenant.organization.accounts[1001].load("visitors", records)
    return tenant


@pytest.mark.parametrize(
    ("by", "due"),
    [
        ("total", ["DE", "FR", "NL", "US"]),
        ("guests", ["NL", "FR", "DE", "US"]),
        ("users", ["FR", "DE", "NL", "US"]),
        ("subscribers", ["US", "DE", "FR", "NL"]),
    ],
)
def test_countries_are_ranked(by: str, due: list[str], visited: Tenant) -> None:
    """Those with the most visitors come first, equal ones by their codes; nothing else changes with it."""
    told = visited.data("getProfileVisitors", query={"by": by})
    rows = told["topCountries"]["rows"]

    assert due == [row["countryCode"] for row in rows]
    assert [1, 2, 3, 4] == [row["rank"] for row in rows]
    assert not told["topCountries"]["hasMore"]
    assert "24" == told["total"]["current"]


def test_time_on_the_profile_counts_each_visitor(visited: Tenant) -> None:
    told = visited.data("getProfileVisitors")
    guests = visited.data("getProfileVisitorsChart", query={"by": "guests"})

    assert {"total": 240, "guests": "110", "users": "70", "subscribers": 60} == (
        told["topDurationUsers"]["totals"]
    )
    assert 240 == counts(told["chart"]["duration"])
    assert ("11", 11, 110) == (
        guests["total"]["current"],
        counts(guests["chart"]["visitors"]),
        counts(guests["chart"]["duration"]),
    )


def test_a_window_without_records_has_no_statistic(tenant: Tenant) -> None:
    """It says so, rather than to show zeros as if they had been counted."""
    empty = {"start_date": "2030-01-01", "end_date": "2030-01-02"}
    told = tenant.data("getEarningsOverview", query=empty)
    trials = tenant.data("getTrialLinksOverview", query=empty)["trials"]
    full = tenant.data("getEarningsOverview", query=QUARTER)
    sections = ("posts", "streams", "visitors", "massMessages")

    assert [False] * 4 == [told[name]["hasStatistic"] for name in sections]
    assert [True] * 4 == [full[name]["hasStatistic"] for name in sections]
    assert (False, True) == (
        trials["hasStatistic"],
        tenant.data("getTrialLinksOverview")["trials"]["hasStatistic"],
    )
    assert [False, True] == [
        tenant.data("getProfileVisitors", query=query)["hasStats"] for query in (empty, QUARTER)
    ]


METRICS = {
    "total": "spentTotal",
    "recent": "lastActivityAt",
    "messages": "messagesCount",
    "posts": "postsBought",
    "media": "mediaBought",
}
"""The fields of a fan that subscribers are ranked by."""


@pytest.mark.parametrize("by", METRICS)
def test_subscribers_lead_by_the_metric(by: str, tenant: Tenant) -> None:
    """The one with the most first, equal ones by their ids."""
    fans = tenant.organization.accounts[1001].collection("fans")
    rows = fans.rows()
    fans.change(rows, {"lastActivityAt": "2020-01-01T00:00:00+00:00"})
    for row, rank in zip(rows, (1, 3, 2, 3), strict=False):
        value = f"2026-01-1{rank}T00:00:00+00:00" if by == "recent" else rank
        fans.change([row], {"lastActivityAt": "2026-01-20T00:00:00+00:00", METRICS[by]: value})
    shown = tenant.data("listTopSubscribers", query={"by": by})["list"]

    assert [1, 3, 2, 0] == [rows.index(*fans.find("id", fan["id"])) for fan in shown]


def test_subscribers_lead_by_what_they_paid_in_the_window(tenant: Tenant) -> None:
    """All their payments of the window together, and none from before it."""
    account, day = tenant.organization.accounts[1001], "2026-01-20T00:00:00+00:00"
    fans, payments = account.collection("fans"), account.collection("transactions")
    ids = [fans.get(row)["id"] for row in fans.rows()[:3]]
    fans.change(fans.rows(), {"lastActivityAt": "2020-01-01T00:00:00+00:00"})
    fans.change(fans.rows()[:3], {"lastActivityAt": day})
    paid = [(2, 5, day), (1, 7, day), (2, 5, day), (0, 50, "2025-12-01T00:00:00+00:00")]
    one = payments.get(0)
    records = [
        {**one, "id": f"{n}", "user": {"id": ids[fan]}, "amount": amount, "createdAt": at}
        for n, (fan, amount, at) in enumerate(paid)
    ]
    account.load("transactions", records)
    shown = tenant.data("listTopSubscribers", query={"by": "currency"})["list"]

    assert [ids[2], ids[1], ids[0]] == [fan["id"] for fan in shown]


def test_streaks_begin_with_the_latest(tenant: Tenant) -> None:
    """All of them on one page, in whatever order they are stored."""
    account = tenant.organization.accounts[1001]
    account.load("streaks", reversed(account.collection("streaks").records()))
    page = tenant.data("listActivityStreaks", query={"start_date": "2020-01-01"})
    starts = [streak["startDate"] for streak in page["list"]]

    assert len(account.collection("streaks")) == len(starts) > 20
    assert sorted(starts, reverse=True) == starts
    assert False is page["hasMore"]


def test_the_top_streak_is_the_longest(tenant: Tenant) -> None:
    """The later one of equals; 404 where there was none yet."""
    streaks = tenant.organization.accounts[1001].collection("streaks")
    one = streaks.get(0)
    spans = [(1, "2025-03-01", 9), (2, "2025-05-01", 9), (3, "2025-04-01", 9), (4, "2026-01-01", 8)]
    records = [
        {**one, "id": id, "startDate": f"{start}T00:00:00+00:00", "daysCount": days}
        for id, start, days in spans
    ]
    tenant.organization.accounts[1001].load("streaks", records)
    best = tenant.data("getTopStreak")
    tenant.organization.accounts[1001].load("streaks", [])

    assert 2 == best["id"]
    assert 404 == tenant.call("getTopStreak").status_code


@pytest.mark.parametrize(
    ("window", "wins"),
    [
        ({}, True),
        ({"start_date": "2026-01-20", "end_date": "2026-01-20"}, True),
        ({"start_date": "2026-01-21"}, False),
        ({"end_date": "2026-01-19"}, False),
    ],
    ids=str,
)
def test_a_highlight_is_from_the_window(window: dict[str, str], wins: bool, tenant: Tenant) -> None:
    highlights = tenant.organization.accounts[1001].collection("highlights")
    (row,) = highlights.find("category", "post")
    best = {**highlights.get(row)["purchases"], "postedAt": "2026-01-20T12:00:00+00:00"}
    highlights.change([row], {"purchases": best})
    told = tenant.data("getTopHighlights", path_arguments={"category": "post"}, query=window)

    assert {"tips", "views", "likes", "comments"} == {n for n in told if told[n] is None} - {
        "purchases"
    }
    assert wins == (told["purchases"] is not None)
