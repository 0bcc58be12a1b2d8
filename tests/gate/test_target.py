"""Sending: counted, bounded, safe, and without a trace of any key, whatever the server does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from contract_tests.exchange import Request, Secret
from contract_tests.plan import BudgetSpent
from contract_tests.profile import Profile
from contract_tests.samples import bearer
from contract_tests.target import Lost, Target, Unanswered, Unsafe
from mockserver.errors import Unavailable
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

SECRET = Secret("full", "fm_api_test_secret_value")
ASK = Request("GET", "/v1/1001/chats", (), (bearer(SECRET),))


@contextmanager
def serving(answer: bytes) -> Iterator[str]:
    """Answer every connection with the same bytes, then close it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):  # the client may hang up first
                connection.recv(65_536)
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"no http at all\r\n\r\n", id="no-http"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", id="cut-off"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="bad-chunk"
        ),
    ],
)
def test_incomplete_answers_are_no_answers(answer: bytes) -> None:
    with serving(answer) as url:
        target = Target(Profile(url))
        with pytest.raises(Lost):
            target.send(ASK)
        with pytest.raises(Unavailable) as caught:
            target.reach()

    assert SECRET.value not in str(caught.value)


WHY = {
    "nothing": (b"", "the connection breaks off"),
    "cut-off": (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", "the connection breaks off"),
    "no-http": (b"no http at all\r\n\r\n", "its answer can't be read as HTTP"),
    "headers": (
        b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 50_000,
        "its answer can't be read as HTTP",
    ),
    "bad-gzip": (http(b"{}", "200 OK", "Content-Encoding: gzip"), "the body can't be unpacked"),
}


@pytest.mark.parametrize("case", WHY)
def test_says_why_there_is_no_answer(case: str) -> None:
    """Whoever looks after the server learns what to mend, without a key or a name from our code."""
    answer, why = WHY[case]
    with serving(answer) as url, pytest.raises(Unavailable) as caught:
        Target(Profile(url)).reach()

    assert f"{url} can't be reached: {why}" == str(caught.value)


def test_follows_no_redirect() -> None:
    with serving(http(b"{}", "302 Found", "Location: http://127.0.0.1:1/")) as url:
        exchange = Target(Profile(url)).send(ASK)

    assert 302 == exchange.status


def test_cuts_endless_answers() -> None:
    with serving(http(b"x" * 20_000_000)) as url:
        exchange = Target(Profile(url)).send(ASK)

    assert 8_388_608 < len(exchange.body) < 9_000_000


def test_evidence_masks_a_key_that_comes_back() -> None:
    """Neither body nor headers nor the line to repeat show it."""
    leak = f'{{"error":"bad key {SECRET.value}"}}'.encode()
    with serving(http(leak, "401 Unauthorized", f"X-Key: {SECRET.value}")) as url:
        exchange = Target(Profile(url)).send(ASK)
    shown = f"{exchange.shown()} {exchange.request.curl(url)} {exchange!r}"

    assert "bad key ***" in exchange.shown()["response"]["body"]
    assert '-H "Authorization: Bearer $FANSMETRIC_FULL"' in exchange.request.curl(url)
    assert SECRET.value not in shown.replace(repr(exchange.headers), "").replace(
        repr(exchange.body), ""
    )


def test_asks_under_the_path_of_the_base_url() -> None:
    """A gateway may serve the API there, and something else at its root."""
    asked: list[str] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        asked.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        start_response("200 OK", [])
        return [b"{}"]

    with MockServer(app) as server:
        target = Target(Profile(f"{server.url}/fans/api"))
        target.reach()
        target.send(Request("GET", "/v1/1001/chats?limit=2"))

    assert ["/fans/api/health?", "/fans/api/v1/1001/chats?limit=2"] == asked


def test_stops_at_the_budget() -> None:
    with serving(http(b"{}")) as url:
        target = Target(Profile(url, max_requests=1))
        target.send(ASK)
        with pytest.raises(BudgetSpent):
            target.send(ASK)

    assert 1 == target.sent


def test_counts_each_look_whether_somebody_is_there() -> None:
    """After a request without an answer it asks for the health, within the budget."""
    with serving(b"") as url:
        target = Target(Profile(url, max_requests=3))
        with pytest.raises(Lost):
            target.send(ASK)

    assert 3 == target.sent  # twice as it was dropped, and the look


def test_gives_a_server_up_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its health is fine: whole hours of waiting tell no more than a minute and a half."""
    monkeypatch.setattr("contract_tests.patience.MOST_SILENT", 0.3)
    hangs = threading.Event()

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] != "/health":
            hangs.wait(20)
        start_response("200 OK", [])
        return [b"{}"]

    with MockServer(app) as server:
        target = Target(Profile(server.url))
        target._pool.timeout = urllib3.Timeout(connect=5, read=0.2)
        with pytest.raises(Unanswered):
            target.send(ASK)
        with pytest.raises(Lost):
            target.send(ASK)
        hangs.set()


def test_interim_answers_are_none() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    with serving(early * 3 + http(b"{}", "401 Unauthorized")) as url:
        assert 401 == Target(Profile(url)).send(ASK).status


def test_sends_no_write_to_a_real_account() -> None:
    """Nothing leaves for a host that isn't local, unless that is allowed."""
    target = Target(Profile("https://api.example.com"))
    with pytest.raises(Unsafe):
        target.send(Request("POST", "/v1/1001/posts"), may_write=True)

    assert 0 == target.sent
    assert Target(Profile("https://api.example.com", allow_writes=True)).is_safe


def test_unreachable_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(Unavailable, match=f"{url} can't be reached"):
            Target(Profile(url)).reach()
