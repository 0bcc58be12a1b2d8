"""Raw requests: whatever comes over a connection, whole flat answers or none go back, and the next one works."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import orjson
import pytest
from hypothesis import given

from tests.fuzz.harness import CORPUS, SLOWEST, Attempt, budget, corpus
from tests.fuzz.mutation import mutated_bytes
from tests.test_any_bytes import HEALTH, refusals_in, stream_of

if TYPE_CHECKING:
    from mockserver.server import MockServer
    from tests.conftest import NewTenant

KEY = b"{key}"
"""What stands in the place of the key in the files that are kept."""

BASES = [file.read_bytes() for file in sorted((CORPUS / "requests").iterdir())]
WORDS = (
    b"\r\n", b"\r", b"\n", b"\r\n\r\n", b" ", b":", b"%00", b"%2F", b"%", b"\x00", b"\xff", b"\xc3\xa9", b"?", b"&", b"=", b"#", b"//",
    b"HTTP/1.1", b"HTTP/1.0", b"HEAD", b"OPTIONS", b"PUT", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", KEY,
    b"Content-Length: 0\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Connection: upgrade\r\n", b"0\r\n\r\n",
    b"ffffffff\r\n", b"limit=1", b"offset=99999999999999999999", b"1001", b"-1", b"{", b"}", b"[", b"]", b'"', b"null", b"1e999",
    b"application/json", b"text/plain", b"Host: a\r\n", b"X-Api-Key", b"\\ud800", b"9" * 40, b"[" * 300, b"a" * 9_000,
)  # fmt: skip


@pytest.fixture
def attempt(server: MockServer, new_tenant: NewTenant, caplog: pytest.LogCaptureFixture) -> Attempt:
    """Return what sends bytes, and checks all that comes back and the next client."""
    tenant = new_tenant(limit_minute=10**9, limit_day=10**9)

    def attempted(data: bytes) -> None:
        caplog.clear()
        begun = process_time()
        with caplog.at_level(logging.WARNING):
            refusals = refusals_in(stream_of(server, data.replace(KEY, tenant.key.encode())))
        assert process_time() - begun < SLOWEST
        assert [] == [status for status, _ in refusals if status >= 500]
        assert all(_is_flat(body) for _, body in refusals if body), refusals
        assert [] == caplog.records
        assert stream_of(server, HEALTH).startswith(b"HTTP/1.1 200")

    return attempted


def _is_flat(body: bytes) -> bool:
    error = orjson.loads(body)
    return list(error) == ["error"] and bool(re.fullmatch(r"[^\r\n]+", error["error"]))


@pytest.mark.parametrize("kept", corpus("requests"))
def test_kept(kept: Path, attempt: Attempt) -> None:
    attempt(kept.read_bytes())


@budget(200)
@given(data=mutated_bytes(BASES, WORDS))
def test_any_request(data: bytes, attempt: Callable[[bytes], None]) -> None:
    attempt(data)
