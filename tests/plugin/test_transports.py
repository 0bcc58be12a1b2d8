"""Clients that reach the mock without a socket, or a running one whatever their address says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from requests.adapters import HTTPAdapter

from mockserver.errors import Misuse
from mockserver.testing import FansMetric, InProcess, TestOrganization

ELSEWHERE = "https://api.example/v1/1001/chats"
MESSAGES = "https://api.example/v1/1001/chats/50001/messages"


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every connection fail."""

    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def alone() -> Iterator[FansMetric]:
    """Return the toolkit with a mock that nobody has asked for its URL."""
    with FansMetric(InProcess(), owns=True) as mock:
        yield mock


@pytest.mark.usefixtures("no_sockets")
def test_needs_no_socket(alone: FansMetric) -> None:
    org = alone.org()
    headers = org.key().headers

    async def ask() -> int:
        async with alone.httpx_async_client(headers=headers) as client:
            return (await client.get(ELSEWHERE)).status_code

    with alone.httpx_client() as client:
        assert 200 == client.get(ELSEWHERE, headers=headers).status_code
    assert 200 == alone.requests_session().get(ELSEWHERE, headers=headers, timeout=1).status_code
    assert 200 == asyncio.run(ask())
    assert [200, 200, 200] == org.requests.statuses


def test_any_address_leads_to_the_mock(mock: FansMetric) -> None:
    org = mock.org()
    headers = org.key().headers

    async def ask() -> httpx.Response:
        async with mock.httpx_async_client(headers=headers) as client:
            return await client.get("/v1/accounts")

    answers: list[Any] = [
        mock.requests_session().get(ELSEWHERE, headers=headers, timeout=10),
        asyncio.run(ask()),
    ]
    with mock.httpx_client(headers=headers) as client:
        answers.append(client.get("/v1/accounts"))

    assert [200, 200, 200] == [answer.status_code for answer in answers]
    assert ["OK", "application/json"] == [answers[0].reason, answers[0].headers["Content-Type"]]
    assert answers[1].json()["data"] == answers[2].json()["data"]


BODIES: dict[str, Any] = {
    "text": '{"text": "hello"}',
    "bytes": b'{"text": "hello"}',
    "file": BytesIO(b'{"text": "hello"}'),
    "chunks": (piece for piece in (b'{"text": ', b'"hello"}')),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_requests_sends_any_body(local: FansMetric, body: Any) -> None:
    org = local.org()
    headers = {**org.key().headers, "Content-Type": "application/json"}
    answer = local.requests_session().post(MESSAGES, data=body, headers=headers, timeout=10)

    assert 200 == answer.status_code, answer.text
    assert "hello" in answer.text


def test_httpx_sends_chunks(local: FansMetric) -> None:
    """A body without a declared length arrives as well."""
    org = local.org()
    headers = {**org.key().headers, "Content-Type": "application/json"}
    with local.httpx_client(headers=headers) as client:
        answer = client.post(MESSAGES, content=iter((b'{"text": ', b'"hello"}')))

    assert 200 == answer.status_code, answer.text
    assert "hello" in answer.text


def test_httpx_sends_chunks_asynchronously(mock: FansMetric) -> None:
    """From a generator that only the event loop can run, too."""
    headers = {**mock.org().key().headers, "Content-Type": "application/json"}

    async def pieces() -> AsyncIterator[bytes]:
        for piece in (b'{"text": ', b'"hello"}'):
            yield piece

    async def send() -> httpx.Response:
        async with mock.httpx_async_client(headers=headers) as client:
            return await client.post(MESSAGES, content=pieces())

    answer = asyncio.run(send())

    assert 200 == answer.status_code, answer.text
    assert "hello" in answer.text


def test_slow_answers_leave_the_loop_free(
    local: FansMetric, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one answer is held up, the event loop goes on."""
    org: TestOrganization = local.org()
    held = asyncio.Event()

    async def ask() -> list[str]:
        loop, seen = asyncio.get_running_loop(), []
        sleeper = SimpleNamespace(wait=lambda _: _hold(loop, held), wake=lambda: None)
        monkeypatch.setattr(local.app.mock.pipeline, "sleeper", sleeper)
        async with local.httpx_async_client(headers=org.key().headers, timeout=None) as client:
            org.plant_fault(kind="latency", latency=5)
            answer = asyncio.create_task(client.get(ELSEWHERE))
            await held.wait()  # reached only if the loop isn't blocked by the answer
            seen.append("loop")
            assert 200 == (await answer).status_code
            return [*seen, "answer"]

    assert ["loop", "answer"] == asyncio.run(ask())


def _hold(loop: asyncio.AbstractEventLoop, held: asyncio.Event) -> None:
    """Return once the loop has taken notice of the waiting answer."""

    async def notice() -> None:
        held.set()

    asyncio.run_coroutine_threadsafe(notice(), loop).result(timeout=10)


def test_no_adapter_leads_past_the_mock(mock: FansMetric) -> None:
    """A client that mounts its own, to repeat requests, would ask the address that it has built in."""
    with mock.requests_session() as session:
        for prefix in ("https://", "https://api.example"):
            with pytest.raises(Misuse, match=rf"{prefix}.*fansmetric\.url"):
                session.mount(prefix, HTTPAdapter(max_retries=3))

        assert (
            200 == session.get(ELSEWHERE, headers=mock.org().key().headers, timeout=10).status_code
        )
