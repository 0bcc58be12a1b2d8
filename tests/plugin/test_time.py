"""freezegun in a test moves the mock's time as well, when the mock runs in the same process."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from time import perf_counter
from types import SimpleNamespace

import pytest
import requests
from freezegun import freeze_time

from mockserver.server import MockServer
from mockserver.testing import FansMetric, InProcess, TestOrganization

NOON = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def chats(mock: FansMetric, session: requests.Session, key: str) -> requests.Response:
    return session.get(
        mock.url + "/v1/1001/chats", headers={"Authorization": f"Bearer {key}"}, timeout=10
    )


@pytest.mark.parametrize("socket", [False, True], ids=["in-process", "over-http"])
@pytest.mark.parametrize(
    ("window", "recovery"),
    [("minute", timedelta(seconds=60)), ("day", timedelta(hours=12))],
)
def test_freezegun_moves_the_windows(
    local: FansMetric, socket: bool, window: str, recovery: timedelta
) -> None:
    """A full window recovers at the next UTC minute or midnight of the frozen time, not before."""
    session = requests.Session() if socket else local.requests_session()
    url_first = local.url  # the server starts outside of frozen time
    with freeze_time(NOON) as frozen, session:
        org: TestOrganization = local.org()
        setattr(org, f"limit_{window}", 1)
        key = org.key()
        found = [chats(local, session, key).status_code for _ in range(2)]
        frozen.tick(recovery - timedelta(seconds=1))
        found.append(chats(local, session, key).status_code)
        frozen.tick(timedelta(seconds=1))
        found.append(chats(local, session, key).status_code)

    assert url_first
    assert [200, 429, 429, 200] == found


def test_freezegun_moves_keys_and_dates(local: FansMetric) -> None:
    with freeze_time(NOON) as frozen, local.requests_session() as session:
        org = local.org()
        key = org.key(expires=timedelta(hours=1))
        before = chats(local, session, key)
        frozen.move_to(NOON + timedelta(hours=1))
        after = chats(local, session, key)

    assert [200, 401] == [before.status_code, after.status_code]
    assert "Sat, 31 Jan 2026 12:00:00 GMT" == before.headers["Date"]


def test_frozen_time_is_left_alone_at_the_end_of_a_minute(local: FansMetric) -> None:
    """Who froze time means that time: the organization's clock isn't moved to the next minute."""
    with freeze_time(NOON + timedelta(seconds=59)):
        org = local.org()

        assert NOON + timedelta(seconds=59) == org.clock.now


def test_time_of_time_machine_is_left_alone_too(
    local: FansMetric, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in for time-machine, whose one question this is; a patched clock makes the time late."""
    hatch = SimpleNamespace(is_travelling=lambda: True)
    monkeypatch.setitem(sys.modules, "time_machine", SimpleNamespace(escape_hatch=hatch))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", (NOON + timedelta(seconds=59)).timestamp)
        before = local.org().clock.now
        hatch.is_travelling = lambda: False
        after = local.org().clock.now

    assert [NOON + timedelta(seconds=59), NOON + timedelta(seconds=60)] == [before, after]


def test_its_own_clock_wins(local: FansMetric) -> None:
    with freeze_time(NOON) as frozen:
        org = local.org()
        org.clock.freeze("2030-01-01T00:00:00Z")
        frozen.tick(3600)

        assert datetime(2030, 1, 1, tzinfo=UTC) == org.clock.now


def test_starts_and_stops_at_once(in_process: InProcess) -> None:
    """The server is there in under 100 ms and gone in under 100 ms; a busy machine may need some attempts."""
    assert in_process.url  # whatever is imported once is imported

    assert any(max(_start_and_stop(in_process)) < 0.1 for _ in range(50))


def _start_and_stop(mock: InProcess) -> tuple[float, float]:
    """Return how many seconds a server took to answer its first request, and to be gone."""
    server = MockServer(mock.wsgi)
    began = perf_counter()
    server.start()
    requests.get(f"{server.url}/health", timeout=10)
    started = perf_counter()
    server.stop()
    return started - began, perf_counter() - started
