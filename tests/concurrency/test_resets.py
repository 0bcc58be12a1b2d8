"""While a world or an organization is built anew, whoever asks meets the old one or the new one, and no gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockserver import world as worlds
from mockserver.app import MockFlask
from mockserver.roles import Key
from mockserver.state import dump, read


def reset(app: MockFlask) -> None:
    app.mock.world.reset()


def load(app: MockFlask) -> None:
    state = dump(app.mock.world.organization("lark"))
    app.mock.world.load_organization(read(state, app.mock.contract))


@pytest.mark.parametrize("renew", [reset, load])
def test_no_key_is_unknown_meanwhile(
    renew: Callable[[MockFlask], None], own_app: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests and the control API don't wait for it."""
    client, answers = own_app.test_client(), set()

    def ask(*arguments: Any) -> Key:
        for path in ("/v1/accounts", "/_mock/organizations/lark"):
            answer = client.get(path, headers={"X-API-Key": "fm_api_test_full"})
            answers.add((path, answer.status_code))
        return Key(*arguments)

    monkeypatch.setattr(worlds, "Key", ask)
    renew(own_app)

    assert {("/v1/accounts", 200), ("/_mock/organizations/lark", 200)} == answers
