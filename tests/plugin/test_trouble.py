"""Broken, late and streamed answers: what a client meets in process is what it meets over a socket."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests
from urllib3 import Timeout

from mockserver import faults
from mockserver.testing import FansMetric, InProcess, TestOrganization
from mockserver.testing.patience import Sleeper

CHATS = "https://api.example/v1/1001/chats"
LONG, SHORT = 60.0, 0.1
PATIENT = 30.0
"""Seconds for everything but the answer: a busy machine may be slow to connect."""

Ask = Callable[[FansMetric, dict[str, str], float | None], Any]


def with_requests(mock: FansMetric, headers: dict[str, str], timeout: float | None) -> Any:
    with mock.requests_session() as session:
        return session.get(CHATS, headers=headers, timeout=(PATIENT, timeout))


def with_httpx(mock: FansMetric, headers: dict[str, str], timeout: float | None) -> Any:
    with mock.httpx_client(timeout=httpx.Timeout(PATIENT, read=timeout)) as client:
        return client.get(CHATS, headers=headers)


def with_httpx_async(mock: FansMetric, headers: dict[str, str], timeout: float | None) -> Any:
    async def ask() -> httpx.Response:
        patience = httpx.Timeout(PATIENT, read=timeout)
        async with mock.httpx_async_client(timeout=patience) as client:
            return await client.get(CHATS, headers=headers)

    return asyncio.run(ask())


CLIENTS = {"requests": with_requests, "httpx": with_httpx, "httpx-async": with_httpx_async}
every_client = pytest.mark.parametrize("ask", CLIENTS.values(), ids=CLIENTS)


@pytest.fixture
def org(mock: FansMetric, in_process: InProcess) -> Iterator[TestOrganization]:
    """Return an organization; whoever still waits for it in the end is let go."""
    yield mock.org()
    in_process.app.mock.pipeline.sleeper.wake()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what will have been waited for; nobody does."""
    slept: list[float] = []
    monkeypatch.setattr(faults.Sleeper, "wait", lambda _, seconds: slept.append(seconds))
    return slept


EXPECTED: dict[str, tuple[type[Exception], type[Exception]]] = {
    "latency": (requests.ReadTimeout, httpx.ReadTimeout),
    "reset": (requests.ConnectionError, httpx.ReadError),
    "truncated": (requests.exceptions.ChunkedEncodingError, httpx.RemoteProtocolError),
}


@every_client
@pytest.mark.parametrize("kind", EXPECTED)
def test_trouble_is_the_same_both_ways(
    mock: FansMetric, org: TestOrganization, ask: Ask, kind: str
) -> None:
    """In process as over a socket the same exception is raised, and then all is well again."""
    org.plant_fault(kind=kind, latency=LONG if kind == "latency" else None)
    with pytest.raises(EXPECTED[kind]) as caught:
        ask(mock, org.key().headers, SHORT if kind == "latency" else 10)

    assert caught.type is EXPECTED[kind][ask is not with_requests]
    assert 200 == ask(mock, org.key().headers, 10).status_code


@every_client
@pytest.mark.parametrize("kind", ["status", "reset", "truncated"])
def test_a_late_answer_is_none_whatever_it_is(
    mock: FansMetric, org: TestOrganization, ask: Ask, kind: str
) -> None:
    org.plant_fault(kind=kind, latency=LONG)

    with pytest.raises((requests.ReadTimeout, httpx.ReadTimeout)):
        ask(mock, org.key().headers, SHORT)


@pytest.mark.parametrize("ask", [with_httpx, with_httpx_async], ids=["httpx", "httpx-async"])
def test_a_broken_body_says_how_much_came(
    mock: FansMetric, org: TestOrganization, ask: Ask
) -> None:
    """Half of it, to the byte."""
    org.plant_fault(kind="truncated")
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        ask(mock, org.key().headers, 10)

    sentence = r"complete message body \(received (\d+) bytes, expected (\d+)\)$"
    found = re.match(f"peer closed connection without sending {sentence}", str(caught.value))
    assert found is not None
    assert int(found[2]) // 2 == int(found[1])


@every_client
def test_nobody_waits_who_would_give_up(local: FansMetric, slept: list[float], ask: Ask) -> None:
    """Without a timeout, or with a longer one, a client waits for the latency."""
    org = local.org()
    org.plant_fault(kind="latency", latency=1.5, times=4)
    for timeout in (0.3, 1.5):
        with pytest.raises((requests.ReadTimeout, httpx.ReadTimeout)):
            ask(local, org.key().headers, timeout)
    impatient = [*slept]
    answers = [ask(local, org.key().headers, timeout).status_code for timeout in (1.6, None)]

    assert [] == impatient
    assert [200, 200] == answers
    assert [1.5, 1.5] == slept


def test_what_nobody_waited_for_is_done(local: FansMetric, slept: list[float]) -> None:
    """As at a server, whose client is gone when it writes."""
    org = local.org()
    org.plant_fault(kind="latency", latency=1.5)
    path = f"{CHATS}/50001/messages"
    with local.httpx_client(headers=org.key().headers, timeout=1) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post(path, json={"text": "sent all the same"})
        answer = client.get(path)

    assert [] == slept
    assert "sent all the same" in answer.text
    assert [200, 200] == org.requests.statuses


@pytest.mark.parametrize(
    "timeout",
    [0.3, (9, 0.3), Timeout(read=0.3), Timeout(total=0.3), Timeout(total=0.3, read=9)],
    ids=["seconds", "pair", "read", "total", "both"],
)
def test_requests_takes_any_timeout(local: FansMetric, slept: list[float], timeout: Any) -> None:
    org = local.org()
    org.plant_fault(kind="latency", latency=1.5)

    with local.requests_session() as session, pytest.raises(requests.ReadTimeout):
        session.get(CHATS, headers=org.key().headers, timeout=timeout)
    assert [] == slept


def test_a_wrong_timeout_is_refused(mock: FansMetric, org: TestOrganization) -> None:
    headers = org.key().headers
    with mock.requests_session() as session:
        for wrong in (0, (1, 2, 3), "soon"):
            with pytest.raises(ValueError, match=r"(?i)timeout|unpack"):
                session.get(CHATS, headers=headers, timeout=wrong)  # type: ignore[arg-type]  # meant


def test_httpx_has_its_own_timeout(local: FansMetric, slept: list[float]) -> None:
    """Five seconds, unless a client says otherwise."""
    org = local.org()
    org.plant_fault(kind="latency", latency=5)

    with local.httpx_client() as client, pytest.raises(httpx.ReadTimeout):
        client.get(CHATS, headers=org.key().headers)
    assert [] == slept


def test_httpx_answers_are_streams(mock: FansMetric, org: TestOrganization) -> None:
    with mock.httpx_client(headers=org.key().headers) as client:
        whole = client.get(CHATS)
        with client.stream("GET", CHATS) as response:
            pieces = b"".join(response.iter_raw())

    assert whole.elapsed > timedelta()
    assert len(whole.content) == whole.num_bytes_downloaded
    assert whole.json()["data"] == httpx.Response(200, content=pieces).json()["data"]
    assert response.elapsed > timedelta()
    assert response.is_closed


def test_httpx_answers_are_asynchronous_streams(mock: FansMetric, org: TestOrganization) -> None:
    async def ask() -> tuple[httpx.Response, bytes]:
        async with mock.httpx_async_client(headers=org.key().headers) as client:
            whole = await client.get(CHATS)
            async with client.stream("GET", CHATS) as response:
                return whole, b"".join([piece async for piece in response.aiter_raw()])

    whole, pieces = asyncio.run(ask())

    assert whole.elapsed > timedelta()
    assert whole.json()["data"] == httpx.Response(200, content=pieces).json()["data"]


@pytest.mark.parametrize("stream", [False, True])
def test_requests_read_what_came(mock: FansMetric, org: TestOrganization, stream: bool) -> None:
    """A client that streams has the status and what came of the body, before it breaks off."""
    org.plant_fault(kind="truncated")
    with mock.requests_session() as session:
        if not stream:
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                session.get(CHATS, headers=org.key().headers, timeout=10)
            return
        answer = session.get(CHATS, headers=org.key().headers, timeout=10, stream=True)
        pieces = answer.iter_content(16)
        first = next(pieces)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            b"".join(pieces)

    assert (200, b'{"data":') == (answer.status_code, first[:8])


class Announced(Sleeper):
    """Calls ``told`` in each thread that sleeps; nobody can wake it before it does."""

    def __init__(self, told: Callable[[], object]) -> None:
        super().__init__()
        self._told = told

    def wait(self, seconds: float) -> None:
        with self._condition:
            self._told()
            super().wait(seconds)


def test_a_client_that_gave_up_holds_up_nothing() -> None:
    """Its request sleeps in a thread that Python waits for in the end; closing the mock wakes it."""
    mock = FansMetric.start()
    org = mock.org()
    org.plant_fault(kind="latency", latency=LONG)
    headers = org.key().headers
    waiting: list[threading.Thread] = []

    async def give_up() -> None:
        loop, sleeps = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            waiting.append(threading.current_thread())
            loop.call_soon_threadsafe(sleeps.set)

        mock.app.mock.pipeline.sleeper = Announced(tell)
        async with mock.httpx_async_client(timeout=None, headers=headers) as client:
            asked = asyncio.create_task(client.get(CHATS))
            await sleeps.wait()
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    asyncio.run(give_up())
    mock.close()
    for thread in waiting:
        thread.join(LONG / 2)

    assert 1 == len(waiting)
    assert not waiting[0].is_alive()
