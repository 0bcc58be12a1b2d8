"""Counts agree with their nouns, wherever a message holds both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver.words import plural

if TYPE_CHECKING:
    from tests.conftest import NewTenant


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 rules"), (1, "1 rule"), (2, "2 rules"), (1_200, "1,200 rules")]
)
def test_plural(count: int, words: str) -> None:
    assert words == plural(count, "rule")


@pytest.mark.parametrize(("limit", "words"), [(1, "1 request per"), (2, "2 requests per")])
def test_refusal_counts_its_requests(limit: int, words: str, new_tenant: NewTenant) -> None:
    """The message of a 429 names the limit."""
    tenant = new_tenant(limit_minute=limit)
    answers = [tenant.call("listAccounts") for _ in range(limit + 1)]

    assert (
        f"The organization's limit of {words} minute is used up." == answers[-1].get_json()["error"]
    )
