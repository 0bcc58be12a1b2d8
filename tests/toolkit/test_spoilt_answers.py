"""What a fault does to a finished answer: in this process, and through the server."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from mockserver.faults import Fault, FaultKind, Sleeper
from mockserver.server import MockServer
from mockserver.spoil import BrokenOff

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from tests.conftest import Tenant
    from tests.toolkit.conftest import Ask


class Recorded(Sleeper):
    """Notes how long it should have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def wait(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def sleeper(app: MockFlask, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Put a sleeper that never sleeps into the application."""
    recorded = Recorded()
    monkeypatch.setattr(app.mock.pipeline, "sleeper", recorded)
    return recorded


def test_latency(sleeper: Recorded, tenant: Tenant) -> None:
    """The true answer, late; other kinds may be late too."""
    tenant.organization.faults.plant(Fault(kind=FaultKind.LATENCY, latency=1.5))
    tenant.organization.faults.plant(Fault(503, latency=2))
    answers = [tenant.call("listAccounts") for _ in range(3)]

    assert [1.5, 2] == sleeper.slept
    assert [200, 503, 200] == [answer.status_code for answer in answers]
    assert answers[0].get_json()["data"] == answers[2].get_json()["data"]
    assert "X-Mock-Source" not in answers[0].headers


def test_malformed(ask: Ask, tenant: Tenant) -> None:
    """The length is right, the type is right, and the JSON stops in the middle."""
    tenant.organization.faults.plant(Fault(kind=FaultKind.MALFORMED))
    spoilt = ask()

    assert (200, "application/json") == (spoilt.status_code, spoilt.content_type)
    assert len(spoilt.data) == int(spoilt.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(spoilt.data)


def test_content_type(ask: Ask, tenant: Tenant) -> None:
    tenant.organization.faults.plant(Fault(kind=FaultKind.CONTENT_TYPE))
    spoilt, true = ask(), ask()

    assert "text/html; charset=utf-8" == spoilt.content_type
    assert json.loads(true.data)["data"] == json.loads(spoilt.data)["data"]
    assert "fault" == spoilt.headers["X-Mock-Source"]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.TRUNCATED])
def test_in_process_the_break_is_an_exception(kind: FaultKind, ask: Ask, tenant: Tenant) -> None:
    """WSGI has no connection to break: a `ConnectionResetError` takes its place, and the next call works."""
    planted = tenant.organization.faults.plant(Fault(kind=kind))
    with pytest.raises(ConnectionResetError, match=f"reset by {planted.id}") as broken:
        ask().get_data()

    assert isinstance(broken.value, BrokenOff)
    assert 200 == ask().status_code


def test_the_operation_is_carried_out(ask: Ask, tenant: Tenant) -> None:
    """A reset loses the answer, not the write: a client that repeats it writes twice."""
    tenant.organization.faults.plant(Fault(kind=FaultKind.RESET))
    with pytest.raises(ConnectionResetError):
        ask("/v1/1001/tracking-links", "POST", json={"name": "Rye and cardamom"})

    names = [link["campaignName"] for link in tenant.records()["1001/tracking_links"]]
    assert 1 == names.count("Rye and cardamom")


# --- through the server ------------------------------------------------------------------------------


@pytest.fixture
def connection(server: MockServer) -> Iterator[HTTPConnection]:
    """Return a connection to the served application."""
    parts = urlsplit(server.url)
    opened = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    yield opened
    opened.close()


def get(connection: HTTPConnection, tenant: Tenant) -> bytes:
    connection.request("GET", "/v1/accounts", headers={"X-API-Key": tenant.key})
    return connection.getresponse().read()


def test_reset(connection: HTTPConnection, tenant: Tenant) -> None:
    """Not one byte, and the kernel says reset; a new connection works."""
    tenant.organization.faults.plant(Fault(kind=FaultKind.RESET))
    with pytest.raises(ConnectionResetError) as broken:
        get(connection, tenant)
    connection.close()

    assert not isinstance(broken.value, RemoteDisconnected)
    assert b"data" in get(connection, tenant)


def test_truncated(connection: HTTPConnection, tenant: Tenant) -> None:
    """Half of what Content-Length promised, then the end; a new connection works."""
    tenant.organization.faults.plant(Fault(kind=FaultKind.TRUNCATED))
    with pytest.raises(IncompleteRead) as broken:
        get(connection, tenant)
    connection.close()

    assert abs(len(broken.value.partial) - (broken.value.expected or 0)) <= 1
    assert b"data" in get(connection, tenant)


def test_stopping_wakes_what_waits(own_app: MockFlask) -> None:
    """A delayed answer doesn't hold up the end of the server."""
    entered = threading.Event()

    class Announced(Sleeper):
        def wait(self, seconds: float) -> None:
            with self._condition:
                entered.set()
                self._condition.wait(seconds)

    own_app.mock.pipeline.sleeper = Announced()
    lark = own_app.mock.world.organization("lark")
    lark.faults.plant(Fault(kind=FaultKind.LATENCY, latency=300))
    server = MockServer(own_app).start()
    with socket.create_connection(urlsplit(server.url).netloc.split(":"), timeout=60) as client:  # type: ignore[arg-type]  # a host and a port
        client.sendall(
            b"GET /v1/accounts HTTP/1.1\r\nHost: a\r\nX-API-Key: fm_api_test_full\r\n\r\n"
        )
        assert entered.wait(60)
        server.stop()
        answer = client.recv(12)

    assert b"HTTP/1.1 200" == answer
