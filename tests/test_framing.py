"""Requests that two readers could take for different ones are refused, and their connection ends."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockserver.server import MockServer
    from tests.conftest import Tenant

HIDDEN = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
"""What a smuggler would have answered as a request of its own."""
LAST = HIDDEN.replace(b"Host: x", b"Host: x\r\nConnection: close")


def stream_of(server: MockServer, *parts: bytes) -> bytes:
    """Send ``parts`` on one connection, each once the server has read the one before; return all that comes back."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        for number, part in enumerate(parts):
            if number:
                stream_of(server, LAST)
            connection.sendall(part)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def statuses_of(stream: bytes) -> list[bytes]:
    return [part[:3] for part in stream.split(b"HTTP/1.1 ")[1:]]


def undated(stream: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]*", b"", stream)


def post(*fields: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    lines = [b"POST /v1/1001/tags " + version, b"Host: x", *fields, b"", b""]
    return b"\r\n".join(lines)


CHUNKS = b"0\r\n\r\n"
SHAPES: dict[str, bytes] = {
    "two-lengths": post(b"Content-Length: 0", b"Content-Length: 40"),
    "same-length-twice": post(b"Content-Length: 0", b"Content-Length: 0"),
    "length-list": post(b"Content-Length: 0, 0"),
    "length-signed": post(b"Content-Length: +0"),
    "length-underscore": post(b"Content-Length: 0_0"),
    "length-hex": post(b"Content-Length: 0x0"),
    "length-empty": post(b"Content-Length:"),
    "length-spaced": post(b"Content-Length: 0 0"),
    "length-no-break-space": post(b"Content-Length: \xa00"),
    "length-endless": post(b"Content-Length: " + b"0" * 5_000),
    "length-then-chunks": post(b"Content-Length: 5", b"Transfer-Encoding: chunked") + CHUNKS,
    "chunks-then-length": post(b"Transfer-Encoding: chunked", b"Content-Length: 5") + CHUNKS,
    "chunked-twice": post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + CHUNKS,
    "chunked-list": post(b"Transfer-Encoding: chunked, chunked") + CHUNKS,
    "identity": post(b"Transfer-Encoding: identity", b"Content-Length: 0"),
    "chunked-and-identity": post(b"Transfer-Encoding: chunked, identity") + CHUNKS,
    "gzip-chunked": post(b"Transfer-Encoding: gzip, chunked") + CHUNKS,
    "xchunked": post(b"Transfer-Encoding: xchunked") + CHUNKS,
    "chunked-quoted": post(b'Transfer-Encoding: "chunked"') + CHUNKS,
    "chunked-vertical-tab": post(b"Transfer-Encoding: \x0bchunked") + CHUNKS,
    "coding-empty": post(b"Transfer-Encoding:"),
    "coding-in-1.0": post(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + CHUNKS,
    "space-before-colon": post(b"Content-Length : 0"),
    "coding-space-before-colon": post(b"Transfer-Encoding : chunked") + CHUNKS,
    "folded-coding": post(b"Transfer-Encoding:", b" chunked") + CHUNKS,
    "folded-first": b"GET /health HTTP/1.1\r\n Host: x\r\n\r\n",
    "bare-return": post(b"X-A: a\rContent-Length: 40"),
    "bare-newline": b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\nContent-Length: 40\r\n\r\n",
    "nul-in-a-value": post(b"X-A: a\x00b"),
    "escape-in-a-value": post(b"X-A: \x1b[31m"),
    "odd-name": post(b"X(A): a"),
    "no-name": post(b": a"),
    "two-hosts": post(b"Host: y"),
    "no-host": b"GET /health HTTP/1.1\r\n\r\n",
    "two-origins": post(b"Origin: http://evil.test", b"Origin: http://x"),
    "two-keys": post(b"X-API-Key: fm_api_test_full", b"x-api-key: fm_api_test_other"),
    "two-authorizations": post(b"Authorization: Bearer a", b"Authorization: Bearer b"),
    "too-many": post(*[b"X-%d: a" % n for n in range(300)]),
    "method-no-token": b"GE(T /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "tab-in-target": b"GET /hea\tlth HTTP/1.1\r\nHost: x\r\n\r\n",
    "return-in-target": b"GET /hea\rlth HTTP/1.1\r\nHost: x\r\n\r\n",
    "absolute-options": b"OPTIONS ftp://x/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "version-signed": b"GET /health HTTP/+1.1\r\nHost: x\r\n\r\n",
    "version-0.9": b"GET /health HTTP/0.9\r\nHost: x\r\n\r\n",
    "version-2.0": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_refuses_and_ends_the_connection(shape: str, server: MockServer) -> None:
    """400, flat, once: whatever follows is never taken for a request."""
    stream = stream_of(server, SHAPES[shape] + HIDDEN * 2)
    head, _, body = stream.partition(b"\r\n\r\n")

    assert [b"400"] == statuses_of(stream)
    assert body.startswith(b'{"error":"')
    assert b"\r\nConnection: close" in head


CHUNKED: dict[str, bytes] = {
    "signed-size": b"+2\r\n{}\r\n0\r\n\r\n",
    "underscored-size": b"0_2\r\n{}\r\n0\r\n\r\n",
    "prefixed-size": b"0x2\r\n{}\r\n0\r\n\r\n",
    "negative-size": b"-2\r\n{}\r\n0\r\n\r\n",
    "no-size": b"\r\n{}\r\n0\r\n\r\n",
    "endless-size": b"0" * 20_000,
    "huge-size": b"F" * 30 + b"\r\n",
    "bare-newline": b"2\n{}\r\n0\r\n\r\n",
    "longer-than-said": b"1\r\n{}\r\n0\r\n\r\n",
    "endless-trailers": b"0\r\n" + b"X-A: a\r\n" * 200 + b"\r\n",
}


@pytest.mark.parametrize("shape", CHUNKED)
def test_refuses_odd_chunks(shape: str, server: MockServer, tenant: Tenant) -> None:
    """The body's framing is as strict, and a broken one leaves nothing behind."""
    fields = b"X-API-Key: " + tenant.key.encode(), b"Content-Type: application/json"
    stream = stream_of(
        server, post(*fields, b"Transfer-Encoding: chunked") + CHUNKED[shape] + HIDDEN
    )

    assert [b"400"] == statuses_of(stream)


TAILS: dict[str, bytes] = {
    "newline-in-trailers": b"0\r\nX-A: a\n\r\n",
    "many-trailers": b"0\r\n" + b"X-A: a\r\n" * 64 + b"\r\n",
    "size-then-an-end": b"2 2\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("tail", TAILS)
def test_malformed_chunks_are_never_passed_over(
    tail: str, server: MockServer, tenant: Tenant
) -> None:
    """Wherever the body is cut on its way: the JSON before them is whole, but what follows may belong to it."""
    fields = b"X-API-Key: " + tenant.key.encode(), b"Content-Type: application/json"
    head = post(*fields, b"Transfer-Encoding: chunked")
    body = b'11\r\n{"name": "Decaf"}\r\n' + TAILS[tail]
    records, cuts = tenant.records(), (1, 9, 22, 25, 28, len(body) - 3, len(body) - 1)
    answers = {stream_of(server, head + body[:cut], body[cut:]) for cut in cuts}

    assert {b'{"error":"The body breaks off or is malformed."}'} == {
        a.partition(b"\r\n\r\n")[2] for a in answers
    }
    assert records == tenant.records()


def test_a_cut_body_isnt_taken_for_a_whole_one(server: MockServer, tenant: Tenant) -> None:
    """Valid JSON that is shorter than its length is the beginning of something else."""
    fields = b"X-API-Key: " + tenant.key.encode(), b"Content-Type: application/json"
    records = tenant.records()
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(post(*fields, b"Content-Length: 50") + b'{"name": "Decaf"}')
        connection.shutdown(socket.SHUT_WR)
        stream = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert [b"400"] == statuses_of(stream)
    assert records == tenant.records()


def test_trailers_are_no_request(server: MockServer, tenant: Tenant) -> None:
    """What stands after the last chunk belongs to it, also where it looks like a request."""
    fields = b"X-API-Key: " + tenant.key.encode(), b"Content-Type: application/json"
    body = b'2;ext="a"\r\n{}\r\n0\r\nX-A: GET /v1/x HTTP/1.1\r\n\r\n'
    stream = stream_of(server, post(*fields, b"Transfer-Encoding: Chunked") + body + LAST)

    assert [b"400", b"200"] == statuses_of(stream)
    assert b"name" in stream


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (b"X-API-Key", b"200"),
        (b"x-api-key", b"200"),
        (b"X_API_Key", b"401"),
        (b"X-API_KEY", b"401"),
    ],
)
def test_underscores_are_no_hyphens(
    name: bytes, status: bytes, server: MockServer, tenant: Tenant
) -> None:
    """WSGI gives both the same name; only the real one is a key, and it isn't replaced either."""
    head = b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    key = tenant.key.encode()
    alone = stream_of(server, head + name + b": " + key + b"\r\n\r\n")
    beside = stream_of(server, head + b"X-API-Key: " + key + b"\r\nX_API_Key: fm_api_no\r\n\r\n")

    assert [status] == statuses_of(alone)
    assert [b"200"] == statuses_of(beside)


LONGEST = b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: ".ljust(65_536, b"a") + b"\r\n\r\n"
WHOLE: dict[str, tuple[bytes, range]] = {
    "empty-lines": (b"\r\n\r\n" + HIDDEN, range(1, 6)),
    "the-largest-head": (LONGEST, range(65_534, 65_540)),
    "too-large-a-head": (LONGEST.replace(b"aa", b"aaa", 1), range(65_534, 65_541)),
    "bare-newlines": (b"GET /health HTTP/1.1\nHost: x\n\n" + HIDDEN, range(20, 33)),
    "newline-first": (b"\n" + HIDDEN, range(1, 3)),
    "newline-in-a-value": (HIDDEN.replace(b"x", b"x\nX-B: b"), range(28, 32)),
}


@pytest.mark.parametrize("stream", WHOLE)
def test_how_bytes_arrive_changes_no_answer(stream: str, server: MockServer) -> None:
    """A stream cut in two is answered as it is in one piece."""
    data, cuts = WHOLE[stream]
    whole = undated(stream_of(server, data + LAST))
    cut = {undated(stream_of(server, data[:place], data[place:] + LAST)) for place in cuts}

    assert whole.startswith(b"HTTP/1.1 ")
    assert {whole} == cut
