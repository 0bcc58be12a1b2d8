"""Requests that no honest client sends: never a 5xx, never a body that isn't flat, never a hang."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.envelope import JSON_TYPE

if TYPE_CHECKING:
    from mockserver.contract import Contract
    from mockserver.server import MockServer
    from tests.conftest import Tenant


def exchange(server: MockServer, data: bytes) -> tuple[int, Any, str | None]:
    """Send raw bytes on a connection of their own; return status, decoded body and type."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        with suppress(OSError):  # the server may have heard enough before the end
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        response = HTTPResponse(connection)
        response.begin()
        body = response.read()
        return response.status, json.loads(body) if body else None, response.headers["Content-Type"]


def assert_flat(answer: tuple[int, Any, str | None]) -> None:
    status, body, content_type = answer
    assert 400 <= status < 500, answer
    assert JSON_TYPE == content_type
    assert ["error"] == list(body)
    assert body["error"]
    assert "\n" not in body["error"]


REQUESTS: dict[str, bytes] = {
    "no-version": b"GET /v1/accounts\r\n\r\n",
    "bad-version": b"GET /v1/accounts HTTP/9.9\r\n\r\n",
    "bad-protocol": b"GET /v1/accounts FTP/1.1\r\n\r\n",
    "words-only": b"hello\r\n\r\n",
    "empty-line-first": b"\r\n\r\nhello\r\n\r\n",
    "no-carriage-return": b"GET /v1/accounts HTTP/1.1\n\n",
    "tls-hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 20 + b"\r\n\r\n",
    "nul-in-the-line": b"GET /v1/\x00accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "high-bytes-in-the-path": b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "fragment": b"GET /v1/accounts#x HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute-form": b"GET http://example.com/v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "no-slash": b"GET v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "long-line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long-method": b"A" * 5_000 + b" /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd-method": b"G\xebT /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower-case-method": b"get /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\n",
    "huge-header": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "many-headers": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 20_000 + b"\r\n",
    "header-without-colon": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-A\r\n\r\n",
    "header-without-name": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "folded-header": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
    "header-with-nul": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    "high-bytes-in-the-key": b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-API-Key: \xff\xfe\r\n\r\n",
    "no-host": b"GET /v1/accounts HTTP/1.1\r\n\r\n",
    "length-no-number": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
    "length-negative": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "length-huge": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "length-too-long": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{}",
    "unknown-coding": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    "broken-chunk": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "negative-chunk": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
    "cut-chunk": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{}",
    "length-and-chunks": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS)
def test_raw_requests(case: str, server: MockServer) -> None:
    """Whatever comes over the socket is answered with a flat 4xx."""
    assert_flat(exchange(server, REQUESTS[case]))


@pytest.mark.parametrize("case", [name for name in REQUESTS if b"POST" in REQUESTS[name]])
def test_raw_bodies_with_a_key(case: str, server: MockServer, tenant: Tenant) -> None:
    """Bodies whose framing is broken are refused after the key too, and nothing is created."""
    typed = f"X-API-Key: {tenant.key}\r\nContent-Type: application/json\r\nHost:".encode()
    records = tenant.records()

    assert_flat(exchange(server, REQUESTS[case].replace(b"Host:", typed, 1)))
    assert records == tenant.records()


def test_serves_on_after_all_that(server: MockServer, tenant: Tenant) -> None:
    """No request of these costs the server a thread: more of them than it has are answered."""
    for data in list(REQUESTS.values()) * 3:
        exchange(server, data)
    good = f"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX-API-Key: {tenant.key}\r\n\r\n"

    assert 200 == exchange(server, good.encode())[0]


@pytest.mark.parametrize("blocks", [1, 80], ids=["small", "over-4-MiB"])
def test_says_close_before_it_leaves_chunks_unread(blocks: int, server: MockServer) -> None:
    """Nobody reads the body of a request without a key; the answer says that the connection ends."""
    head = b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    block = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head + block)
        response = HTTPResponse(connection)
        response.begin()
        response.read()
        with suppress(OSError):  # the server may have heard enough before the end
            connection.sendall(block * (blocks - 1) + b"0\r\n\r\n")
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(OSError):
            assert b"" == connection.recv(1)

    assert (401, "close") == (response.status, response.headers["Connection"])


def test_head_has_no_body(server: MockServer) -> None:
    """What follows an answer to HEAD on a kept connection is the next answer, not a body."""
    data = b"HEAD /v1/accounts HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        stream = connection.makefile("rb").read()

    assert [b"405", b"200"] == [part[:3] for part in stream.split(b"HTTP/1.1 ")[1:]]
    assert 1 == stream.count(b"{")


QUERIES = [
    "%00", "%", "%zz", "%ff%fe", "limit=%00", "limit=%ff", "limit=%E2%80%AE", "limit=1;offset=2",
    "limit=&limit=", "=", "&&&&", "limit[$gt]=1", "limit=1%0d%0aX-Bad:%201", "a" * 20_000,
    "&".join(f"p{n}=1" for n in range(2_000)), "limit=" + "9" * 10_000, "limit=1&limit=2",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:24])
def test_odd_queries(query: str, contract: Contract, tenant: Tenant) -> None:
    """Odd queries are understood, ignored or refused, on every reading operation."""
    wrong = {}
    for op in contract:
        if op.method == "GET":
            path = op.path.format(**{p.name: p.example for p in op.path_parameters})
            answer = tenant.follow(f"{path}?{query}")
            if answer.status_code not in (200, 400):
                wrong[op.id] = (answer.status_code, answer.text)
            assert "X-Bad" not in answer.headers

    assert {} == wrong


ARGUMENTS = [
    "0", "-1", "%00", "%0d%0a", "%ff", "%2e%2e", "..", "1%2F2", "null", "NaN", "1e9", "0x10",
    "%D9%A1", "9223372036854775807", "9223372036854775808", "9" * 3_000, "' OR 1=1 --", "{id}",
    "<script>", "\u202e", "\U0001f375",
]  # fmt: skip


@pytest.mark.parametrize("argument", ARGUMENTS, ids=lambda text: ascii(text[:20]))
def test_odd_path_arguments(argument: str, contract: Contract, tenant: Tenant) -> None:
    """Each parameter of each path takes any text in its stride."""
    tenant.organization.windows.set_limits(minute=100_000)
    wrong = {}
    for op in contract:
        for parameter in op.path_parameters:
            values = {p.name: p.example for p in op.path_parameters} | {parameter.name: argument}
            url = op.path.format(**values)
            answer = tenant.client.open(
                url, method=op.method, headers={"X-API-Key": tenant.key}, json=op.body_example
            )
            if answer.status_code not in (400, 404, 405):
                wrong[op.id, parameter.name] = (answer.status_code, answer.text)

    assert {} == wrong


BODIES: dict[str, bytes] = {
    "deep-lists": b"[" * 50_000,
    "deep-objects": b'{"a":' * 50_000,
    "deep-member": b'{"name": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "huge-number": b'{"name": ' + b"9" * 10_000 + b"}",
    "huge-exponent": b'{"name": 1e999}',
    "key-twice": b'{"name": "Decaf", "name": 5}',
    "nul-in-text": b'{"name": "\\u0000"}',
    "many-members": json.dumps({f"m{n}": n for n in range(20_000)}).encode(),
    "long-text": b'{"name": "' + b"a" * 900_000 + b'"}',
    "proto": b'{"__proto__": {"name": 1}, "constructor": 1}',
    "template": b'{"name": "{id}", "__class__": "{0.__class__}"}',
    "surrogates": b'{"name": "\\ud83c\\udf75 \\ud83c"}',
    "nan": b'{"name": NaN}',
    "latin-1": b'{"name": "caf\xe9"}',
}


@pytest.mark.parametrize("case", BODIES)
def test_odd_bodies(case: str, contract: Contract, tenant: Tenant) -> None:
    """Odd bodies are understood or refused, by every operation, with or without use for one."""
    wrong = {}
    headers = {"Content-Type": "application/json"}
    for op in contract:
        if op.body is not None:
            answer = tenant.call(op, data=BODIES[case], headers=headers)
            if answer.status_code not in (200, 400, 404):
                wrong[op.id] = (answer.status_code, answer.text)

    assert {} == wrong


@pytest.mark.parametrize(
    "charset", ["latin-1", "utf-16", "utf-7", "nonsense", "", "\x00", '"'], ids=repr
)
def test_charsets(charset: str, tenant: Tenant) -> None:
    """JSON is UTF-8 whatever the charset says: other bytes are refused, these are understood."""
    headers = {"Content-Type": f"application/json; charset={charset}"}
    body = '{"name": "café"}'
    statuses = [
        tenant.call("createTag", data=body.encode(coding), headers=headers).status_code
        for coding in ("utf-8", "latin-1", "utf-16")
    ]

    assert [200, 400, 400] == statuses


def test_text_comes_back_as_it_was_sent(tenant: Tenant) -> None:
    """Braces, markup and every script are text, nothing more."""
    names = [
        "{id}",
        "{0}",
        "%s",
        "<b>x</b>",
        "\U0001f375 \u202e caf\u00e9",
        "a\tb\nc",
        "\x00\x1f",
        "$now",
    ]
    created = [tenant.data("createTag", body={"name": name})["name"] for name in names]
    listed = [tag["name"] for tag in tenant.data("listTags", query={"limit": 100})["list"]]

    assert names == created
    assert set(names) <= set(listed)
