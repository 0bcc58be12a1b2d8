"""Every query parameter does something: a value of it changes what is answered, or the list says why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockserver.clock import isoformat

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation, Parameter
    from tests.conftest import Tenant

WITHOUT_EFFECT = {
    "listTrackingLinks.sorting_deleted": "the pages give its values only; any order would be made up",
    "listCampaigns.sorting_deleted": "an alias of listTrackingLinks",
    "listUserListMembers.sort_by": "the page names one value, which is the default",
}
"""The parameters that are accepted and ignored, and why."""

OLD, EARLIER, LATER = "2025-12-01", "1767225600", "2026-01-30"
WITH: dict[str, dict[str, Any]] = {
    "listDirectMessages.offset": {"query": "beans"},
    "listTrackingLinks.start_date": {"stats": "true"},
    "listTrackingLinks.end_date": {"stats": "true"},
    "listCampaigns.start_date": {"stats": "true"},
    "listCampaigns.end_date": {"stats": "true"},
    "listTrackingLinks.stats": {"start_date": LATER},
    "listCampaigns.stats": {"start_date": LATER},
    "listScheduledItems.end_date": {"limit": 100},
    "listScheduledItems.timezone": {"limit": 100},
}
"""What must be sent beside a parameter for it to mean something."""

VALUES: dict[str, list[Any]] = {
    "limit": [1],
    "offset": [1],
    "query": ["nothing has this text"],
    "getEarningsOverview.by": ["posts"],
    "q": ["nothing has this text"],
    "start_date": [LATER],
    "end_date": [OLD],
    "timezone": ["Pacific/Kiritimati"],
    "marker": [EARLIER],
    "id": [7000000000101],
    "first_id": [7000000000101],
    "last_id": [7000000000101],
    "list_id": [801],
    "related_user": ["50002"],
    "from_user": [50001],
    "group": ["none such"],
    "only_with_tips": ["true"],
    "h": ["00000000000000000000000000000000"],
    "size": [6],
    "listActivityStreaks.start_date": ["2025-01-01"],
    "listTopSubscribers.start_date": ["2026-01-30 00:00:00"],
    "listTopSubscribers.end_date": ["2025-12-01 00:00:00"],
    "listScheduledItems.start_date": ["2026-02-14"],
    "listScheduledItems.end_date": ["2026-03-31"],
    "getScheduleCounters.start_date": ["2026-02-14"],
    "getScheduleCounters.end_date": ["2026-01-31"],
}
"""Values to try, by the parameter's name or that of its operation and its own; enums try each of theirs."""


def values_of(operation: Operation, parameter: Parameter) -> list[Any]:
    schema = parameter.schema.get("items", parameter.schema)
    name = parameter.name
    return (
        list(schema["enum"])
        if "enum" in schema
        else VALUES.get(f"{operation.id}.{name}", VALUES.get(name, []))
    )


def told(tenant: Tenant, operation: Operation, query: dict[str, Any]) -> Any:
    """Return the status and the data; not the next page, which repeats whatever was sent."""
    answer = tenant.call(operation, query=query)
    assert answer.status_code in (200, 404), f"{operation.id} {query}: {answer.text}"
    return answer.status_code, answer.get_json().get("data")


def test_every_parameter_has_an_effect(contract: Contract, tenant: Tenant) -> None:
    """A parameter that changes no answer is untrue, unless it is listed with its reason."""
    tenant.organization.windows.set_limits(minute=100_000, day=100_000)
    idle = set()
    for operation in contract:
        for parameter in operation.query_parameters:
            place = f"{operation.id}.{parameter.name}"
            beside = WITH.get(place, {})
            tried = [beside | {parameter.name: v} for v in values_of(operation, parameter)]
            assert tried, f"{place}: name a value to try in VALUES"
            plain = told(tenant, operation, beside)
            if all(told(tenant, operation, query) == plain for query in tried):
                idle.add(place)

    assert set(WITHOUT_EFFECT) == idle


LINKS = ["listTrackingLinks", "listCampaigns"]
COUNTS = ("countSubscribers", "countTransitions")


def counts(tenant: Tenant, operation: str, **query: Any) -> dict[int, tuple[int, ...]]:
    """Return both counts of each link by its id, in the answer's order."""
    links = tenant.data(operation, query=query)["list"]
    return {link["id"]: tuple(link[name] for name in COUNTS) for link in links}


@pytest.mark.parametrize("operation", LINKS)
def test_windows_of_links_add_up(operation: str, tenant: Tenant) -> None:
    """Two adjacent windows hold what the whole life holds, and each holds less."""
    whole = counts(tenant, operation)
    early = counts(tenant, operation, stats="true", end_date="2025-09-30 23:59:59")
    late = counts(tenant, operation, stats="true", start_date="2025-10-01 00:00:00")
    added = {id: tuple(map(sum, zip(early[id], late[id], strict=True))) for id in whole}

    assert counts(tenant, operation, stats="true") == whole == added
    assert sum(map(sum, early.values())) > 0 < sum(map(sum, late.values()))


def test_a_window_that_ends_before_it_begins_is_empty(tenant: Tenant) -> None:
    """No count is negative."""
    asked = {"stats": "true", "start_date": LATER, "end_date": OLD}

    assert {(0, 0)} == set(counts(tenant, "listTrackingLinks", **asked).values())


@pytest.mark.parametrize("operation", LINKS)
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_links_are_sorted_by_what_they_show(sort: str, operation: str, tenant: Tenant) -> None:
    """The column of windowed counts is sorted by the window's counts, not by those of the whole life."""
    asked = {"stats": "true", "start_date": LATER, "field": "transitions_counts", "sort": sort}
    shown = [transitions for _, transitions in counts(tenant, operation, **asked).values()]

    assert sorted(shown, reverse=sort == "desc") == shown
    assert len(set(shown)) > 1


@pytest.mark.parametrize("operation", LINKS)
def test_a_link_without_a_life_counts_all_at_once(operation: str, tenant: Tenant) -> None:
    """A link that begins as the world's records end: there is no time to spread its counts over."""
    account = tenant.organization.accounts[1001]
    links = account.collection("tracking_links")
    row = next(row for row in links.rows() if not links.get(row)["deletedAt"])
    born = isoformat(account.population.day)
    links.change([row], {"createdAt": born, "countSubscribers": 2, "countTransitions": 5})
    seen = [
        counts(tenant, operation, stats="true", **window)[links.get(row)["id"]]
        for window in ({}, {"start_date": born}, {"end_date": OLD})
    ]

    assert [(2, 5), (2, 5), (0, 0)] == seen


def test_a_deleted_link_counts_until_its_deletion(tenant: Tenant) -> None:
    """Nothing falls into a window after it, and none of its counts is lost before."""
    links = tenant.data("listTrackingLinks")["list"]
    gone = next(link for link in links if link["deletedAt"])
    after = {"stats": "true", "start_date": gone["deletedAt"].replace("+00:00", "Z")}
    before = {"stats": "true", "end_date": after["start_date"]}

    assert (0, 0) == counts(tenant, "listTrackingLinks", **after)[gone["id"]]
    assert counts(tenant, "listTrackingLinks", **before)[gone["id"]] == tuple(
        gone[name] for name in COUNTS
    )


@pytest.mark.parametrize(
    ("operation", "member"), [("listMessages", None), ("listChats", "lastMessage")]
)
def test_senders_have_names_if_users_are_not_skipped(
    operation: str, member: str | None, tenant: Tenant
) -> None:
    """By default a sender is an id; `none` names the fan or the account itself."""
    skipped, named = (
        [(item[member] if member else item)["fromUser"] for item in tenant.data(operation, query=query)["list"]]
        for query in ({"limit": 50}, {"limit": 50, "skip_users": "none"})
    )  # fmt: skip
    fans = [chat["withUser"] for chat in tenant.data("listChats", query={"limit": 50})["list"]]
    due = {fan["id"]: (fan["username"], fan["name"]) for fan in fans}
    due |= {1001: ("lark_espresso", "Lark Espresso")}
    found = {user["id"]: (user["username"], user["name"]) for user in named}

    assert [{"id", "_view"}] * len(skipped) == [set(user) for user in skipped]
    assert [user["id"] for user in skipped] == [user["id"] for user in named]
    assert {id: due[id] for id in found} == found
    assert 1001 in found
    assert len(found) > 1
