"""Dates of queries: every form that the pages name is taken, and means the instant that it says."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

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
    """The pattern knows the months and the leap years of the century."""
    validator = Schemas(contract.document).validator(QUERY_DATE)
    days = [
        (f"{year}-{month:02}-{day:02}", day <= monthrange(year, month)[1])
        for year in range(2000, 2100)
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


def test_a_date_at_the_end_of_time_still_answers(tenant: Tenant) -> None:
    late = quote("2099-12-31T23:59:59+14:00", safe="")

    assert 200 == tenant.follow(f"/v1/1001/mass-messages?end_date={late}").status_code
