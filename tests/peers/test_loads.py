"""What wrk says is understood, and a server that fails says why."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.peers import crowd
from benchmarks.peers.calls import LIST_CHATS, SEND_MESSAGE, ask
from benchmarks.peers.installs import reason
from benchmarks.peers.processes import NotRunning, Process, free_port
from benchmarks.peers.servers import Mock
from benchmarks.peers.wrk import Load, WrkFailed, parse
from mockserver import create_app
from mockserver.server import MockServer

ERRORS = {"status": 0, "connect": 0, "read": 0, "write": 0, "timeout": 0}
SAID = {"requests": 6000, "duration": 3_000_000, "p50": 1500, "p99": 9000, **ERRORS}


def test_figures_stand_below_what_wrk_prints() -> None:
    output = "Running 3s test @ http://127.0.0.1:1\n  1 threads and 16 connections\n"

    assert Load(6000, 3.0, 0, 0, 1.5, 9.0) == parse(output + json.dumps(SAID) + "\n")


def test_no_answers_took_the_whole_time() -> None:
    nothing = parse(json.dumps({**SAID, "requests": 0, "p50": 0, "p99": 0}))

    assert 3000.0 == nothing.p50 == nothing.p99


@pytest.mark.parametrize("output", ["", "unable to resolve host\n", "[]", '{"requests": 1}'])
def test_output_without_figures_is_refused(output: str) -> None:
    with pytest.raises(WrkFailed, match="no figures"):
        parse(output)


def test_unexpected_answers_are_counted() -> None:
    some = parse(json.dumps({**SAID, "status": 10, "timeout": 2}))

    assert 12 == some.unexpected(LIST_CHATS)
    assert 5992 == some.unexpected(LIST_CHATS.with_key("fm_api_test_nobody", 401))


def test_message_has_one_kilobyte() -> None:
    assert 1024 == len(SEND_MESSAGE.body)


def test_mock_gives_each_call_its_status() -> None:
    with MockServer(create_app()) as server:
        port = urlsplit(server.url).port or 0
        calls = Mock().furnish(port)
        statuses = {name: ask(port, call).status for name, call in calls.items()}
        Mock().refresh(port)

    assert {
        "list": 200,
        "send": 200,
        "changed": 200,
        "401": 401,
        "403": 403,
        "429": 429,
    } == statuses


def test_crowd_is_counted() -> None:
    with MockServer(create_app()) as server:
        port = urlsplit(server.url).port or 0
        held = asyncio.run(crowd.beside(port, lambda: ask(port, LIST_CHATS).status, 5, 4))

    assert (200, 5, 4) == held


def test_server_that_ends_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise ValueError('no such thing')"]
    with (
        Process(command, free_port(), tmp_path) as process,
        pytest.raises(NotRunning, match="ValueError: no such thing"),
    ):
        process.await_answer(LIST_CHATS)


@pytest.mark.parametrize(
    ("said", "due"),
    [
        ("", "it ended without a word"),
        ("one\ntwo\n", "two"),
        ("npm error: no\n\nNode.js v24\n", "npm error: no"),
        ("lib.InvalidSpecification: not so\n\nOn instance:\n  '3.1.0'\n", "lib.InvalidSpecification: not so"),
    ],
    ids=["nothing", "last-line", "npm", "traceback"],
)  # fmt: skip
def test_reason_is_the_line_that_names_an_error(said: str, due: str) -> None:
    assert due == reason(said)
