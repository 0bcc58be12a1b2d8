"""A client on requests, and its tests against the mock: copy, and put your own client in."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from mockserver.testing import FansMetric


class ChatClient:
    """Reads chats; waits out full windows and failures of upstream, and follows pages to the end."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        session: requests.Session | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base_url = base_url
        self._session = session or requests.Session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"
        self._sleep = sleep

    def chats(self, account: int) -> Iterator[Any]:
        """Yield every chat of an account."""
        page: str | None = f"/v1/{account}/chats?limit=50"
        while page:
            answer = self._get(page)
            yield from answer["data"]["list"]
            page = answer.get("_pagination", {}).get("next_page")

    def _get(self, path: str, attempt: int = 0) -> Any:
        response = self._session.get(self._base_url + path, timeout=10)
        may_heal = response.status_code == 429 or response.status_code >= 500
        if may_heal and attempt < 4:
            self._sleep(60 if response.status_code == 429 else 2**attempt + random.random())
            return self._get(path, attempt + 1)
        response.raise_for_status()
        return response.json()


def test_reads_every_chat(fansmetric: FansMetric) -> None:
    """The client follows pages, with no more permissions than it needs."""
    org = fansmetric.org()
    client = ChatClient(fansmetric.url, org.key(permissions=["api_chats_list"]))

    assert len(list(client.chats(1001))) == 60
    org.requests.to("GET /v1/{account_id}/chats").times(2)
    org.assert_well_behaved()


def test_waits_for_the_next_minute(fansmetric: FansMetric) -> None:
    """The client's pauses move the organization's clock, so the test takes no time."""
    org = fansmetric.org(limit_minute=1)
    client = ChatClient(fansmetric.url, org.key(), sleep=org.clock.advance)

    assert len(list(client.chats(1001))) == 60
    assert org.requests.statuses == [200, 429, 200]
    org.assert_backed_off()


def test_survives_a_failing_upstream(fansmetric: FansMetric) -> None:
    """Two failures in a row are no reason to give up."""
    org = fansmetric.org()
    org.fail_next(502, times=2)
    client = ChatClient(fansmetric.url, org.key(), sleep=org.clock.advance)

    assert len(list(client.chats(1001))) == 60
    assert org.requests.statuses == [502, 502, 200, 200]


def test_gives_up_where_waiting_cannot_help(fansmetric: FansMetric) -> None:
    """An unpaid bill, a lost session and a revoked key are told, not tried again."""
    org = fansmetric.org()
    key = org.key()
    client = ChatClient(fansmetric.url, key, sleep=org.clock.advance)

    def refusal() -> int:
        with pytest.raises(requests.HTTPError) as caught:
            list(client.chats(1001))
        response = caught.value.response
        assert response is not None
        return response.status_code

    org.account().lose_sync()
    assert refusal() == 424
    org.subscription = "past_due"
    assert refusal() == 402
    key.revoke()
    assert refusal() == 401
    assert len(org.requests) == 3


def test_without_a_socket(fansmetric: FansMetric) -> None:
    """The session of `requests_session` reaches the mock whatever the address says."""
    org = fansmetric.org()
    client = ChatClient("https://api.example", org.key(), fansmetric.requests_session())

    assert len(list(client.chats(1001))) == 60
