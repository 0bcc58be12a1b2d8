"""A run leaves room in the windows of an organization that isn't its own, and waits for new minutes instead."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.gate import Asked, check_target
from contract_tests.pace import Pace
from contract_tests.plan import DAY_SPENT, BudgetSpent
from contract_tests.profile import Profile
from contract_tests.samples import bearer
from contract_tests.verdicts import Verdict
from mockserver import create_app
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mockserver.contract import Contract

FULL, OTHER = (Request("GET", "/", (), (bearer(Secret(name, "x")),)) for name in ("full", "other"))
DATE = "Sat, 31 Jan 2026 12:00:40 GMT"


def told(request: Request, minute: int, day: int = 1_000, limit: int = 1_000) -> Exchange:
    """Return a success that reports these headrooms."""
    limits = {
        "limit_minute": limit,
        "remaining_minute": minute,
        "limit_day": 1_000,
        "remaining_day": day,
    }
    body = {"data": {}, "_meta": {"_rate_limits": limits}}
    return Exchange(request, 200, {"date": DATE}, json.dumps(body).encode())


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let nobody wait, and return the seconds of each wait."""
    asked: list[float] = []

    class Passing(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            asked.append(timeout or 0)
            return False

    passing = SimpleNamespace(Event=Passing, Lock=threading.Lock)
    monkeypatch.setattr("contract_tests.pace.threading", passing)
    return asked


@pytest.mark.parametrize(
    ("minute", "limit", "waited"),
    [
        pytest.param(17, 1_000, [], id="room"),
        pytest.param(16, 1_000, [21], id="nearly-used-up"),
        pytest.param(2, 9, [21], id="small-window"),
        pytest.param(3, 9, [], id="small-window-with-room"),
    ],
)
def test_waits_for_the_next_minute(
    minute: int, limit: int, waited: list[float], waits: list[float]
) -> None:
    """By the server's own clock, and once: what is left then only the next answer tells."""
    pace = Pace()
    pace.after(told(FULL, minute, limit=limit))
    pace.before(OTHER)
    pace.before(FULL)
    pace.before(FULL)

    assert (waited, sum(waited)) == (waits, pace.waited)


def test_a_day_that_is_nearly_used_up_ends_the_run(waits: list[float]) -> None:
    pace = Pace()
    pace.after(told(FULL, 500, day=10))

    with pytest.raises(BudgetSpent, match=DAY_SPENT):
        pace.before(FULL)
    assert [] == waits


def refused(request: Request, *headers: tuple[str, str]) -> Exchange:
    return Exchange(request, 429, {"date": DATE, **dict(headers)}, b'{"error":"Slowly."}')


@pytest.mark.parametrize(
    ("asked", "moment"),
    [("", 1), ("7", 7), ("0", 1), ("90", 60), ("3600", 1), ("soon", 1), ("²", 1)],
)
def test_a_429_is_given_a_moment_and_then_a_minute(
    asked: str, moment: int, waits: list[float]
) -> None:
    """Who is refused all the same gets no more patience until there is another answer."""
    pace = Pace()
    again = [pace.may_repeat(refused(FULL, ("retry-after", asked))) for _ in range(4)]
    pace.after(told(FULL, 500))
    later = pace.may_repeat(refused(FULL, ("retry-after", asked)))

    assert [True, True, False, False] == again
    assert later
    assert [moment, 21, moment] == waits


@pytest.mark.parametrize("limited", [1, 2, 3])
def test_what_a_429_held_up_is_judged_after_all(
    limited: int, contract: Contract, waits: list[float]
) -> None:
    """Also where it writes; and where it is held up for good, the rule isn't kept."""
    app, seen = create_app(), list[str]()

    def limiting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if path == "DELETE /v1/1001/chats/50001/mute" and seen.count(path) < limited:
            seen.append(path)
            start_response("429 Too Many Requests", [("Content-Type", "application/json")])
            return [b'{"error":"Slowly."}']
        return app(environ, start_response)

    with MockServer(limiting) as server:
        profile = Profile(
            server.url,
            keys={"full": Secret("full", "fm_api_test_full")},
            accounts={"healthy": 1001},
        )
        asked = Asked(only=("auth.bearer",), fast=True)
        outcome = check_target(contract, profile, asked, lambda _: None)
    (finding,) = outcome.findings

    assert (92 if limited < 3 else 91) == finding.times
    assert (0 if limited < 3 else 4) == outcome.exit_code
    assert limited > 2 or Verdict.KEPT is finding.verdict
    assert limited < 3 or finding.reason.startswith("not judged: 429 instead of an answer")


def test_a_run_uses_up_no_window(contract: Contract, waits: list[float]) -> None:
    """On a server with the documented windows it waits a few times, and meets no 429."""
    app = create_app()
    keys = {
        "full": Secret("full", "fm_api_test_full"),
        "second": Secret("second", "fm_api_test_second"),
    }
    windows = app.mock.world.organizations["lark"].windows
    windows.set_limits(minute=60, day=50_000)
    fresh = Pace.before

    def before(self: Pace, request: Request) -> None:
        """Let the minute pass that the gate waits for."""
        passed = len(waits)
        fresh(self, request)
        if len(waits) > passed:
            windows.minute.used = 0

    with pytest.MonkeyPatch.context() as patch, MockServer(app) as server:
        patch.setattr(Pace, "before", before)
        profile = Profile(server.url, keys=keys, accounts={"healthy": 1001, "sync_lost": 1003})
        outcome = check_target(
            contract,
            profile,
            Asked(only=("auth.bearer", "auth.x-api-key"), fast=True),
            lambda _: None,
        )

    assert 3 <= len(waits)
    assert any("waited" in note for note in outcome.notes)
    assert [184] == [sum(finding.times for finding in outcome.findings)]
    assert 429 not in {exchange.status for exchange in app.mock.world.organizations["lark"].journal}
