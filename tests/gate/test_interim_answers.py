"""What a server says before its answer is no answer: the proxy passes on and judges the final one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3

from contract_tests.exchange import Request
from contract_tests.profile import Profile
from contract_tests.proxy.forward import Forwarder
from contract_tests.proxy.watch import Watcher
from contract_tests.target import Target
from contract_tests.verdicts import Verdict
from mockserver import rules
from mockserver.contract import Contract
from mockserver.server import MockServer

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
BODY = b'{"error":"The key is missing."}'
FINAL = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
    + f"Content-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY
)


PLACE = "X-Place: Århus \x1c\x0b\x0c\r\n".encode()
"""A header in which Python sees the end of a line, where HTTP doesn't."""


@contextmanager
def saying(answer: bytes, times: int) -> Iterator[str]:
    """Answer so many requests of one connection with the same bytes; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(times):
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


@contextmanager
def proxied(url: str, contract: Contract) -> Iterator[tuple[str, Watcher]]:
    watcher = Watcher(contract, lambda _: None)
    with MockServer(Forwarder(url, watcher)) as proxy:
        yield proxy.url, watcher


@pytest.mark.parametrize(
    "before", [HINTS, CONTINUE + HINTS, HINTS + CONTINUE, PROCESSING + HINTS], ids=repr
)
def test_the_final_answer_counts(before: bytes, contract: Contract) -> None:
    with saying(before + FINAL, 2) as url, proxied(url, contract) as (proxy, watcher):
        answers = [
            urllib3.request("GET", f"{proxy}/v1/1001/chats", retries=False) for _ in range(2)
        ]

    assert [(401, BODY)] * 2 == [(answer.status, answer.data) for answer in answers]
    assert "Link" not in answers[0].headers
    assert 2 == watcher.answered
    assert Verdict.KEPT is watcher.ledger.findings[rules.KEY_MISSING.id].verdict


def test_nothing_but_interim_answers_is_none(contract: Contract) -> None:
    with saying(HINTS * 40, 1) as url, proxied(url, contract) as (proxy, watcher):
        answer = urllib3.request("GET", f"{proxy}/v1/1001/chats", retries=False)

    assert 502 == answer.status
    assert 1 == watcher.unanswered


def test_a_header_line_ends_where_http_says(contract: Contract) -> None:
    """What comes after an Å in UTF-8 is a header too: a length and a type, here."""
    answer = FINAL.replace(b"Content-Type", PLACE + b"Content-Type")
    request = Request("GET", "/v1/1001/chats")
    with saying(answer, 1) as url:
        exchange = Target(Profile(url)).send(request)
    with saying(answer, 1) as url, proxied(url, contract) as (proxy, _):
        passed = urllib3.request("GET", f"{proxy}/v1/1001/chats", retries=False)

    assert (401, BODY, "application/json") == (
        exchange.status,
        exchange.body,
        exchange.content_type,
    )
    assert (401, BODY, "application/json") == (
        passed.status,
        passed.data,
        passed.headers["Content-Type"],
    )
