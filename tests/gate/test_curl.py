"""The line that repeats a request: a shell runs it, and the server gets what the gate sent."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from contract_tests.exchange import Request, Secret
from contract_tests.profile import Profile
from contract_tests.samples import bearer, header_key, sample_of
from contract_tests.target import Target
from mockserver.call import MAX_BODY
from mockserver.clock import stopwatch
from mockserver.contract import load_contract
from mockserver.server import MockServer
from tests.gate.wrong_servers import Answer, Ask, WrongServer, judged, key_of, profile_keys

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CURL = shutil.which("curl")
JSON = (("Content-Type", "application/json"),)
FULL = Secret("full", "fm_api_test_Full")
SENT = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE")
KEYS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")


READ, OTHER_READ = (load_contract().operations[id] for id in ("listChats", "listTags"))
KEY = profile_keys()["full"].value


def shell(line: str, key: str) -> str:
    """Run a line of shell in which one key has a variable, and return what it writes."""
    env = {**os.environ, "FANSMETRIC_FULL": key}
    arguments = ["sh", "-c", line]
    return subprocess.run(
        arguments, check=True, env=env, capture_output=True, text=True, timeout=20
    ).stdout


class Recorder:
    """Takes down what requests are made of."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        # Whether a bracket is escaped on its way makes no difference.
        told = [unquote(str(environ.get(name, "none"))).strip() for name in (*SENT, *KEYS)]
        self.seen.append((*told, body))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"{}"]


@pytest.mark.skipif(CURL is None, reason="needs curl")
@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(Request("GET", "/v1/1001/chats?a=b%20c", (), (bearer(FULL),)), id="read"),
        pytest.param(
            Request("GET", "/v1/1001/chats?filters[a]={b}", (), (header_key(FULL),)), id="brackets"
        ),
        pytest.param(Request("GET", "/v1/1001/../chats", (), (bearer(FULL),)), id="dots"),
        pytest.param(Request("GET", "/v1/a", (), (header_key(Secret("empty", "")),)), id="empty"),
        pytest.param(
            Request("GET", "/v1/a", (), (bearer(Secret("empty", "")),)), id="empty-bearer"
        ),
        pytest.param(
            Request("POST", "/v1/a", JSON, (bearer(FULL),), b'{"text": "it\'s 100%"}'), id="quotes"
        ),
        pytest.param(Request("POST", "/v1/a", (), (bearer(FULL),), b"{}"), id="no-type"),
        pytest.param(
            Request("POST", "/v1/a", JSON, (bearer(FULL),), b'{"a":"%s"}' % (b"ab" * 700)),
            id="written-out",
        ),
        pytest.param(
            Request("POST", "/v1/a", JSON, (), b'{"a":"it\'s","padding":"%s"}' % (b"x" * 70_000)),
            id="padded",
        ),
    ],
)
def test_the_line_sends_the_same(request_: Request) -> None:
    recorder = Recorder()
    with MockServer(recorder) as server:
        Target(Profile(server.url)).send(request_)
        shell(request_.curl(server.url), FULL.value)

    (sent, repeated) = recorder.seen
    assert sent == repeated


@pytest.mark.parametrize(
    "made", [KEY[:-1], f"{KEY}0", KEY.swapcase()], ids=["cut", "prolonged", "other-case"]
)
def test_a_key_made_of_another_one_is_made_again(made: str) -> None:
    """It is nobody's key, so no variable holds it."""

    def change(environ: WSGIEnvironment, ask: Ask) -> Answer:
        return ("204 No Content", [], b"") if key_of(environ) == made else ask(environ)

    (breach, *_) = (
        judged(WrongServer(change), "auth.key-invalid").findings["auth.key-invalid"].breaches
    )
    assert breach.exchange is not None
    line = breach.exchange.request.curl("http://127.0.0.1:1")
    (_, _, secret) = breach.exchange.request.credentials[0]

    assert f'-H "Authorization: Bearer {secret.shell}"' in line
    assert made == shell(f'printf %s "{secret.shell}"', KEY)
    assert made not in str(breach.shown("http://127.0.0.1:1"))


def test_a_megabyte_is_written_in_no_time() -> None:
    """A server that breaks a rule of large bodies everywhere is reported hundreds of times."""
    sizes = (1_501, 5_000, 1_048_577)
    begun = stopwatch()
    lines = [
        Request("POST", "/v1/x", body=b'{"p":"' + b"x" * (size - 8) + b'"}').curl("http://x")
        for size in sizes * 100
    ]

    assert stopwatch() - begun < 5
    assert all(f"head -c {size - 8} /dev/zero | tr" in lines[at] for at, size in enumerate(sizes))


def test_large_bodies_of_many_breaches_are_one() -> None:
    """What is kept of them as evidence takes the memory of one."""
    bodies = [sample_of(op, 1, {}).sized(MAX_BODY, bearer(FULL)).body for op in (READ, OTHER_READ)]

    assert MAX_BODY == len(bodies[0])
    assert bodies[0] is bodies[1]
