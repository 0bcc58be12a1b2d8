"""Asking what a client asked."""

from __future__ import annotations

from collections.abc import Callable

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


def test_shows_the_last_forty(local: FansMetric) -> None:
    """A long run of requests fills no screen, and says how many came before those that it shows."""
    org = local.org()
    with local.requests_session() as session:
        session.headers.update(org.key().headers)
        for number in range(42):
            session.get(f"{local.url}/v1/accounts?run={number}", timeout=10)
    lines = str(org.requests).splitlines()

    assert "  ... 2 before these" == lines[0]
    assert [f"  GET /v1/accounts?run={number} -> 200" for number in range(2, 42)] == lines[1:]
    assert 40 == len(str(org.requests[2:]).splitlines())


def test_stands_still(org: TestOrganization) -> None:
    before = org.requests
    org.reset()

    assert (4, 0) == (len(before), len(org.requests))
    assert "<4 requests>" == repr(before)


@pytest.fixture
def forgetful(mock: FansMetric) -> TestOrganization:
    """Return an organization whose journal lost the two hopeless requests that came first."""
    org = mock.org(journal_size=2)
    with mock.requests_session() as session:
        session.headers.update(org.key(permissions=["api_chats_list"]).headers)
        for account in (4711, 4711, 1001, 1001):
            session.get(f"{mock.url}/v1/{account}/chats?offset=50", timeout=10)
    return org


UNKNOWABLE: dict[str, Callable[[TestOrganization], object]] = {
    "never": lambda o: o.requests.where(status=404).never(),
    "once": lambda o: o.requests[-1:].once(),
    "times": lambda o: o.requests.to(CHATS).times(2),
    "hopeless": TestOrganization.assert_no_hopeless_retries,
    "conduct": TestOrganization.assert_well_behaved,
    "permissions": lambda o: o.needed_permissions,
}


@pytest.mark.parametrize("ask", UNKNOWABLE.values(), ids=UNKNOWABLE)
def test_asserts_nothing_of_requests_that_are_gone(
    forgetful: TestOrganization, ask: Callable[[TestOrganization], object]
) -> None:
    """A journal that forgot what the client did must not pass for one of a client that did nothing."""
    with pytest.raises(AssertionError, match=r"the first 2 requests.*larger journal_size"):
        ask(forgetful)


def test_shows_that_requests_are_gone(forgetful: TestOrganization) -> None:
    found = forgetful.requests

    assert 2 == found.lost == found.refused.lost
    assert "  ... 2 that the journal didn't keep" == str(found).splitlines()[0]
    with pytest.raises(AssertionError, match=r"asked:\n  \.\.\. 2 that the journal didn't keep"):
        found.times(4)
