"""Answers that are remembered are never wrong: a write, a race or the time makes a new one."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver import create_app, pipeline
from mockserver.app import MockFlask
from mockserver.resources import engine
from mockserver.resources.recall import Answer
from mockserver.resources.scene import Scene
from mockserver.seeds import AccountSeed, OrganizationSeed

KEY = {"Authorization": "Bearer fm_api_test_unlimited"}
TAGS = "/v1/1001/tags"
ALL_TAGS = f"{TAGS}?limit=100"


@pytest.fixture
def own() -> MockFlask:
    """Return a mock that only the test uses."""
    return create_app()


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the operations that were computed, as they happen."""
    seen: list[str] = []
    original = engine._run

    def run(scene: Scene) -> Any:
        seen.append(scene.operation.id)
        return original(scene)

    monkeypatch.setattr(engine, "_run", run)
    return seen


def data(app: MockFlask, path: str, method: str = "GET", **options: Any) -> Any:
    answer = app.test_client().open(path, method=method, headers=KEY, **options)
    assert 200 == answer.status_code, answer.get_data(as_text=True)
    return answer.get_json()["data"]


def test_the_same_request_is_answered_from_memory(own: MockFlask, computed: list[str]) -> None:
    first, second = data(own, ALL_TAGS), data(own, ALL_TAGS)

    assert first == second
    assert ["listTags"] == computed


def test_an_answer_that_another_write_made_stale_is_remembered_anew(
    own: MockFlask, computed: list[str]
) -> None:
    """A chat shows its last message: the list is computed once after each message, not each time."""
    fan = data(own, "/v1/1001/chats")["list"][0]["withUser"]["id"]
    own.mock.world.organizations["heron"].clock.freeze()
    for _ in range(2):
        data(own, f"/v1/1001/chats/{fan}/messages", "POST", json={"text": "A new roast."})
        computed.clear()
        lists = [data(own, "/v1/1001/chats") for _ in range(3)]

        assert lists[0] == lists[1] == lists[2]
        assert ["listChats"] == computed


def test_an_answer_that_counts_seconds_is_right_for_that_long(
    own: MockFlask, computed: list[str]
) -> None:
    """How long a message can be unsent changes with each second, and not between two of them."""
    clock = own.mock.world.organizations["heron"].clock
    clock.freeze(1_800_000_000.25)
    fan = data(own, "/v1/1001/chats")["list"][0]["withUser"]["id"]
    path = f"/v1/1001/chats/{fan}/messages"
    data(own, path, "POST", json={"text": "A new roast."})
    computed.clear()
    left = []
    for step in (0, 0.5, 0.5, 0.5, 5, 100_000, 100_000):
        clock.advance(step)
        left.append(data(own, path)["list"][0]["cancelSeconds"])

    first = left[0]
    assert [first, first, first - 1, first - 1, first - 6, 0, 0] == left
    assert 4 == len(computed)


def test_a_write_makes_a_new_answer(own: MockFlask, computed: list[str]) -> None:
    before = data(own, ALL_TAGS)
    made = data(own, TAGS, "POST", json={"name": "Ristretto"})
    after = data(own, ALL_TAGS)

    assert made["id"] not in [tag["id"] for tag in before["list"]]
    assert made["id"] in [tag["id"] for tag in after["list"]]
    assert ["listTags", "createTag", "listTags"] == computed


def test_another_collection_that_was_looked_at_counts(own: MockFlask) -> None:
    """A chat shows its last message, which is stored elsewhere."""
    fan = data(own, "/v1/1001/chats")["list"][3]["withUser"]["id"]
    data(own, "/v1/1001/chats")
    sent = data(own, f"/v1/1001/chats/{fan}/messages", "POST", json={"text": "A new roast."})
    chats = data(own, "/v1/1001/chats?limit=50")["list"]

    assert sent["id"] in [chat.get("lastMessage", {}).get("id") for chat in chats]
    shown = next(chat for chat in chats if chat["withUser"]["id"] == fan)
    assert sent["id"] == shown["lastMessage"]["id"]


def test_a_write_in_between_leaves_nothing_stale(
    own: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that was overtaken by a write while it was made is not given again."""
    original = engine._run

    def overtaken(scene: Scene) -> Any:
        result = original(scene)
        if scene.operation.id == "listTags":
            monkeypatch.setattr(engine, "_run", original)
            data(own, TAGS, "POST", json={"name": "Overtaking"})
        return result

    monkeypatch.setattr(engine, "_run", overtaken)
    data(own, ALL_TAGS)

    assert "Overtaking" in [tag["name"] for tag in data(own, ALL_TAGS)["list"]]


def test_what_depends_on_the_time_is_not_remembered(own: MockFlask, computed: list[str]) -> None:
    for _ in range(2):
        data(own, "/v1/1001/payouts/requests")

    assert ["listPayoutRequests"] * 2 == computed


def test_organizations_share_an_answer_until_one_writes(
    own: MockFlask, computed: list[str]
) -> None:
    world = own.mock.world
    keys = []
    for name in ("one", "two"):
        seed = OrganizationSeed(id=name, accounts=(AccountSeed(1001),))
        keys.append(world.add_key(world.add_organization(seed)).secret)
    client = own.test_client()

    def names(key: str) -> list[str]:
        answer = client.get(ALL_TAGS, headers={"X-API-Key": key})
        return [tag["name"] for tag in answer.get_json()["data"]["list"]]

    assert names(keys[0]) == names(keys[1])
    client.post(TAGS, headers={"X-API-Key": keys[0]}, json={"name": "Own"})
    assert ["listTags", "createTag"] == computed
    assert "Own" in names(keys[0])
    assert "Own" not in names(keys[1])


def test_an_invalid_answer_stays_one(own: MockFlask, monkeypatch: pytest.MonkeyPatch) -> None:
    """What doesn't match its schema is refused again, not only the first time."""
    wrong = b'{"data":{"list":1},"_meta":{"_credits":{"used":1},"_rate_limits":{"limit_minute":'
    monkeypatch.setattr(engine, "answer_of", lambda *_: Answer(wrong, 10, None, None))
    client = own.test_client()

    assert [500, 500] == [client.get(ALL_TAGS, headers=KEY).status_code for _ in range(2)]


def test_long_requests_are_not_remembered(own: MockFlask, computed: list[str]) -> None:
    """Whoever sends ever new long queries doesn't fill the memory."""
    long = f"{TAGS}?unknown={'x' * 1_000}"
    for _ in range(2):
        data(own, long)

    assert ["listTags"] * 2 == computed
    assert not [asked for asked in own.mock.pipeline._addresses if len(asked[2]) > 512]


def test_many_requests_do_not_pile_up(own: MockFlask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does whoever sends ever new short ones."""
    monkeypatch.setattr(pipeline, "_MOST_REMEMBERED", 4)
    remembered = []
    for number in range(20):
        data(own, f"{TAGS}?unknown={number}")
        remembered.append(len(own.mock.pipeline._addresses))

    assert 4 == max(remembered)
