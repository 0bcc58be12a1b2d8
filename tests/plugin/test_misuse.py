"""What makes no sense says what would, the same in process and over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.errors import BadLimit, Misuse, Unavailable, UnknownOperation, UnknownPermission
from mockserver.server import MockServer
from mockserver.testing import FansMetric, Remote, TestOrganization

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


@pytest.fixture
def org(mock: FansMetric) -> TestOrganization:
    return mock.org()


MISUSE: dict[str, tuple[Callable[[TestOrganization], object], str]] = {
    "unknown-permission": (lambda o: o.key(permissions=["api_chat_list"]), "api_chat_list"),
    "permission-alone": (lambda o: o.key(permissions="api_chats_list"), r"\['api_chats_list'\]"),
    "negative-limit": (lambda o: setattr(o, "limit_minute", -1), "limit_minute.*-1"),
    "more-than-the-limit": (lambda o: o.set_remaining(minute=5000), "between 0 and 1000"),
    "nothing-remains-said": (lambda o: o.set_remaining(), "minute=3"),
    "unknown-window": (lambda o: o.exhaust("hour"), '"hour".*"minute"'),  # type: ignore[arg-type]
    "unknown-operation": (lambda o: o.fail_next(502, to="GET /v1/{account_id}/chat"), "chats"),
    "no-error": (lambda o: o.fail_next(200), "400"),
    "never": (lambda o: o.fail_next(502, times=0), "times|once|minimum"),
    "unknown-fault": (lambda o: o.plant_fault(kind="explode"), "explode"),
    "backwards": (lambda o: o.clock.advance(-1), "forward.*-1"),
    "no-time": (lambda o: o.clock.freeze("noon"), "noon.*2026-01-31T10:00:00Z"),
    "no-step": (lambda o: o.clock.advance(), r"advance\(60\), minutes=1"),
    "text-as-step": (lambda o: o.clock.advance("60"), "no time to advance by"),  # type: ignore[arg-type]
    "endless-step": (lambda o: o.clock.advance(days=1e300), "no time to advance by"),
    "date-as-time": (lambda o: o.clock.freeze(date(2026, 1, 31)), r"datetime.*date\(2026, 1, 31\)"),  # type: ignore[arg-type]
    "number-as-expiry": (lambda o: o.key(expires=7), "2026-01-31T12:00:00Z.*got 7"),  # type: ignore[arg-type]
    "number-as-end": (lambda o: o.fail_next(until=7), "2026-01-31T12:00:00Z.*got 7"),
    "unknown-setting": (
        lambda o: setattr(o, "subscripton", "none"),
        "TestOrganization.subscripton can't be set; did you mean subscription",
    ),
    "shortened-setting": (lambda o: setattr(o, "limit_min", 3), "did you mean limit_minute"),
    "no-setting": (
        lambda o: setattr(o, "remaining_minute", 3),
        "what can is limit_day, limit_minute, mode, retry_after, subscription",
    ),
    "method-as-setting": (lambda o: setattr(o, "exhaust", "day"), "exhaust can't be set"),
    "clock-as-setting": (lambda o: setattr(o, "clock", "2026-01-31"), "clock can't be set"),
    "time-as-setting": (lambda o: setattr(o.clock, "now", 0), "TestClock.now.*call its methods"),
    "account-typo": (lambda o: setattr(o.account(), "stat", "sync_lost"), "did you mean state"),
    "unknown-call": (lambda o: o.call("GET", "/nothing"), "GET .*/nothing: it answered 404"),
    "unknown-state": (lambda o: setattr(o, "subscription", "free"), "past_due"),
    "path-as-operation": (
        lambda o: o.fail_next(502, to="GET /v1/1001/chats"),
        r"did you mean GET /v1/\{account_id\}/chats\?",
    ),
    "url-as-operation": (
        lambda o: o.requests.to("DELETE http://127.0.0.1:4010/v1/1001/chats/50001?x=1"),
        r"did you mean DELETE /v1/\{account_id\}/chats/\{user_id\}\?",
    ),
    "nonsense-as-operation": (lambda o: o.requests.to("%%"), "`mockserver routes` lists them"),
    "expects-no-rule": (lambda o: o.expect("rate.minutes"), "did you mean rate.minute"),
    "expects-text": (lambda o: o.expect(402, "429"), "'429'; a status is a number from 400"),
    "expects-success": (lambda o: o.expect(200), "200; a status is a number from 400"),
    "expects-what-is-no-error": (lambda o: o.expect(399), "399; a status is"),
    "expects-beyond-errors": (lambda o: o.expect(600), "600; a status is"),
    "expects-nonsense": (lambda o: o.expect("%%"), "`mockserver rules` lists"),
    "unknown-requests": (lambda o: o.requests.to("GET /v1/{account_id}/chat"), "chats"),
}


@pytest.mark.parametrize(("act", "sentence"), MISUSE.values(), ids=MISUSE)
def test_misuse_says_what_would_be_right(
    org: TestOrganization, act: Callable[[TestOrganization], object], sentence: str
) -> None:
    with pytest.raises(Misuse, match=sentence):
        act(org)


def test_any_refusal_may_be_expected(org: TestOrganization) -> None:
    """By its status, from the first to the last, or by its rule; wrong ones are not remembered."""
    org.expect(400, 599, "rate.minute")
    with pytest.raises(Misuse):
        org.expect(402, 600)

    assert {400, 599, "rate.minute"} == org.expected


def test_no_step_is_not_zero(org: TestOrganization) -> None:
    """Pauses are computed, so nothing may come out."""
    org.clock.freeze("2026-01-31T12:00:30Z")
    org.clock.advance(0)
    org.clock.advance(minutes=0)
    org.clock.advance(timedelta())

    assert datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC) == org.clock.now


def test_a_state_that_cannot_be_saved_names_its_file(org: TestOrganization, tmp_path: Path) -> None:
    file = tmp_path / "nope" / "state.yaml"
    with pytest.raises(Unavailable) as caught:
        org.save(file)

    assert f"the state can't be saved in {file}: No such file or directory" == str(caught.value)


def test_misuse_has_its_type(org: TestOrganization) -> None:
    """The class is the one that the mock raised, also on the other side of HTTP."""
    with pytest.raises(UnknownPermission):
        org.key(permissions=["api_everything"])
    with pytest.raises(BadLimit):
        org.set_remaining(minute=5000)
    with pytest.raises(UnknownOperation):
        org.fail_next(502, to="GET /v1/nothing")


@pytest.mark.parametrize("accounts", [1001, ["1001"], "1001", {"id": 1001}], ids=repr)
def test_accounts_are_a_list(mock: FansMetric, accounts: Any) -> None:
    with pytest.raises(Misuse, match=r'accounts is a list.*"id": 1003'):
        mock.org(accounts=accounts)


def test_a_refusal_without_a_key_is_one_that_exists(local: FansMetric) -> None:
    with pytest.raises(Misuse, match=r"did you mean auth\.key-missing"):
        local.expect("auth.key-mising")


def test_wrong_addresses() -> None:
    with pytest.raises(
        Misuse, match=r"no name and password; give http://127.0.0.1:4010/x$"
    ) as caught:
        Remote("http://somebody:secret@127.0.0.1:4010/x")
    assert "secret" not in str(caught.value)
    with pytest.raises(Misuse, match=r"127\.0\.0\.1:4010"):
        FansMetric.start("localhost:4010")
    places = ("http://127.0.0.1:99999", "http://127.0.0.1:0", "http://[::1", "http://")
    for wrong in (*places, "ftp://127.0.0.1:4010", "//127.0.0.1:4010"):
        with pytest.raises(Misuse, match="is no address of a mock"):
            Remote(wrong)
    with pytest.raises(Misuse, match="when you serve it"):
        FansMetric.start("http://127.0.0.1:4010", fixtures="here")
    with pytest.raises(Unavailable, match="mockserver serve"):
        Remote("http://127.0.0.1:1").call("GET", "/")


@pytest.mark.parametrize("answer", ["{}", "[]", "<html>"])
def test_somebody_else_is_no_mock(answer: str) -> None:
    """Whatever another server answers, the error names the address and what is wanted there."""

    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer.encode()]

    with MockServer(app) as server, pytest.raises(Misuse, match=r"base URL of a FansMetric mock"):
        Remote(server.url).check()


def test_a_mock_has_its_control_api_at_its_base_only(remote: Remote) -> None:
    remote.check()

    with FansMetric.start(f"{remote.url}/v1") as mock, pytest.raises(Misuse) as caught:
        mock.org()
    assert str(caught.value).startswith(
        f"there is no control API with PUT {remote.url}/v1/_mock/organizations/org-"
    )


def test_only_a_mock_in_this_process_has_an_app(remote: Remote) -> None:
    with pytest.raises(Misuse, match="isn't in this process"):
        FansMetric(remote).app  # noqa: B018 - reading it is what raises
