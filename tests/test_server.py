"""The server: its life and its threads, and what an application may return to it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.validate import validator

import pytest

import mockserver
from mockserver.faults import Fault, FaultKind
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mockserver.app import MockFlask
    from tests.conftest import Tenant

FORGETFUL = """
from http.client import HTTPConnection

from mockserver import create_app
from mockserver.server import MockServer

server = MockServer(create_app()).start()
connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
connection.request("GET", "/health")
print(connection.getresponse().status)
"""


def test_a_server_that_nobody_stops_ends_with_its_process() -> None:
    """A forgotten `stop` doesn't keep the interpreter alive, not even with an open connection."""
    root = Path(mockserver.__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", FORGETFUL],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (0, "200\n", "") == (ended.returncode, ended.stdout, ended.stderr)


# --- turns: who waits holds up nobody ----------------------------------------------------------------

Answer = tuple[int, bytes]


class Asker:
    """Asks on a thread of its own, so that a test can do something before the answer comes."""

    def __init__(self, url: str, path: str, headers: dict[str, str] | None = None) -> None:
        self._pool = ThreadPoolExecutor(1)
        self.answer: Future[Answer] = self._pool.submit(asked, url, path, headers)
        self._pool.shutdown(wait=False)


def asked(url: str, path: str = "/", headers: dict[str, str] | None = None) -> Answer:
    """Return status and body of the answer to a GET on a connection of its own."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=20)
    with closing(connection):
        connection.request("GET", path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read()


class Gate:
    """A WSGI application that answers once it is opened, except on `/open`."""

    def __init__(self) -> None:
        self.opened, self.entered = threading.Event(), threading.Semaphore(0)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/open":
            self.entered.release()
            assert self.opened.wait(20)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["PATH_INFO"].encode()]


class Held:
    """Stands for the sleeper of latencies: who waits is let go by the test."""

    def __init__(self) -> None:
        self.entered, self._opened = threading.Event(), threading.Event()

    def wait(self, _: float) -> None:
        self.entered.set()
        assert self._opened.wait(20)

    def wake(self) -> None:
        self._opened.set()


def test_requests_that_wait_hold_up_nobody() -> None:
    """Twenty wait in an application that knows nothing of turns; the next client is served all the same."""
    gate = Gate()
    with MockServer(gate) as server:
        waiting = [Asker(server.url, f"/{number}") for number in range(20)]
        for _ in waiting:
            assert gate.entered.acquire(timeout=20)
        served = asked(server.url, "/open")
        gate.opened.set()

        assert (200, b"/open") == served
        assert [(200, f"/{n}".encode()) for n in range(20)] == [w.answer.result() for w in waiting]
        assert (200, b"/open") == asked(server.url, "/open")


def test_beyond_its_threads_requests_wait_for_each_other() -> None:
    """With three threads, three requests wait in the application; the others follow."""
    gate = Gate()
    with MockServer(gate, most_threads=3) as server:
        waiting = [Asker(server.url, f"/{number}") for number in range(9)]
        for _ in range(3):
            assert gate.entered.acquire(timeout=20)
        assert not gate.entered.acquire(blocking=False)
        gate.opened.set()

        assert {(200, f"/{n}".encode()) for n in range(9)} == {w.answer.result() for w in waiting}
        assert server.thread_count <= 3


def test_a_planted_latency_holds_up_nobody(
    app: MockFlask, tenant: Tenant, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request of the same organization overtakes it."""
    held = Held()
    monkeypatch.setattr(app.mock.pipeline, "sleeper", held)
    tenant.organization.faults.plant(Fault(kind=FaultKind.LATENCY, latency=9))
    key = {"X-API-Key": tenant.key}
    late = Asker(server.url, "/v1/accounts", key)
    assert held.entered.wait(20)
    prompt = asked(server.url, "/v1/accounts", key)
    assert not late.answer.done()
    held.wake()

    assert (200, 200) == (prompt[0], late.answer.result()[0])


def test_latencies_leave_threads_to_the_control_api(
    app: MockFlask, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are threads for are refused, and what was planted can still be taken away."""
    held = Held()
    monkeypatch.setattr(app.mock.pipeline, "sleeper", held)
    tenant.organization.faults.plant(Fault(kind=FaultKind.LATENCY, latency=9, times=2))
    key = {"X-API-Key": tenant.key}
    with MockServer(app, most_threads=2) as server:
        late = Asker(server.url, "/v1/accounts", key)
        assert held.entered.wait(20)
        refused = asked(server.url, "/v1/accounts", key)
        control = asked(server.url, f"/_mock/organizations/{tenant.id}/faults")
        held.wake()

        assert (503, 200, 200) == (refused[0], control[0], late.answer.result()[0])
        assert b"threads" in refused[1]


def test_a_mocked_request_takes_no_other_thread(app: MockFlask, tenant: Tenant) -> None:
    """That is what makes it cheap; what Flask answers may take its time, so it gets one."""
    with MockServer(app) as server:
        for _ in range(5):
            asked(server.url, "/v1/accounts", {"X-API-Key": tenant.key})
        before = server.thread_count
        asked(server.url, "/_mock/organizations")

        assert (1, 2) == (before, server.thread_count)


# --- what an application may return -------------------------------------------------------------------


def test_keeps_the_wsgi_standard(app: MockFlask, tenant: Tenant) -> None:
    """The standard library's validator finds nothing to object to, with a body and without one."""
    checked = validator(app.wsgi_app)
    with MockServer(checked) as server:
        connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        with closing(connection):
            headers = {"X-API-Key": tenant.key, "Content-Type": "application/json"}
            connection.request("POST", "/v1/1001/tags?a=b", b'{"name": "Decaf"}', headers)
            made = connection.getresponse()
            made.read()
            connection.request("GET", "/rules")
            page = connection.getresponse()
            page.read()

    assert (200, 200) == (made.status, page.status)


def streaming(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer in pieces of unknown number, two of them empty."""
    start_response("200 OK", [])
    yield from (b"", b"one ", b"", b"two")


def writing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer by the callable that ``start_response`` returns, as PEP 3333 still allows."""
    write = start_response("200 OK", [("Content-Length", "7")])
    write(b"one ")
    return [b"two"]


def generous(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer more than the Content-Length says, which would be taken for the next answer."""
    start_response("200 OK", [("Content-Length", "7")])
    return [b"one two", b" three"]


@pytest.mark.parametrize("application", [streaming, writing, generous])
@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_frames_what_the_application_says(application: WSGIApplication, version: str) -> None:
    """Twice on one connection in HTTP/1.1; in 1.0 the end may be the end of the connection."""
    with MockServer(application) as server:
        connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
        connection._http_vsn_str = f"HTTP/{version}"  # type: ignore[attr-defined]  # no public way
        with closing(connection):
            bodies = []
            for _ in range(2):
                connection.request("GET", "/")
                bodies.append(connection.getresponse().read())

    assert [b"one two"] * 2 == bodies


def stingy(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer less than the Content-Length says."""
    start_response("200 OK", [("Content-Length", "7")])
    return [b"one"]


def test_ends_the_connection_where_something_is_missing() -> None:
    with MockServer(stingy) as server, pytest.raises(IncompleteRead):
        asked(server.url)


def failing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Fail before the answer, or with a header that would be two."""
    if environ["PATH_INFO"] == "/header":
        start_response("200 OK", [("X-A", "a\r\nX-B: b")])
        return [b"one"]
    raise LookupError("nothing there")


@pytest.mark.parametrize("path", ["/", "/header"])
def test_failures_are_flat(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the traceback, the client a sentence, and the server goes on."""
    with MockServer(failing) as server:
        answers = [asked(server.url, path) for _ in range(2)]

    assert [(500, b'{"error":"The server failed."}')] * 2 == answers
    assert ["the application failed"] * 2 == [record.message for record in caplog.records]


def test_a_slow_reader_gets_everything_and_holds_up_nobody(server: MockServer) -> None:
    """More answers than any buffer takes wait until they are read, in order."""
    health = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    asks = (b"GET /rules HTTP/1.1\r\nHost: localhost\r\n\r\n" + health * 9) * 200
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as slow:
        last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer = threading.Thread(target=slow.sendall, args=(asks + last,))
        writer.start()
        assert 200 == asked(server.url, "/health")[0]
        stream = b"".join(iter(lambda: slow.recv(65_536), b""))
        writer.join(20)

    assert 2_001 == stream.count(b"HTTP/1.1 200 OK\r\n")
    assert 200 == stream.count(b"</html>")


def test_a_large_answer_has_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the silence of its client: one that reads on and on gets all of it."""
    real = socket.socket.sendall

    def sendall(sock: socket.socket, data: bytes) -> None:
        if len(data) > 1_048_576:
            raise TimeoutError("more than a slow client takes in that time")
        real(sock, data)

    def app(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [])
        return [b"x" * 4_194_304]

    monkeypatch.setattr(socket.socket, "sendall", sendall)
    with MockServer(app) as server:
        status, body = asked(server.url, "/")

    assert (200, 4_194_304) == (status, len(body))


def test_stopping_ends_every_connection(app: MockFlask) -> None:
    """The idle one, and the one in the middle of a request."""
    server = MockServer(app).start()
    host, port = server.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=20) as idle,
        socket.create_connection((host, int(port)), timeout=20) as half,
    ):
        idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert idle.recv(15).startswith(b"HTTP/1.1 200")
        half.sendall(b"GET /hea")
        asked(
            server.url, "/health"
        )  # the half was read by now: unread bytes would reset the connection
        server.stop()

        assert b"".join(iter(lambda: idle.recv(65_536), b"")).endswith(b"}")
        assert b"" == half.recv(1)
    assert 0 == server.thread_count
