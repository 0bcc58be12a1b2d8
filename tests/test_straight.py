"""The mock's own server asks the mock without an environ; each answer is the one that WSGI gives, to the byte."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.clock import Clock, parse_time
from mockserver.faults import Fault, FaultKind
from mockserver.front import Front
from mockserver.light import LightApp, create_light_app
from mockserver.server import MockServer
from mockserver.serving.heads import REMEMBERED
from tests.conftest import NOW

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mockserver.journal import Exchange

CHATS = b"GET /v1/1001/chats?limit=2 HTTP/1.1"
SEND = b"POST /v1/1001/chats/50001/messages HTTP/1.1"
BEARER = b"Authorization: Bearer fm_api_test_full"
TEXT = b'{"text":"Fresh beans"}'
JSON = b"Content-Type: application/json"
LENGTH = b"Content-Length: %d" % len(TEXT)


class OverWSGI:
    """The same application, for a server that doesn't know its other way."""

    is_prompt = True

    def __init__(self, light: LightApp) -> None:
        self._light = light

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._light(environ, start_response)


def asking(line: bytes, *fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line, b"Host: x", *fields, b"", body])


REQUESTS: dict[str, bytes] = {
    "list": asking(CHATS, BEARER),
    "api-key": asking(CHATS, b"X-API-Key: fm_api_test_full"),
    "no-key": asking(CHATS),
    "unknown-key": asking(CHATS, b"X-API-Key: fm_api_test_nobodys"),
    "two-keys": asking(CHATS, BEARER, b"X-API-Key: fm_api_test_chats"),
    "forbidden": asking(b"GET /v1/1001/earnings/statistics HTTP/1.1", b"X-API-Key: fm_api_test_chats"),
    "bad-query": asking(b"GET /v1/1001/chats?limit=many HTTP/1.1", BEARER),
    "key-in-the-query": asking(b"GET /v1/1001/chats?key=fm_api_test_full HTTP/1.1"),
    "open": asking(b"GET /health HTTP/1.1"),
    "old": asking(b"GET /health HTTP/1.0"),
    "old-that-stays": asking(b"GET /v1/accounts HTTP/1.0", BEARER, b"Connection: keep-alive"),
    "last": asking(CHATS, BEARER, b"Connection: close"),
    "head": asking(b"HEAD /v1/1001/chats HTTP/1.1", BEARER),
    "other-method": asking(b"PUT /v1/1001/chats HTTP/1.1", BEARER),
    "no-route": asking(b"GET /v1/nothing HTTP/1.1", BEARER),
    "two-slashes": asking(b"GET //v1/accounts HTTP/1.1", BEARER),
    "long-head": asking(CHATS, BEARER, b"X-Long: " + b"x" * 9_000),
    "text-in-the-path": asking(b"GET /v1/%C3%A9/chats HTTP/1.1", BEARER),
    "sent": asking(SEND, BEARER, JSON, LENGTH, body=TEXT),
    "sent-as-text": asking(SEND, BEARER, b"Content-Type: text/plain", LENGTH, body=TEXT),
    "sent-in-chunks": asking(SEND, BEARER, JSON, b"Transfer-Encoding: chunked", body=b"16\r\n%b\r\n0\r\n\r\n" % TEXT),
    "sent-in-bad-chunks": asking(SEND, BEARER, JSON, b"Transfer-Encoding: chunked", body=b"zz\r\n"),
    "sent-with-too-much": asking(SEND, BEARER, JSON, b"Content-Length: 1048577", body=b"x" * 1_048_577),
    "sent-with-much": asking(SEND, BEARER, JSON, b"Content-Length: 90000", body=b" " * (90_000 - len(TEXT)) + TEXT),
    "nothing-sent": asking(SEND, BEARER, JSON),
}  # fmt: skip


def light() -> LightApp:
    clock = Clock()
    clock.freeze(parse_time(NOW))
    return create_light_app(clock=clock)


@pytest.fixture
def straight() -> LightApp:
    """Return an application that our server asks straight."""
    return light()


@pytest.fixture
def other() -> LightApp:
    """Return one with an equal world, to be served the WSGI way."""
    return light()


def answers(app: LightApp | OverWSGI, request: bytes) -> bytes:
    """Return what comes back for ``request``, sent twice: so what is remembered of it is used."""
    with MockServer(app) as server:
        host, port = server.url.removeprefix("http://").split(":")
        return b"".join(answer(host, int(port), request) for _ in range(2))


def answer(host: str, port: int, request: bytes) -> bytes:
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(request)
        with suppress(OSError):  # a planted reset may have come before
            connection.shutdown(socket.SHUT_WR)
        try:
            return b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionResetError:  # a planted fault
            return b"reset"


def journal(app: LightApp) -> list[tuple[Any, ...]]:
    """Return what the journals say that doesn't depend on real time."""
    world = app.mock.world
    kept: list[Exchange] = [*world.unclaimed, *world.keys["fm_api_test_full"].organization.journal]
    assert all(e.wire for e in kept)
    return [(e.shown, e.body, e.body_size, e.operation, e.status, e.rule, e.fault) for e in kept]


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_as_over_wsgi(name: str, straight: LightApp, other: LightApp) -> None:
    given = answers(straight, REQUESTS[name])

    assert given.startswith(b"HTTP/1.1 ")
    assert answers(OverWSGI(other), REQUESTS[name]) == given
    assert journal(other) == journal(straight)


@pytest.mark.parametrize("kind", [kind for kind in FaultKind if kind is not FaultKind.LATENCY])
def test_fails_as_over_wsgi(kind: FaultKind, straight: LightApp, other: LightApp) -> None:
    for app in (straight, other):
        app.mock.world.keys["fm_api_test_full"].organization.faults.plant(Fault(502, kind=kind))
    given = answers(straight, REQUESTS["list"])

    assert answers(OverWSGI(other), REQUESTS["list"]) == given
    assert answers(light(), REQUESTS["list"]) != given


def test_needs_no_environ(straight: LightApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Front, "__call__", None)

    assert 2 == answers(straight, REQUESTS["list"]).count(b"HTTP/1.1 200 OK")


def test_asks_whatever_stands_before_flask(straight: LightApp) -> None:
    """Middleware is put around `wsgi_app`, and sees every request."""
    seen: list[str] = []
    inner = straight.flask.wsgi_app

    def middleware(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    assert 2 == answers(straight, REQUESTS["list"]).count(b"HTTP/1.1 200 OK")
    assert [] == seen
    straight.flask.wsgi_app = middleware  # type: ignore[method-assign]  # Flask's idiom

    assert 2 == answers(straight, REQUESTS["list"]).count(b"HTTP/1.1 200 OK")
    assert ["/v1/1001/chats", "/v1/1001/chats"] == seen


def test_remembers_a_bounded_number_of_heads(straight: LightApp) -> None:
    front = straight._front
    heads = [asking(CHATS, BEARER, b"X-Number: %d" % n) for n in range(REMEMBERED + 10)]
    long = asking(CHATS, BEARER, b"X-Long: " + b"x" * 9_000)
    with MockServer(straight) as server:
        host, port = server.url.removeprefix("http://").split(":")
        answer(host, int(port), b"".join([*heads, long]))

    assert 10 == len(front._requests)
