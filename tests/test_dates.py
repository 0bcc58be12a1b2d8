"""Dates of queries: every form that the pages name is taken, and means the instant that it says."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from mockserver.clock import DAY, isoformat
from mockserver.contract import Schemas
from mockserver.resources.dates import parse_query_date

if TYPE_CHECKING:
    from mockserver.contract import Contract
    from tests.conftest import Tenant

QUERY_DATE = "#/components/schemas/QueryDate"
FORMS = [
    "2026-01-20 09:00:00", "2026-01-20T09:00:00", "2026-01-20T09:00:00Z", "2026-01-20t09:00:00z",
    "2026-01-20T09:00:00.000Z", "2026-01-20T09:00Z", "2026-01-20T09:00", "2026-01-20 09:00:00Z",
    "2026-01-20T10:30:00+01:30", "2026-01-20T10:30+0130", "2026-01-20T08:00:00.000000000-01",
]  # fmt: skip
"""One instant, in the forms of ISO 8601 and RFC 3339."""


@pytest.mark.parametrize("text", FORMS)
def test_every_form_is_the_same_instant(text: str, tenant: Tenant) -> None:
    """`GET mass-messages` names RFC 3339, the other pages ISO 8601; both answer the same window."""
    told = tenant.data("listMassMessages", query={"start_date": text, "limit": 100})

    assert datetime(2026, 1, 20, 9, tzinfo=UTC).timestamp() == parse_query_date(text)
    assert tenant.data("listMassMessages", query={"start_date": FORMS[0], "limit": 100}) == told


def test_days_are_those_of_the_calendar(contract: Contract) -> None:
    """The pattern knows the months and the leap years of its time."""
    validator = Schemas(contract.document).validator(QUERY_DATE)
    days = [
        (f"{year}-{month:02}-{day:02}", 1970 <= year <= 2099 and day <= monthrange(year, month)[1])
        for year in range(1969, 2101)
        for month in range(1, 13)
        for day in range(1, 33)
    ]

    assert not [text for text, exists in days if validator.is_valid(text) is not exists]


def test_a_day_that_is_not_there_is_refused(tenant: Tenant) -> None:
    answer = tenant.call("getEarningsChart", query={"start_date": "2026-02-30"})

    assert 400 == answer.status_code
    assert "2026-02-30" in answer.get_json()["error"]
    assert answer.get_json()["error"].startswith(
        "start_date must be `YYYY-MM-DD HH:MM:SS` or ISO 8601"
    )


@pytest.mark.parametrize("edge", ["1970-01-01T00:00:00+14:00", "2099-12-31T23:59:59+14:00"])
def test_a_date_at_the_edge_of_time_still_answers(edge: str, tenant: Tenant) -> None:
    """Who asks for everything there is begins where computers count from."""
    for name in ("start_date", "end_date"):
        for operation in ("listMassMessages", "getChargebacksChart", "getEarningsChart"):
            assert 200 == tenant.call(operation, query={name: edge}).status_code


@pytest.mark.parametrize(
    ("operation", "collection", "field"),
    [
        ("listEarnings", "transactions", "createdAt"),
        ("listMassMessages", "mass_messages", "date"),
        ("listTopStories", "stories", "createdAt"),
    ],
)
def test_what_a_window_shows_moves_with_the_day(
    operation: str, collection: str, field: str, tenant: Tenant
) -> None:
    """A window that isn't asked for ends with today, also where the same was asked for yesterday."""
    account, clock = tenant.organization.accounts[1001], tenant.organization.clock
    tomorrow = {**account.collection(collection).get(0), field: isoformat(clock.now() + DAY)}
    account.load(collection, [tomorrow])
    early = tenant.data(operation)
    clock.advance(DAY)
    late = tenant.data(operation)

    assert early != late
