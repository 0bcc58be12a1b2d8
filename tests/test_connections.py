"""What a connection carries, when it ends, and that no client can hold up another one."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.server import MockServer
from mockserver.serving import connection as connections
from mockserver.serving import loop as loops

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from mockserver.app import MockFlask
    from tests.conftest import Tenant

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@contextmanager
def connected(server: MockServer) -> Iterator[socket.socket]:
    """Return one raw connection."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        yield connection


def rest_of(connection: socket.socket) -> bytes:
    """Return all that comes until the server ends the connection."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def statuses_of(stream: bytes) -> list[bytes]:
    return [part[:3] for part in stream.split(b"HTTP/1.1 ")[1:]]


def told(server: MockServer, data: bytes) -> bytes:
    """Return the whole answer to ``data`` on a connection of its own."""
    with connected(server) as connection:
        connection.sendall(data)
        return rest_of(connection)


@dataclass(slots=True)
class Timed:
    """A server whose time passes when the test says so: on a busy machine a client is slow by chance."""

    server: MockServer
    now: float = 1_000.0

    def wait(self, seconds: float) -> None:
        """Let the server read what was sent to it, then let time pass and the server look for late clients."""
        told(self.server, LAST)
        self.now += seconds
        told(self.server, LAST)


@pytest.fixture
def timed(app: MockFlask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timed]:
    """Return a server that waits a tenth of a second, of a time that stands still."""
    with MockServer(app, timeout=0.1) as server:
        timed = Timed(server)
        for module in (connections, loops):
            monkeypatch.setattr(module, "stopwatch", lambda: timed.now)
        yield timed


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        pytest.param(b"HTTP/1.1\r\n", True, id="1.1"),
        pytest.param(b"HTTP/1.1\r\nConnection: close\r\n", False, id="close"),
        pytest.param(b"HTTP/1.1\r\nConnection: Close\r\n", False, id="capital"),
        pytest.param(b"HTTP/1.1\r\nConnection: te, close\r\n", False, id="list"),
        pytest.param(b"HTTP/1.1\r\nConnection: close , x\r\n", False, id="list-first"),
        pytest.param(b"HTTP/1.1\r\nConnection: x\r\nConnection: close\r\n", False, id="two-lines"),
        pytest.param(b"HTTP/1.1\r\nConnection: close\r\nConnection: x\r\n", False, id="first-line"),
        pytest.param(b"HTTP/1.1\r\nConnection: keep-alive, x\r\n", True, id="other"),
        pytest.param(b"HTTP/1.0\r\n", False, id="1.0"),
        pytest.param(b"HTTP/1.0\r\nConnection: keep-alive\r\n", True, id="1.0-keep-alive"),
        pytest.param(b"HTTP/1.0\r\nConnection: x, Keep-Alive\r\n", True, id="1.0-list"),
    ],
)
def test_stays_open_as_agreed(fields: bytes, stays: bool, server: MockServer) -> None:
    """A second request is answered exactly where the first one let the connection live."""
    stream = told(server, b"GET /health " + fields + b"Host: x\r\n\r\n" + LAST)

    assert [b"200"] * (1 + stays) == statuses_of(stream)


def test_pipelined_requests_are_answered_in_order(server: MockServer, tenant: Tenant) -> None:
    """Fifty at once, some refused with a body that nobody reads: each has its own answer."""
    tag = b'{"name": "Decaf"}'
    refused = (
        b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(tag) + tag
    )
    unknown = b"BREW /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n"
    options = b"OPTIONS /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"
    stream = told(server, (HEALTH + refused + unknown + options + head) * 10 + LAST)

    assert [b"200", b"401", b"405", b"405", b"405"] * 10 + [b"200"] == statuses_of(stream)


TARGETS = [
    b"/v1/%FF%FE", b"/v1/%00", b"/v1/accounts%2F1001", b"/v1/%2e%2e/accounts", b"/../../etc/passwd",
    b"/v1/./accounts", b"/v1//accounts", b"//[", b"//[::1", b"//x/v1/accounts", b"/v1/%c0%af", b"/%", b"/%zz", b"/;a=b", b"/?", b"/%0d%0aX-Bad:1",
    b"/v1/" + b"%2F" * 5_000, b"/_mock/../v1/accounts",
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: ascii(target[:20]))
def test_odd_targets(target: bytes, server: MockServer) -> None:
    """Whatever the path decodes to, it is a flat refusal, and nothing of it becomes a header."""
    stream = told(server, b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = stream.partition(b"\r\n\r\n")

    assert statuses_of(stream) in ([b"404"], [b"401"], [b"400"])
    assert body.startswith(b'{"error":"')
    assert b"X-Bad" not in head


def test_an_empty_host_is_a_host(server: MockServer) -> None:
    assert [b"200"] == statuses_of(told(server, LAST.replace(b"Host: x", b"Host:")))


# --- Expect: 100-continue ---------------------------------------------------------------------------


def expecting(key: str, *, chunked: bool) -> bytes:
    framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 17"
    return (
        f"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nExpect: 100-Continue\r\n"
        f"Content-Type: application/json\r\n{framing}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_continues_where_the_body_is_wanted(
    chunked: bool, server: MockServer, tenant: Tenant
) -> None:
    """The body is asked for once, then answered; the connection lives on."""
    body = b'{"name": "Decaf"}'
    with connected(server) as connection:
        connection.sendall(expecting(tenant.key, chunked=chunked))
        asked = connection.recv(65_536)
        connection.sendall((b"11\r\n" + body + b"\r\n0\r\n\r\n" if chunked else body) + LAST)
        stream = rest_of(connection)

    assert b"HTTP/1.1 100 Continue\r\n\r\n" == asked
    assert [b"200", b"200"] == statuses_of(stream)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_asks_for_no_body_that_it_refuses(chunked: bool, server: MockServer) -> None:
    """The refusal comes instead of 100, and says that the connection ends: the body may come or not."""
    with connected(server) as connection:
        connection.sendall(expecting("fm_api_nobody", chunked=chunked))
        response = HTTPResponse(connection)
        response.begin()
        response.read()

        assert (401, "close") == (response.status, response.headers["Connection"])
        assert b"" == rest_of(connection)


# --- clients that are slow, silent or gone ----------------------------------------------------------

BEGINNINGS: dict[str, bytes] = {
    "nothing": b"",
    "half-a-line": b"GET /hea",
    "half-a-head": b"GET /health HTTP/1.1\r\nHost: x\r\n",
    "half-a-header": b"GET /health HTTP/1.1\r\nHost",
}


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_gives_up_what_never_ends(beginning: str, timed: Timed) -> None:
    """A request that doesn't come ends with 408, a connection that never was used without a word."""
    with connected(timed.server) as connection:
        connection.sendall(BEGINNINGS[beginning])
        timed.wait(0.4)
        stream = rest_of(connection)

    assert statuses_of(stream) == ([b"408"] if BEGINNINGS[beginning] else [])


def test_gives_up_half_a_body(timed: Timed, tenant: Tenant) -> None:
    head = expecting(tenant.key, chunked=False).replace(b"Expect", b"X-Expect")
    with connected(timed.server) as connection:
        connection.sendall(head + b'{"name":')
        timed.wait(0.4)

        assert [b"400"] == statuses_of(rest_of(connection))


def test_a_drip_meets_the_deadline(timed: Timed) -> None:
    """Each piece may come in time; the whole request doesn't."""
    with connected(timed.server) as connection:
        for _ in range(4):
            connection.sendall(b"G")
            timed.wait(0.09)

        assert [b"408"] == statuses_of(rest_of(connection))


def test_a_slow_server_blames_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in time is answered, though the server reads it only when the time is over."""
    now = 1_000.0
    begun, sent = threading.Event(), threading.Event()

    class Slow:
        is_prompt = True

        def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
            nonlocal now
            if environ["PATH_INFO"] == "/slow":
                begun.set()
                sent.wait(20)
                now += 1_000
            start_response("204 No Content", [])
            return []

    for module in (connections, loops):
        monkeypatch.setattr(module, "stopwatch", lambda: now)
    with MockServer(Slow()) as server, connected(server) as kept, connected(server) as other:
        kept.sendall(HEALTH)
        assert kept.recv(65_536)
        other.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        begun.wait(20)
        kept.sendall(LAST)
        sent.set()

        assert [b"204"] == statuses_of(rest_of(kept))


HALF = {
    "silent": b"",
    "half-a-head": b"GET /hea",
    "half-a-body": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{",
    "half-a-chunk": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
}


@pytest.mark.parametrize("half", HALF)
def test_slow_clients_hold_up_nobody(half: str, app: MockFlask) -> None:
    """Two hundred of them leave the server free for others."""
    with MockServer(app, timeout=30) as server, ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connected(server)).sendall(HALF[half])

        assert [b"200"] == statuses_of(told(server, LAST))


def test_a_flood_holds_up_nobody() -> None:
    """Clients with thousands of requests under way, each of which takes a thread, let a new one in at once."""
    heard: list[str] = []
    arrived = threading.Event()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/flood":
            arrived.wait(20)  # else the flood may be over before the new one comes
        heard.append(environ["PATH_INFO"])
        start_response("204 No Content", [])
        return []

    with MockServer(app, timeout=30) as server, ExitStack() as stack:
        flood = [stack.enter_context(connected(server)) for _ in range(16)]
        for connection in flood:
            connection.sendall(b"GET /flood HTTP/1.1\r\nHost: x\r\n\r\n" * 1_000)
        with connected(server) as new:
            new.sendall(LAST)
            arrived.set()
            rest_of(new)
        for connection in flood:
            connection.shutdown(socket.SHUT_WR)
            rest_of(connection)

    assert heard.index("/health") < len(heard) // 2


def test_more_idle_connections_than_files(
    app: MockFlask,
) -> None:
    """Past the limit the one that was unused for longest is closed, and the new one is served."""
    with MockServer(app, most_connections=5, timeout=30) as server, ExitStack() as stack:
        connections = [stack.enter_context(connected(server)) for _ in range(5)]
        connections[0].sendall(HEALTH)  # the first is not the longest unused any more
        assert connections[0].recv(12) == b"HTTP/1.1 200"
        served = told(server, LAST)

        assert [b"200"] == statuses_of(served)
        assert b"" == connections[1].recv(1)


def test_new_clients_arent_closed_for_each_other(app: MockFlask) -> None:
    """Past the limit the oldest of many half requests goes, not one that had no time yet to ask."""
    with MockServer(app, most_connections=5, timeout=30) as server, ExitStack() as stack:
        half = [stack.enter_context(connected(server)) for _ in range(5)]
        for connection in half:
            connection.sendall(b"GET /hea")
        told(server, LAST)  # now all halves were read
        new = [stack.enter_context(connected(server)) for _ in range(2)]
        told(server, LAST)  # now both are there
        for connection in new:
            connection.sendall(LAST)

        assert [[b"200"]] * 2 == [statuses_of(rest_of(connection)) for connection in new]
        assert b"" == half[0].recv(1)


def test_room_is_made_for_several_at_once(app: MockFlask) -> None:
    """To look through thousands of connections for each new one would hold up whoever is served."""
    with MockServer(app, most_connections=128, timeout=30) as server, ExitStack() as stack:
        full = [stack.enter_context(connected(server)) for _ in range(128)]
        told(server, LAST)
        full[2].sendall(LAST)

        assert [b"", b""] == [connection.recv(1) for connection in full[:2]]
        assert [b"200"] == statuses_of(rest_of(full[2]))


def late_body(tenant: Tenant) -> bytes:
    """Return the head of a request whose large body is asked for, and takes a thread until it comes."""
    return (
        f"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nX-API-Key: {tenant.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 900000\r\nExpect: 100-continue\r\n\r\n"
    ).encode()


def take_threads(server: MockServer, stack: ExitStack, tenant: Tenant, number: int) -> None:
    """Let so many threads of ``server`` wait for bodies that don't come before ``stack`` ends."""
    for _ in range(number):
        connection = stack.enter_context(connected(server))
        connection.sendall(late_body(tenant))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")


def test_takes_at_most_so_many_threads(app: MockFlask, tenant: Tenant) -> None:
    """Large bodies that don't come make the server bigger, within bounds; then it says that it is busy."""
    with MockServer(app, most_threads=4, timeout=30) as server, ExitStack() as stack:
        take_threads(server, stack, tenant, 3)

        assert [b"503"] == statuses_of(told(server, late_body(tenant)))
        assert [b"200"] == statuses_of(told(server, LAST))
        assert 4 == server.thread_count


def test_no_stream_takes_the_last_thread(app: MockFlask, tenant: Tenant) -> None:
    """It would be the one that waits for all clients, and nobody would be answered any more."""
    stream = b"GET /_mock/journal/stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with MockServer(app, most_threads=3, timeout=30) as server, ExitStack() as stack:
        take_threads(server, stack, tenant, 2)
        refused = told(server, stream)

        assert [b"503"] == statuses_of(refused)
        assert b'{"error":"all threads' in refused
        assert () == app.mock.audience.listeners
        assert [b"200"] == statuses_of(told(server, LAST))


def test_a_body_that_comes_late_is_answered(
    app: MockFlask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the server looks for late clients while the answer waits to be sent with others."""
    monkeypatch.setattr(connections, "_GRACE", 0.0)
    monkeypatch.setattr(loops, "_TICK", 3_600.0)
    head = f"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nX-API-Key: {tenant.key}\r\n".encode()
    head += b"Content-Type: application/json\r\nContent-Length: 17\r\nConnection: close\r\n\r\n"
    with MockServer(app) as server, connected(server) as connection:
        connection.sendall(head)
        told(server, LAST)  # the head was read by now
        assert server._loop is not None
        server._loop._next_sweep = 0.0
        connection.sendall(b'{"name": "Decaf"}')

        assert [b"200"] == statuses_of(rest_of(connection))


def test_requests_may_overlap_for_ever(app: MockFlask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request has its own time to arrive, though none begins on an idle connection."""
    now = [1_000.0]
    for module in (connections, loops):
        monkeypatch.setattr(module, "stopwatch", lambda: now[0])
    with MockServer(app, timeout=10) as server, connected(server) as connection:
        connection.sendall(HEALTH[:9])
        for _ in range(4):
            connection.sendall(HEALTH[9:] + HEALTH[:9])
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            now[0] += 20
            told(server, LAST)  # the server looked for late clients
        now[0] += 40
        told(server, LAST)

        assert [b"408"] == statuses_of(rest_of(connection))


def test_a_client_that_is_gone_when_it_is_taken_hurts_nobody(
    app: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some systems say only then that it is gone."""
    gone = iter([True, False])

    def made(*arguments: Any) -> connections.Connection:
        if next(gone):
            raise OSError(errno.EINVAL, "it was reset")
        return connections.Connection(*arguments)

    monkeypatch.setattr(loops, "Connection", made)
    with MockServer(app) as server:
        with suppress(ConnectionResetError):
            assert b"" == told(server, LAST)
        assert [b"200"] == statuses_of(told(server, LAST))


def test_a_client_that_leaves_early_costs_nothing(server: MockServer) -> None:
    for _ in range(40):
        with connected(server) as connection:
            connection.sendall(HEALTH * 20)

    assert [b"200"] == statuses_of(told(server, LAST))
