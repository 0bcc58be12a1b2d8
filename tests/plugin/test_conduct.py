"""One badly behaved client for each assertion, and a good one that none of them catches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import requests

from mockserver import audit, clock
from mockserver.testing import FansMetric, TestKey, TestOrganization


@dataclass
class Client:
    """What a habit gets: an organization, a key of it, and a way to ask."""

    org: TestOrganization
    key: TestKey
    session: requests.Session
    url: str

    def get(self, path: str, **headers: str) -> None:
        headers = headers or self.key.headers
        self.session.get(self.url + path, headers=headers, timeout=10)


@pytest.fixture
def client(mock: FansMetric, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return a client whose pauses are those of its habit: on a busy machine, each request takes its time."""
    now = clock.stopwatch()
    for module in ("call", "recording"):
        monkeypatch.setattr(f"mockserver.{module}.stopwatch", lambda: now)
    org = mock.org()
    org.clock.freeze()
    with mock.requests_session() as session:
        yield Client(org, org.key(permissions=["api_chats_list"]), session, mock.url)


LAST_PAGE = "/v1/1001/chats?offset=50"


def ignore_429(client: Client) -> None:
    client.org.exhaust("minute")
    client.get(LAST_PAGE)
    client.org.clock.advance(seconds=1)
    client.get(LAST_PAGE)


def insist(client: Client) -> None:
    client.get("/v1/9999/chats")
    client.get("/v1/9999/chats")


def hurry(client: Client) -> None:
    client.org.fail_next(503)
    client.get(LAST_PAGE)
    client.get(LAST_PAGE)


def march(client: Client) -> None:
    client.org.fail_next(502, times=3)
    for _ in range(4):
        client.get(LAST_PAGE)
        client.org.clock.advance(seconds=5)


def send_both(client: Client) -> None:
    client.get(LAST_PAGE, **{"Authorization": f"Bearer {client.key}", "X-API-Key": client.key})


def expose(client: Client) -> None:
    client.get(f"{LAST_PAGE}&api_key={client.key}")


def overreach(client: Client) -> None:
    client.key = client.org.key(permissions="*")
    client.get(LAST_PAGE)


def stop_early(client: Client) -> None:
    client.get("/v1/1001/chats")


Habit = tuple[Callable[[Client], None], str, str]
HABITS: dict[str, Habit] = {
    "backoff.early": (ignore_429, "assert_backed_off", "fault"),
    "retry.hopeless": (insist, "assert_no_hopeless_retries", "fault"),
    "retry.no-pause": (hurry, "assert_paused_after_failures", "fault"),
    "retry.no-jitter": (march, "assert_jittered", "advice"),
    "key.both-headers": (send_both, "assert_one_key_header", "fault"),
    "key.in-query": (expose, "assert_no_key_in_query", "fault"),
    "key.needless-permissions": (overreach, "assert_least_privilege", "advice"),
    "pages.unfinished": (stop_early, "assert_followed_pages", "advice"),
}


def behave(client: Client) -> None:
    """Do everything that may go wrong, properly."""
    client.org.fail_next(502, times=3)
    for pause in (1.3, 4.7, 7.1, 0):
        client.get("/v1/1001/chats?limit=50")
        client.org.clock.advance(pause)
    client.org.exhaust("minute")
    client.get("/v1/1001/chats?limit=50&offset=50")
    client.org.clock.advance(minutes=1)
    client.get("/v1/1001/chats?limit=50&offset=50&skip_users=all&order=recent")
    client.get("/v1/9999/chats")


@pytest.mark.parametrize(("id", "habit"), HABITS.items(), ids=HABITS)
def test_catches(client: Client, id: str, habit: Habit) -> None:
    """The assertion tells the habit, the requests that show it, and what to do instead."""
    act, assertion, weight = habit
    act(client)
    with pytest.raises(AssertionError) as caught:
        getattr(client.org, assertion)()
    finding = next(f for f in client.org.findings if f.id == id)

    assert weight == finding.weight
    assert str(caught.value).startswith(f"{id}: ")
    assert str(finding.requests[-1]) in str(caught.value)
    assert finding.remedy in str(caught.value)
    assert str(client.key) not in str(caught.value)


@pytest.mark.parametrize(("id", "habit"), HABITS.items(), ids=HABITS)
def test_catches_nothing_else(client: Client, id: str, habit: Habit) -> None:
    """Of all assertions only the habit's own fails; the one for all fails with it."""
    habit[0](client)
    failed = []
    for other, (_, assertion, _) in HABITS.items():
        try:
            getattr(client.org, assertion)()
        except AssertionError:
            failed.append(other)

    assert [id] == failed
    with pytest.raises(AssertionError, match=id):
        client.org.assert_well_behaved(advice=True)


def test_advice_is_no_fault(client: Client) -> None:
    stop_early(client)

    client.org.assert_well_behaved()


def test_a_good_client_passes(client: Client) -> None:
    behave(client)

    assert [] == client.org.findings
    client.org.assert_well_behaved(advice=True)
    for _, assertion, _ in HABITS.values():
        getattr(client.org, assertion)()


def test_suggests_a_role(client: Client) -> None:
    client.key = client.org.key()
    client.get(LAST_PAGE)
    client.get("/v1/accounts")

    assert ["api_accounts_list", "api_chats_list"] == client.org.needed_permissions


def test_nothing_asked_is_nothing_judged(client: Client) -> None:
    for _, assertion, _ in HABITS.values():
        with pytest.raises(AssertionError, match="was asked nothing"):
            getattr(client.org, assertion)()


def test_every_finding_has_its_assertion() -> None:
    """A new check of the audit needs a habit here, and an assertion in the toolkit."""
    assert len(HABITS) == len(audit.CHECKS) + 1  # and the one that needs the keys' roles
