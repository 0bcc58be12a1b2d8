"""Asking what a client asked."""

from __future__ import annotations

import pytest

from mockserver.testing import FansMetric, TestOrganization

CHATS = "GET /v1/{account_id}/chats"


@pytest.fixture
def org(local: FansMetric) -> TestOrganization:
    """Return an organization that was asked for accounts, for chats twice, and once too often."""
    org = local.org(limit_minute=3)
    org.clock.freeze("2026-01-31T12:00:00Z")
    session = local.requests_session()
    session.headers.update(org.key().headers)
    session.get(local.url + "/v1/accounts", timeout=10)
    session.get(local.url + "/v1/1001/chats?limit=2", timeout=10)
    session.get(local.url + "/v1/1001/chats?limit=3&offset=2", headers={"X-Run": "7"}, timeout=10)
    org.clock.advance(seconds=1)
    session.post(local.url + "/v1/1001/chats/50001/messages", json={"text": "hello"}, timeout=10)
    return org


def test_is_a_sequence(org: TestOrganization) -> None:
    found = org.requests

    assert 4 == len(found)
    assert [200, 200, 200, 429] == found.statuses == [r.status for r in found]
    assert found[0].path == "/v1/accounts"
    assert found[1:3].statuses == [200, 200]
    assert found.last is found[-1]
    assert ("POST", 429, "rate.minute") == (
        found.last.method,
        found.last.status,
        found.last.rule,
    )


def test_narrows(org: TestOrganization) -> None:
    found = org.requests

    assert 2 == len(found.to(CHATS)) == len(found.to("listChats"))
    assert 1 == len(found.where(status=429)) == len(found.refused)
    assert 1 == len(found.where(header=("X-Run", "7")))
    assert 1 == len(found.to(CHATS).where(param=("limit", "3")))
    assert 1 == len(found.where(since=org.clock.now))
    assert 1 == len(found.where(lambda request: request.path.endswith("accounts")))
    assert {"limit": ["3"], "offset": ["2"]} == found[2].params


def test_reads_bodies(local: FansMetric) -> None:
    org = local.org()
    local.requests_session().post(
        local.url + "/v1/1001/chats/50001/messages",
        json={"text": "hello"},
        headers=org.key().headers,
        timeout=10,
    )

    assert {"text": "hello"} == org.requests.where(body="hello").once().json


def test_counts(org: TestOrganization) -> None:
    found = org.requests

    assert "/v1/accounts" == found.to("GET /v1/accounts").once().path
    assert 2 == len(found.to(CHATS).times(2))
    found.to("GET /v1/{account_id}/tags").never()


def test_says_what_came_instead(org: TestOrganization) -> None:
    with pytest.raises(AssertionError) as caught:
        org.requests.to(CHATS).once()
    with pytest.raises(AssertionError, match="there are no requests"):
        org.requests[:0].last  # noqa: B018 - reading it is what raises

    lines = str(caught.value).splitlines()
    assert f"expected 1 request to {CHATS}, got 2" == lines[0]
    assert "  GET /v1/1001/chats?limit=3&offset=2 -> 200" in lines
    assert "  POST /v1/1001/chats/50001/messages -> 429 (rate.minute)" in lines


def test_stands_still(org: TestOrganization) -> None:
    before = org.requests
    org.reset()

    assert (4, 0) == (len(before), len(org.requests))
    assert "<4 requests>" == repr(before)
