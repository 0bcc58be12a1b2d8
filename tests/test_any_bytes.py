"""Any bytes at all: the server answers flat or not at all, never fails, and serves the next client."""

from __future__ import annotations

import logging
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from mockserver.server import MockServer

HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
BOUNDED = settings(
    derandomize=True,
    max_examples=1_000,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# Made of what the parser looks at, so that most examples reach beyond the first line.
_word = st.one_of(
    st.sampled_from(
        [b"GET", b"POST", b"HEAD", b"/v1/accounts", b"/health", b"*", b"//[", b"chunked"]
    ),
    st.sampled_from(
        [b"close", b"100-continue", b"0", b"5", b"-1", b"0x5", b"\x00", b"\xff", b"%00"]
    ),
    st.binary(max_size=8),
)
_name = st.one_of(
    st.sampled_from([b"Host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Expect"]),
    st.sampled_from(
        [b"X-API-Key", b"X_API_Key", b"Authorization", b"Content-Type", b" folded", b""]
    ),
    st.binary(max_size=6),
)
_end = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n", b""])
_line = st.builds(
    lambda *parts: b" ".join(parts[:3]) + parts[3],
    _word, _word, st.sampled_from([b"HTTP/1.1"] * 6 + [b"HTTP/1.0", b"HTTP/0.9", b"FTP/1.1", b""]), _end,
)  # fmt: skip
_field = st.builds(
    lambda n, c, v, e: n + c + v + e, _name, st.sampled_from([b": ", b":", b""]), _word, _end
)
_chunk = st.builds(lambda n, d: b"%x\r\n%b\r\n" % (n, d), st.integers(0, 9), st.binary(max_size=9))
_body = st.one_of(st.binary(max_size=40), st.lists(_chunk, max_size=3).map(b"".join))
_request = st.builds(
    lambda line, fields, body: line + b"".join(fields) + b"\r\n" + body,
    _line, st.lists(_field, max_size=5), _body,
)  # fmt: skip
REQUESTS: SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200), st.lists(_request, min_size=1, max_size=3).map(b"".join)
)


def stream_of(server: MockServer, data: bytes) -> bytes:
    """Send ``data`` and the end of it; return all that comes back."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        with suppress(OSError):  # the server may have heard enough before the end
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def refusals_in(stream: bytes) -> list[tuple[int, bytes]]:
    """Return the status of every answer, and the body of each that is no success."""
    found = []
    while stream:
        head, gap, stream = stream.partition(b"\r\n\r\n")
        status = int(head[9:12])
        assert head.startswith(b"HTTP/1.1 "), head
        assert gap
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        # An answer to HEAD tells the length of the body that it doesn't have.
        size = int(length[1]) if length and not stream.startswith(b"HTTP/") else 0
        body, stream = stream[:size], stream[size:]
        found.append((status, body))
    return [(status, body) for status, body in found if status >= 300]


@BOUNDED
@given(data=REQUESTS)
def test_any_bytes(data: bytes, server: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing but whole answers, each refusal flat; and the server is as it was."""
    with caplog.at_level(logging.WARNING):
        refusals = refusals_in(stream_of(server, data))
    after = stream_of(server, HEALTH)

    assert [] == [status for status, _ in refusals if status >= 500]
    assert all(["error"] == list(orjson.loads(body)) for _, body in refusals if body)
    assert [] == caplog.records
    assert after.startswith(b"HTTP/1.1 200")
