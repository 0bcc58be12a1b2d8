"""Hundreds of tests on one server at once, each doing its worst, and none of them meets another."""

from __future__ import annotations

import secrets

import pytest

pytest_plugins = ("pytester",)

RIVALS = '''
"""Five hundred tests that use the same account and the same paths, and move, break and reset what is theirs."""

import pathlib
import random

import pytest
import requests

session = requests.Session()
session.trust_env = False
CHATS = "/v1/1001/chats"


class Rival:
    def __init__(self, fansmetric):
        self.org = fansmetric.org(limit_minute=6)
        self.key = self.org.key()
        self.url = fansmetric.url

    def ask(self, path=CHATS, method="GET", **options):
        return session.request(
            method, self.url + path, headers={"X-API-Key": self.key}, timeout=30, **options
        ).status_code

    def texts(self, path):
        answer = session.get(self.url + path, headers={"X-API-Key": self.key}, timeout=30).json()
        return [message["text"] for message in answer["data"]["list"]]


def exhaust(rival):
    rival.org.exhaust("minute")
    assert [rival.ask(), rival.ask()] == [429, 429]
    rival.org.clock.advance(minutes=1)
    assert rival.ask() == 200
    assert rival.org.remaining_minute == 5


def count(rival):
    assert [rival.ask() for _ in range(6)] == [200] * 6
    assert rival.ask() == 429
    assert len(rival.org.requests) == 7


def move_far(rival):
    rival.org.clock.freeze("2031-05-06T07:08:09Z")
    rival.org.clock.advance(days=400)
    assert rival.ask() == 200
    assert rival.org.clock.now.year == 2032


def break_upstream(rival):
    rival.org.fail_next(503, times=3)
    assert [rival.ask() for _ in range(4)] == [503, 503, 503, 200]


def break_billing(rival):
    rival.org.subscription = "past_due"
    assert rival.ask() == 402
    rival.org.account().lose_sync()
    rival.org.subscription = "active"
    assert rival.ask() == 424


def write(rival):
    messages = CHATS + "/50001/messages"
    before = rival.texts(messages)
    assert rival.ask(messages, "POST", json={"text": f"only {rival.org.id}"}) == 200
    new = [text for text in rival.texts(messages) if text not in before]
    assert [rival.org.id in text for text in new] == [True]
    assert not [text for text in before if "only org" in text]


def delete(rival):
    assert rival.ask(CHATS + "/50002", "DELETE") == 200
    assert rival.ask(CHATS + "/50002", "DELETE") == 404
    rival.org.reset()
    assert rival.ask(CHATS + "/50002", "DELETE") == 200


def revoke(rival):
    other = rival.org.key()
    rival.key.revoke()
    assert rival.ask() == 401
    rival.key = other
    assert rival.ask() == 200


def reset(rival):
    rival.ask()
    rival.org.fail_next(500, times=50)
    rival.org.reset()
    assert rival.ask() == 200
    assert rival.org.requests.statuses == [200]


ACTS = [exhaust, count, move_far, break_upstream, break_billing, write, delete, revoke, reset]


@pytest.mark.parametrize("seed", range(500))
def test_rival(fansmetric, worker_id, seed):
    pathlib.Path(f"{worker_id}.seen").write_text(fansmetric.url)
    rival = Rival(fansmetric)
    random.Random(seed).choice(ACTS)(rival)
    assert {r.more["organization"] for r in rival.org.requests} <= {rival.org.id}
'''

SHUFFLE = """
import random

def pytest_report_header():
    return "shuffled with {seed}"

def pytest_collection_modifyitems(items):
    random.Random({seed}).shuffle(items)
"""


def test_five_hundred_rivals(project: pytest.Pytester) -> None:
    """With eight workers in random order on one server, nothing crosses over."""
    project.makepyfile(RIVALS)
    project.makeconftest(SHUFFLE.format(seed=secrets.randbelow(1_000_000)))
    result = project.runpytest_subprocess(
        "-n8", "--fansmetric-one-server", "-q", "-p", "no:cacheprovider"
    )
    seen = [file.read_text() for file in project.path.glob("*.seen")]

    result.assert_outcomes(passed=500)
    assert (8, 1) == (len(seen), len(set(seen)))
