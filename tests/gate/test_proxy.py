"""The proxy: traffic passes unchanged, every exchange is judged, and no key is ever shown."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import urllib3

import contract_tests
from contract_tests.exchange import Exchange, Request
from contract_tests.observe import Judge
from contract_tests.outside import Headrooms, Ticket
from contract_tests.proxy.forward import Forwarder
from contract_tests.proxy.headers import end_to_end
from contract_tests.proxy.watch import Watcher
from contract_tests.reports.machine import as_json, as_junit, as_markdown
from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Ledger, Verdict
from mockserver import create_app, rules
from mockserver.app import MockFlask
from mockserver.call import Call
from mockserver.contract import Operation, load_contract
from mockserver.envelope import Reply
from mockserver.rules import Rule
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FULL = "fm_api_test_full"
BEARER = {"Authorization": f"Bearer {FULL}"}
CHATS = "/v1/1001/chats"
LABEL = "GET /v1/{account_id}/chats"


@dataclass
class Proxied:
    """A proxy in front of a server, and what it told."""

    url: str
    direct: str
    watcher: Watcher
    told: list[str] = field(default_factory=list)

    def send(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        options.setdefault(
            "timeout", 30
        )  # by default 3 seconds, too short for a machine under load
        return urllib3.request(method, self.url + path, redirect=False, retries=False, **options)

    def verdict(self, rule: Rule) -> Verdict:
        return self.watcher.ledger.findings[rule.id].verdict

    @property
    def broken(self) -> list[str]:
        return [finding.rule.id for finding in self.watcher.ledger.broken()]

    def reports(self) -> str:
        self.watcher.ledger.settle()
        outcome = Outcome(self.direct, "openapi.yaml", 1, 1, 0.0, self.watcher.ledger, strict=True)
        return as_json(outcome) + as_junit(outcome) + as_markdown(outcome)


@contextmanager
def proxy_of(url: str) -> Iterator[Proxied]:
    told: list[str] = []
    watcher = Watcher(load_contract(), told.append)
    with MockServer(Forwarder(url, watcher)) as server:
        yield Proxied(server.url, url, watcher, told)


@contextmanager
def proxied(app: WSGIApplication) -> Iterator[Proxied]:
    with MockServer(app) as upstream, proxy_of(upstream.url) as proxy:
        yield proxy


def planted(change: Callable[[dict[str, Any]], None], status: int = 200) -> MockFlask:
    """Return a mock that changes the body of its answers with ``status``."""
    app = create_app(check_responses=False)
    original = app.mock.answer

    def answer(call: Call, operation: Operation) -> Reply:
        reply = original(call, operation)
        if reply.status != status:
            return reply
        body = orjson.loads(reply.body)
        change(body)
        return replace(reply, body=orjson.dumps(body))

    app.mock.answer = answer  # type: ignore[method-assign]  # the planted fault
    return app


def answering(
    status: str, headers: list[tuple[str, str]], body: bytes = b""
) -> Callable[[WSGIEnvironment, StartResponse], list[bytes]]:
    """Return a server that gives every request the same answer."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response(status, headers)
        return [body] if environ["REQUEST_METHOD"] != "HEAD" else []

    return app


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    """Answer with the size of the body and every header that came."""
    size = len(environ["wsgi.input"].read())
    names = {
        name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT"))
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [orjson.dumps({"size": size, "target": environ["REQUEST_URI"], "headers": names})]


# --- passing on -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        pytest.param("GET", "/health", {}, b"", id="health"),
        pytest.param("GET", f"{CHATS}?limit=2&skip=%2f", BEARER, b"", id="page"),
        pytest.param("GET", CHATS, {}, b"", id="no-key"),
        pytest.param("GET", "/v1/9/chats", BEARER, b"", id="no-account"),
        pytest.param("HEAD", CHATS, BEARER, b"", id="head"),
        pytest.param("GET", "/v1/nothing", BEARER, b"", id="unknown-route"),
        pytest.param("PATCH", CHATS, BEARER, b"", id="unknown-method"),
        pytest.param("POST", f"{CHATS}/50001/mute", BEARER, b"", id="write"),
        pytest.param("POST", f"{CHATS}/50001/messages", BEARER, b"x" * 1_048_577, id="too-large"),
        pytest.param("OPTIONS", CHATS, {}, b"", id="options"),
        pytest.param("GET", "/_mock/clock", {}, b"", id="control"),
    ],
)
def test_passes_unchanged(method: str, path: str, headers: dict[str, str], body: bytes) -> None:
    """Status, headers and body are what the server gives without a proxy."""
    app = create_app()
    app.mock.world.clock.freeze()
    for organization in app.mock.world.organizations.values():
        organization.windows.set_rolling(True)
    with proxied(app) as proxy:
        answers = []
        for url in (proxy.direct, proxy.url):
            answer = urllib3.request(
                method, url + path, headers=headers, body=body, redirect=False, retries=False
            )
            seen = {**answer.headers, "Date": ""}
            answers.append((answer.status, answer.reason, seen, _without_headroom(answer.data)))

    assert answers[0] == answers[1]


def _without_headroom(body: bytes) -> Any:
    """Return the body; where two requests can't be told the same, without their headroom."""
    if b"_rate_limits" not in body:
        return body
    value = orjson.loads(body)
    value["_meta"]["_rate_limits"] = {}
    return orjson.dumps(value)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param("200 OK", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], b"x", id="cookies"),
        pytest.param("200 Fine", [("Content-Encoding", "gzip")], gzip.compress(b"{}"), id="gzip"),
        pytest.param("200 OK", [("Content-Encoding", "br")], b"\x00\xff", id="unknown-coding"),
        pytest.param("200 OK", [("X-Latin", "caf\xe9")], bytes(range(256)) * 999, id="bytes"),
        pytest.param("204 No Content", [], b"", id="204"),
        pytest.param("304 Not Modified", [("ETag", '"1"')], b"", id="304"),
        pytest.param("302 Found", [("Location", "https://example.com/")], b"", id="redirect"),
        pytest.param("599 Odd", [("Content-Length", "3")], b"odd", id="odd"),
    ],
)
def test_passes_any_answer(status: str, headers: list[tuple[str, str]], body: bytes) -> None:
    with proxied(answering(status, headers, body)) as proxy:
        answer = proxy.send("GET", CHATS, headers=BEARER, decode_content=False)

    assert f"{answer.status} {answer.reason}" == status
    assert body == answer.data
    assert [item for item in answer.headers.items() if item in headers] == headers


def test_passes_every_request_header() -> None:
    """Repeated ones and strange names too, but none of the connection's, and none of ours."""
    head = (
        "GET /a%2fb?q=%7C HTTP/1.1\r\nHost: proxy.example\r\nX-Two: one\r\nX-Two: two\r\n"
        "X-Named: dropped\r\nConnection: close, X-Named\r\nKeep-Alive: 9\r\nTE: trailers\r\n"
        "Proxy-Authorization: Basic eA==\r\n\r\n"
    )
    with recording() as (upstream, received), proxy_of(upstream) as proxy:
        _raw(proxy.url, head.encode())
    lines = received[0].decode().split("\r\n")

    assert "GET /a%2Fb?q=%7C HTTP/1.1" == lines[0]
    assert {f"Host: {upstream.removeprefix('http://')}", "X-Two: one", "X-Two: two"} == {
        *filter(None, lines[1:])
    }


def _raw(url: str, request: bytes) -> bytes:
    """Send bytes to a server and return all that it answers."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while block := connection.recv(65_536):
            received += block
    return received


@contextmanager
def recording(
    answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n",
) -> Iterator[tuple[str, list[bytes]]]:
    """Answer each connection with the same bytes, close it, and keep what came."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(65_536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_drops_the_headers_of_the_connection() -> None:
    sent = [
        ("Connection", "Keep-Alive, x-mine"),
        ("X-Mine", "1"),
        ("Upgrade", "h2c"),
        ("A", "b\r\n c"),
    ]

    assert [("A", "b c")] == end_to_end(sent)


@pytest.mark.parametrize("chunked", [False, True])
def test_passes_large_uploads(chunked: bool) -> None:
    block = b"x" * 65_536
    body = iter([block] * 80) if chunked else block * 80
    with proxied(echo) as proxy:
        answer = proxy.send("POST", "/upload", body=body).json()

    assert 80 * 65_536 == answer["size"]
    assert chunked == ("CONTENT_LENGTH" not in answer["headers"])


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/health", "//127.0.0.1:1/health", "*", "/../up", "/v1/%2e%2e/up"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_asks_nobody_else(method: str, target: str) -> None:
    """Only paths under the base URL reach the server, and nothing reaches another."""
    with MockServer(echo) as upstream, proxy_of(f"{upstream.url}/base") as proxy:
        answer = _raw(
            proxy.url, f"{method} {target} HTTP/1.1\r\nConnection: close\r\n\r\n".encode()
        )
        inside = proxy.send("GET", "/v1").json()
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ") or b'"target":"/base//127.0.0.1:1/health"' in body
    assert "/base/v1" == inside["target"]


def test_dead_server_is_a_flat_502() -> None:
    """It is marked as ours, told once for each request, and judges nothing."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with proxy_of(f"http://127.0.0.1:{unused.getsockname()[1]}") as proxy:
            answer = proxy.send("GET", CHATS, headers=BEARER)
            head = proxy.send("HEAD", CHATS, headers=BEARER)

    assert (502, "contract-tests") == (answer.status, answer.headers["X-Proxy-Source"])
    assert ["error"] == list(answer.json())
    assert (502, b"") == (head.status, head.data)
    assert not any(f.times for f in proxy.watcher.ledger.findings.values())
    assert proxy.told[0].startswith(f"no answer to {LABEL}: ")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort", id="short"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", id="chunks"
        ),
    ],
)
def test_broken_answers_break_off(answer: bytes) -> None:
    """The client sees that something is missing, and nothing is judged."""
    failures = (urllib3.exceptions.HTTPError, OSError)
    with recording(answer) as (upstream, _), proxy_of(upstream) as proxy, pytest.raises(failures):
        proxy.send("GET", CHATS, headers=BEARER)

    assert 1 == proxy.watcher.unanswered
    assert not any(f.times for f in proxy.watcher.ledger.findings.values())


@pytest.mark.parametrize(
    "body", ["Transfer-Encoding: chunked\r\n\r\nzz\r\n", "Content-Length: 9\r\n\r\nshort"]
)
def test_broken_uploads_are_the_clients_fault(body: str) -> None:
    with proxied(echo) as proxy:
        answer = _raw(proxy.url, f"POST /x HTTP/1.1\r\nConnection: close\r\n{body}".encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert 0 == proxy.watcher.unanswered


# --- judging --------------------------------------------------------------------------------------


def test_clean_traffic_keeps_what_it_shows() -> None:
    """What was never shown is not checked, and says why."""
    with proxied(create_app()) as proxy:
        for path in ("/health", CHATS, f"{CHATS}?limit=2", "/v1/9/chats", "/v1/nothing"):
            proxy.send("GET", path, headers=BEARER if path != "/health" else {})
        proxy.send("GET", CHATS)
        proxy.send("PATCH", CHATS)
        proxy.send("POST", f"{CHATS}/50001/messages", headers=BEARER, body=b"x" * 1_048_577)
    proxy.watcher.ledger.settle()
    kept = {f.rule.id for f in proxy.watcher.ledger.findings.values() if f.verdict is Verdict.KEPT}
    unmet = proxy.watcher.ledger.findings[rules.KEY_REVOKED.id].reason

    assert [] == proxy.told
    assert {
        "auth.key-missing",
        "auth.health-open",
        "rate.headroom",
        "rate.counts-down",
        "error.flat",
        "error.413",
        "error.unknown-route",
        "error.method",
        "envelope.data",
        "pagination.relative",
    } < kept
    assert "a proxy only watches" in unmet


def priced(body: dict[str, Any]) -> None:
    body["_meta"]["_credits"]["used"] = 2


def absolute(body: dict[str, Any]) -> None:
    body["_pagination"]["next_page"] = "https://example.com" + body["_pagination"]["next_page"]


def forgetful(body: dict[str, Any]) -> None:
    body["_pagination"]["next_page"] = "/v1/1001/chats?offset=2"


@pytest.mark.parametrize(
    ("app", "request_", "rule"),
    [
        pytest.param(
            lambda: planted(priced), ("GET", CHATS, BEARER), rules.CREDIT_SUCCESS, id="price"
        ),
        pytest.param(
            lambda: planted(absolute),
            ("GET", f"{CHATS}?limit=2", BEARER),
            rules.PAGE_RELATIVE,
            id="absolute",
        ),
        pytest.param(
            lambda: planted(forgetful),
            ("GET", f"{CHATS}?limit=2", BEARER),
            rules.PAGE_KEEPS_QUERY,
            id="query",
        ),
        pytest.param(
            lambda: planted(lambda body: body.update(code=1), 401),
            ("GET", CHATS, {}),
            rules.FLAT,
            id="code",
        ),
        pytest.param(
            lambda: answering("200 OK", []), ("GET", CHATS, {}), rules.KEY_MISSING, id="no-key"
        ),
        pytest.param(
            lambda: answering("200 OK", []),
            ("GET", CHATS, {"Authorization": "Basic eDp5"}),
            rules.OTHER_SCHEME,
            id="scheme",
        ),
        pytest.param(
            lambda: answering("200 OK", []),
            ("GET", CHATS, {**BEARER, "X-API-Key": "fm_api_test_other"}),
            rules.TWO_KEYS,
            id="two-keys",
        ),
        pytest.param(
            lambda: answering("401 Unauthorized", []),
            ("GET", "/health", {}),
            rules.HEALTH_OPEN,
            id="health",
        ),
        pytest.param(
            lambda: answering("200 OK", []),
            ("GET", "/v1/nothing", BEARER),
            rules.UNKNOWN_ROUTE,
            id="route",
        ),
        pytest.param(
            lambda: answering("401 Unauthorized", []),
            ("GET", "/v1/nothing", {}),
            rules.ROUTE_BEFORE_KEY,
            id="route-401",
        ),
        pytest.param(
            lambda: answering("405 Method Not Allowed", [("Allow", "GET, POST")]),
            ("PATCH", CHATS, BEARER),
            rules.UNKNOWN_METHOD,
            id="allow",
        ),
    ],
)
def test_tells_a_breach_once(
    app: Callable[[], WSGIApplication], request_: tuple[str, str, dict[str, str]], rule: Rule
) -> None:
    """A planted fault breaks the rule that speaks of it, and is told at once, but not again."""
    method, path, headers = request_
    with proxied(app()) as proxy:
        for _ in range(2):
            proxy.send(method, path, headers=headers)
    lines = [line for line in proxy.told if line.startswith(f"{rule.id} broken by ")]

    assert Verdict.BROKEN is proxy.verdict(rule)
    assert 1 == len(lines)
    assert 2 == proxy.watcher.ledger.findings[rule.id].times


DATES = "start_date=2020-01-01&end_date=2090-01-01"


@pytest.mark.parametrize(
    ("path", "asked", "verdict"),
    [
        ("reach/promotions", DATES, Verdict.KEPT),
        ("payouts/chargebacks", DATES, Verdict.KEPT),
        ("payouts/requests", DATES, Verdict.KEPT),
        ("reach/promotions", f"limit=1&{DATES}", Verdict.BROKEN),
        ("earnings", DATES, Verdict.BROKEN),
    ],
)
def test_a_link_may_drop_what_its_own_page_drops(path: str, asked: str, verdict: Verdict) -> None:
    """The examples of three pages leave out the dates; all else that was asked for stays in the link."""

    def dropping(body: dict[str, Any]) -> None:
        body["_pagination"] = {"next_page": f"/v1/1001/{path}?offset=1"}

    with proxied(planted(dropping)) as proxy:
        proxy.send("GET", f"/v1/1001/{path}?{asked}", headers=BEARER)

    assert verdict is proxy.verdict(rules.PAGE_KEEPS_QUERY)


@pytest.mark.parametrize(
    ("chunked", "rule"), [(False, rules.TOO_LARGE), (True, rules.TOO_LARGE_CHUNKED)]
)
def test_judges_bodies_over_the_limit(chunked: bool, rule: Rule) -> None:
    body = iter([b"x" * 1_048_577]) if chunked else b"x" * 1_048_577
    with proxied(echo) as proxy:
        proxy.send("POST", f"{CHATS}/50001/messages", headers=BEARER, body=body)

    assert Verdict.BROKEN is proxy.verdict(rule)


@pytest.mark.parametrize(
    "status", ["429 Too Many Requests", "503 Service Unavailable", "302 Found"]
)
def test_a_stray_refusal_judges_nothing_else(status: str) -> None:
    """What comes in place of an answer says nothing of the rule that was at stake."""
    large = b"x" * 1_048_577
    with proxied(
        answering(status, [("Content-Type", "application/json")], b'{"error":"x"}')
    ) as proxy:
        proxy.send("GET", CHATS)
        proxy.send("GET", "/v1/nothing", headers=BEARER)
        if not status.startswith("302"):
            proxy.send("GET", CHATS, headers=BEARER, body=large)

    assert [] == proxy.told


def sequence(*left: int) -> MockFlask:
    """Return a mock that tells these headrooms of the minute, one after the other."""
    told = iter(left)

    def change(body: dict[str, Any]) -> None:
        body["_meta"]["_rate_limits"]["remaining_minute"] = next(told)

    return planted(change)


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        pytest.param((9, 8, 7), Verdict.KEPT, id="by-one"),
        pytest.param((9, 7, 5), Verdict.NOT_CHECKED, id="others-too"),
        pytest.param((9, 8, 11, 10), Verdict.KEPT, id="a-new-window"),
        pytest.param((9, 10, 11), Verdict.BROKEN, id="rising"),
        pytest.param((9, 9, 9), Verdict.BROKEN, id="stuck"),
        pytest.param((0, 0, 0), Verdict.NOT_CHECKED, id="at-zero"),
    ],
)
def test_judges_headroom(left: tuple[int, ...], verdict: Verdict) -> None:
    """A window may begin anew once, but not twice within its length."""
    app = sequence(*left)
    app.mock.world.clock.freeze()
    with proxied(app) as proxy:
        for _ in left:
            proxy.send("GET", CHATS, headers=BEARER)

    assert verdict is proxy.verdict(rules.COUNTS_DOWN)


def test_headroom_may_rise_each_minute() -> None:
    """The time is the one that the server's answers tell."""
    app = sequence(5, 9, 5, 9)
    app.mock.world.clock.freeze()
    with proxied(app) as proxy:
        for _ in range(4):
            proxy.send("GET", CHATS, headers=BEARER)
            app.mock.world.clock.advance(40)

    assert [] == proxy.told


def test_one_new_window_seen_twice_is_one() -> None:
    """Requests that are under way together both tell of it; a later one that rises is another."""
    ledger, headrooms = Ledger(), Headrooms()
    judge = Judge(ledger, LABEL, Exchange(Request("GET", CHATS), 200, {}, b""))

    def end(ticket: Ticket, left: int) -> None:
        headrooms.end(ticket, {"remaining_minute": left, "remaining_day": left}, 0, 1, judge)

    end(headrooms.begin("key-1"), 5)
    first, second = headrooms.begin("key-1"), headrooms.begin("key-1")
    end(first, 98)
    end(second, 99)
    together = ledger.findings[rules.COUNTS_DOWN.id].verdict
    end(headrooms.begin("key-1"), 100)

    assert Verdict.NOT_CHECKED is together
    assert Verdict.BROKEN is ledger.findings[rules.COUNTS_DOWN.id].verdict


def test_keys_are_judged_apart() -> None:
    """Two organizations in turn don't make one that rises."""
    app = sequence(9, 99, 8, 98, 7, 97)
    with proxied(app) as proxy:
        for key in (FULL, "fm_api_test_other") * 3:
            account = "2001" if key.endswith("other") else "1001"
            proxy.send("GET", f"/v1/{account}/chats", headers={"X-API-Key": key})

    assert [] == proxy.told
    assert Verdict.KEPT is proxy.verdict(rules.COUNTS_DOWN)


def test_many_at_once() -> None:
    """Answers that overtake each other are no rising headroom."""
    headers = {"Authorization": "Bearer fm_api_test_unlimited"}
    with proxied(create_app()) as proxy, ThreadPoolExecutor(16) as pool:
        found = pool.map(lambda _: proxy.send("GET", CHATS, headers=headers).status, range(200))
        statuses = set(found)

    assert {200} == statuses
    assert [] == proxy.told
    assert 200 == proxy.watcher.answered == proxy.watcher.ledger.findings["envelope.data"].times


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param([("Content-Encoding", "gzip")], gzip.compress(b"[]"), id="gzip"),
        pytest.param([("Content-Encoding", "deflate, gzip")], None, id="two"),
        pytest.param([], b"[]", id="plain"),
    ],
)
def test_judges_decoded_answers(headers: list[tuple[str, str]], body: bytes | None) -> None:
    coded = gzip.compress(zlib.compress(b"[]")) if body is None else body
    with proxied(answering("200 OK", headers, coded)) as proxy:
        proxy.send("GET", CHATS, headers=BEARER)
    (breach,) = proxy.watcher.ledger.findings[rules.ENVELOPE.id].breaches

    assert "200 with JSON list" == breach.found


def test_leaves_what_it_cannot_read() -> None:
    """An unknown coding, a part, and an endless answer pass, but are not judged."""
    with proxied(answering("200 OK", [("Content-Encoding", "secret")], b"?")) as proxy:
        proxy.send("GET", CHATS, headers=BEARER)
    with proxied(answering("206 Partial Content", [], b'{"da')) as partial:
        partial.send("GET", CHATS, headers=BEARER)
    with proxied(answering("200 OK", [], b"x" * 9_000_000)) as endless:
        length = len(endless.send("GET", CHATS, headers=BEARER).data)

    assert 9_000_000 == length
    assert [] == proxy.told + partial.told + endless.told


def test_a_broken_judge_is_our_error_not_the_traffics(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxied(create_app()) as proxy:
        monkeypatch.setattr(proxy.watcher, "_schemas", None)
        status = proxy.send("GET", CHATS, headers=BEARER).status

    assert 200 == status
    assert Verdict.ERROR is proxy.verdict(rules.DATA_SCHEMA)


# --- secrets --------------------------------------------------------------------------------------

SECRET = "fm_api_test_5d41402abc4b2a76b9719d911017c592"
COOKIE = "session=c2Vzc2lvbg"


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key"])
def test_shows_no_key(name: str) -> None:
    """A server that repeats the key everywhere doesn't make the proxy tell it."""
    leak = orjson.dumps({"error": f"no {SECRET}", SECRET: "x" * 560 + SECRET})
    app = answering(
        "400 Bad Request", [("Content-Type", f"text/{SECRET}"), ("X-Key", SECRET)], leak
    )
    headers = {name: f"Bearer {SECRET}" if name == "Authorization" else SECRET, "Cookie": COOKIE}
    with proxied(app) as proxy:
        answer = proxy.send("GET", f"{CHATS}?key={SECRET}", headers=headers, body=SECRET.encode())
        proxy.send("GET", f"/v1/{SECRET}", headers=headers)
    shown = "".join(proxy.told) + proxy.reports()

    assert leak == answer.data
    assert "$FANSMETRIC_KEY_1" in shown
    assert SECRET not in shown
    assert SECRET[:20] not in shown
    assert COOKIE not in shown
    assert SECRET not in f"{[asdict(f) for f in proxy.watcher.ledger.findings.values()]}"


def test_told_lines_are_one_line() -> None:
    """A hostile server can't forge lines or move the cursor."""
    body = orjson.dumps({"a\nrate.day kept\x1b[2J": 1})
    with proxied(answering("400 Bad Request", [], body)) as proxy:
        proxy.send("GET", CHATS, headers=BEARER)

    assert proxy.told
    assert all(line.isprintable() for line in proxy.told)


# --- the command ----------------------------------------------------------------------------------


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `contract-tests proxy` in a process of its own."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from contract_tests.entry import main; main()",
            "proxy",
            *arguments,
        ],
        env={**os.environ, "PYTHONPATH": str(Path(contract_tests.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("app", "number", "code"),
    [
        pytest.param(create_app, signal.SIGINT, 0, id="kept"),
        pytest.param(lambda: planted(priced), signal.SIGTERM, 1, id="broken"),
    ],
)
def test_command_reports_when_it_ends(
    app: Callable[[], MockFlask], number: signal.Signals, code: int, tmp_path: Path
) -> None:
    files = {name: tmp_path / f"run.{name}" for name in ("json", "junit", "md")}
    asked = ",".join(f"{name}={file}" for name, file in files.items())
    with (
        MockServer(app()) as upstream,
        command(upstream.url, "--port=0", "--report", asked) as process,
    ):
        assert process.stdout is not None
        own = process.stdout.readline().split()[1]
        urllib3.request("GET", own + CHATS, headers=BEARER)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    report = json.loads(files["json"].read_text())

    assert code == process.returncode == report["exit_code"], err
    assert 1 == report["requests"]
    assert bool(code) == ("credit.success broken by GET /v1/{account_id}/chats: " in err)
    assert "1 request in" in out
    assert FULL not in out + err + "".join(file.read_text() for file in files.values())


def test_command_without_traffic_is_4() -> None:
    with MockServer(create_app()) as upstream, command(upstream.url, "--port=0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)

    assert 4 == process.returncode


def test_command_needs_a_server_and_a_port() -> None:
    with socket.socket() as unused, MockServer(create_app()) as taken:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ended = []
        for url in (dead, taken.url):
            with command(url, "--port", taken.url.rpartition(":")[2]) as process:
                _, err = process.communicate(timeout=30)
                ended.append((process.returncode, len(err.splitlines())))

    assert [(3, 1), (3, 1)] == ended
