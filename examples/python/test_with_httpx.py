"""Clients on httpx, synchronous and asynchronous, and their tests against the mock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from mockserver.testing import FansMetric


def read_chats(client: httpx.Client, account: int) -> list[Any]:
    """Return every chat of an account."""
    chats: list[Any] = []
    page: str | None = f"/v1/{account}/chats?limit=50"
    while page:
        answer = client.get(page).raise_for_status().json()
        chats += answer["data"]["list"]
        page = answer.get("_pagination", {}).get("next_page")
    return chats


async def read_accounts_at_once(client: httpx.AsyncClient, accounts: list[int]) -> list[int]:
    """Return how many chats each account shows on its first page, asking for all at once."""
    pages = await asyncio.gather(*(client.get(f"/v1/{id}/chats") for id in accounts))
    return [len(page.raise_for_status().json()["data"]["list"]) for page in pages]


def test_over_http(fansmetric: FansMetric) -> None:
    """Any client works with the server's address."""
    org = fansmetric.org()
    with httpx.Client(base_url=fansmetric.url, headers=org.key().headers) as client:
        chats = read_chats(client, 1001)

    assert len(chats) == 60


def test_without_a_socket(fansmetric: FansMetric) -> None:
    """The client of `httpx_client` takes httpx's own options."""
    org = fansmetric.org()
    with fansmetric.httpx_client(headers=org.key().headers) as client:
        chats = read_chats(client, 1001)

    assert len(chats) == 60
    org.assert_well_behaved()


def test_asynchronous(fansmetric: FansMetric) -> None:
    """Requests sent at once each take one from the window."""
    org = fansmetric.org(accounts=[1001, 1002, 1003])

    async def ask() -> list[int]:
        async with fansmetric.httpx_async_client(headers=org.key().headers) as client:
            return await read_accounts_at_once(client, [1001, 1002, 1003])

    assert asyncio.run(ask()) == [10, 10, 10]
    assert org.remaining_minute == 997
