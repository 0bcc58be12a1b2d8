"""An organization of the test's own, the same in process and over HTTP."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from mockserver.errors import (
    Misuse,
    NotThere,
    SuiteError,
)
from mockserver.testing import FansMetric, TestOrganization

if TYPE_CHECKING:
    pass

CHATS = "/v1/1001/chats"


@pytest.fixture
def org(mock: FansMetric) -> TestOrganization:
    return mock.org()


@pytest.fixture
def ask(mock: FansMetric, org: TestOrganization) -> Callable[..., requests.Response]:
    """Return what sends a request with a key of the organization."""
    session, key = mock.requests_session(), org.key()

    def ask(path: str = CHATS, key: str = key) -> requests.Response:
        return session.get(mock.url + path, headers={"X-API-Key": key}, timeout=10)

    return ask


Ask = Callable[..., requests.Response]


def test_organizations_are_strangers(mock: FansMetric) -> None:
    one, two = mock.org(limit_minute=5), mock.org()
    one.exhaust("minute")

    assert one.id != two.id
    assert (5, 0) == (one.limit_minute, one.remaining_minute)
    assert (1000, 1000) == (two.limit_minute, two.remaining_minute)


def test_takes_what_the_control_api_takes(mock: FansMetric) -> None:
    org = mock.org(
        limit_minute=3,
        limit_day=4,
        subscription="none",
        mode="count",
        retry_after=True,
        accounts=[7, {"id": 8, "state": "sync_lost", "name": "Eight"}],
    )

    assert (3, 4) == (org.limit_minute, org.limit_day)
    assert ("none", "count", True) == (org.subscription, org.mode, org.retry_after)
    assert ("connected", "sync_lost") == (org.account(7).state, org.account(8).state)
    assert (7, "Eight") == (org.account().id, org.account(8).name)


def test_key_grants_what_it_says(org: TestOrganization, ask: Ask) -> None:
    key = org.key(permissions=["api_messages_list"])

    assert 403 == ask(key=key).status_code
    assert {"Authorization": f"Bearer {key}"} == key.headers


def test_key_ends(org: TestOrganization, ask: Ask) -> None:
    """A key ends by being revoked, by expiring at once, and when the clock passes its expiry."""
    revoked, expired, late = org.key(), org.key(), org.key(expires=timedelta(hours=1))
    on_time = ask(key=late).status_code
    revoked.revoke()
    expired.expire()
    org.clock.advance(hours=1)

    assert 200 == on_time
    assert [401, 401, 401] == [ask(key=k).status_code for k in (revoked, expired, late)]
    assert 401 == ask(key=org.key(revoked=True)).status_code
    assert 401 == ask(key=org.key(expires=datetime(2020, 1, 1, tzinfo=UTC))).status_code


def test_account_loses_its_session(org: TestOrganization, ask: Ask) -> None:
    org.account().lose_sync()
    lost = ask().status_code
    org.account(1001).restore_sync()
    org.account(42, state="sync_lost")

    assert [424, 200, 424] == [lost, ask().status_code, ask("/v1/42/chats").status_code]


def test_billing(org: TestOrganization, ask: Ask) -> None:
    found = []
    for state in ("none", "past_due", "active"):
        org.subscription = state
        found.append(ask().status_code)

    assert [402, 402, 200] == found


@pytest.mark.parametrize(("window", "recovery"), [("minute", 60), ("day", 86_400)])
def test_exhausts_a_window(org: TestOrganization, ask: Ask, window: Any, recovery: int) -> None:
    org.exhaust(window)
    refused = ask().status_code
    org.clock.advance(recovery)

    assert [429, 200] == [refused, ask().status_code]


def test_headroom_and_limits(org: TestOrganization, ask: Ask) -> None:
    org.limit_minute, org.limit_day = 10, 20
    org.set_remaining(minute=3, day=2)
    ask()

    assert (2, 1) == (org.remaining_minute, org.remaining_day)


def test_what_remains_of_one_window_says_nothing_of_the_other(org: TestOrganization) -> None:
    org.set_remaining(minute=3)
    after_minute = org.remaining_minute, org.remaining_day
    org.set_remaining(day=7)

    assert (3, 50_000) == after_minute
    assert (3, 7) == (org.remaining_minute, org.remaining_day)


def test_limiter_may_only_count_or_be_off(org: TestOrganization, ask: Ask) -> None:
    org.limit_minute, org.mode = 1, "count"
    counted = [ask().status_code for _ in range(3)]
    org.mode = "enforce"
    enforced = ask().status_code
    org.mode = "off"

    assert [200, 200, 200] == counted
    assert [429, 200] == [enforced, ask().status_code]


def test_faults(org: TestOrganization, ask: Ask) -> None:
    org.fail_next(502, times=2)
    org.fail_next(503, to="GET /v1/accounts")
    found = [ask().status_code for _ in range(3)] + [ask("/v1/accounts").status_code]
    org.fail_next(500)
    org.clear_faults()

    assert [502, 502, 200, 503] == found
    assert 200 == ask().status_code


def test_plants_any_fault(org: TestOrganization, ask: Ask) -> None:
    """A fault has its id, and is over when its time is."""
    id = org.plant_fault(kind="malformed", path="/v1/*/chats", times=1)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ask().json()
    org.plant_fault(status=503, until=org.clock.now + timedelta(minutes=5))
    failing = [ask().status_code for _ in range(3)]
    org.clock.advance(minutes=6)

    assert id == org.requests[0].more["fault"]
    assert [503, 503, 503, 200] == [*failing, ask().status_code]


def test_clock(org: TestOrganization) -> None:
    org.clock.freeze("2026-01-31T12:00:30Z")
    frozen = org.clock.now, org.clock.mode
    org.clock.advance(5, minutes=1, hours=1, days=1)
    org.clock.advance(timedelta(minutes=2), hours=1)
    moved = org.clock.now
    org.clock.run()

    assert (datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC), "frozen") == frozen
    assert datetime(2026, 2, 1, 14, 3, 35, tzinfo=UTC) == moved
    assert "shifted" == org.clock.mode
    org.clock.reset()
    assert "real" == org.clock.mode


def test_never_begins_at_the_end_of_a_minute(mock: FansMetric, local: FansMetric) -> None:
    """Else the window might roll over in the middle of a test, once in a long while."""
    clock = local.app.mock.world.clock
    clock.freeze(datetime(2026, 1, 31, 12, 0, 51, tzinfo=UTC).timestamp())
    clock.run()
    try:
        now = mock.org().clock.now
    finally:
        clock.reset()

    edge = datetime(2026, 1, 31, 12, 1, 0, tzinfo=UTC)
    assert (
        edge <= now < edge + timedelta(seconds=30)
    )  # the clock runs, on a busy machine for a while


def test_reset(org: TestOrganization, ask: Ask) -> None:
    org.limit_minute = 0
    ask()
    org.reset()

    assert 1000 == org.limit_minute
    assert not org.requests
    assert 200 == ask().status_code


def test_saves_and_loads(mock: FansMetric, org: TestOrganization, ask: Ask, tmp_path: Path) -> None:
    """What a test saw can be served again, to a key that may do the same."""
    org.limit_minute = 7
    key = org.key(permissions=["api_chats_list"])
    ask()
    org.save(tmp_path / "state.yaml")
    loaded = mock.load(tmp_path / "state.yaml")

    assert org.id != loaded.id
    assert (7, 6) == (loaded.limit_minute, loaded.remaining_minute)
    assert not set(org.keys) & set(loaded.keys)
    assert [200, 403] == [
        ask(key=loaded.keys[-1]).status_code,
        ask("/v1/accounts", key).status_code,
    ]
    with pytest.raises(Misuse, match=r"nothing\.yaml holds no state"):
        mock.load(tmp_path / "nothing.yaml")


def test_sees_every_request_that_is_kept(local: FansMetric) -> None:
    """Also where a page of the journal holds fewer."""
    org = local.org(journal_size=1200, limit_minute=2000)
    with local.httpx_client(headers=org.key().headers) as client:
        for _ in range(1100):
            client.get("/v1/9999/chats")

    assert 1100 == len(org.requests)


def test_removes_its_organizations(mock: FansMetric) -> None:
    one, two = mock.org(), mock.org()
    two.remove()
    mock.close()

    for gone in (one, two):
        with pytest.raises(NotThere, match=f"{gone.id}.*removed"):
            gone.key()


def test_a_forgotten_close_keeps_no_process_alive() -> None:
    script = "from mockserver.testing import FansMetric; print(FansMetric.start().url)"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert ended.stdout.startswith("http://127.0.0.1:")


def test_works_outside_of_pytest() -> None:
    """With any test runner, the toolkit is a context manager."""
    with FansMetric.start() as fansmetric:
        org = fansmetric.org()
        status = fansmetric.requests_session().get(
            fansmetric.url + CHATS, headers=org.key().headers, timeout=10
        )

    assert 200 == status.status_code
    with pytest.raises(SuiteError):
        org.key()


def test_a_key_goes_where_text_goes(mock: FansMetric) -> None:
    """Into another process as plain text, and into a copied configuration as it is."""
    key = mock.org().key()
    sent = pickle.loads(pickle.dumps(key))  # noqa: S301 - what was just pickled

    assert (str, str(key)) == (type(sent), sent)
    assert key is copy.copy(key) is copy.deepcopy({"key": key})["key"]
