"""The head of a request: read strictly, so that no two readers can take it for different requests.

What an honest client never sends is refused: folded lines, control characters, a second length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

Fields = tuple[tuple[bytes, bytes], ...]
"""The header fields in the order sent, names as they were written."""

FIELDS = "mockserver.fields"
"""Where the WSGI environ has the ``Fields``; its own form loses repeated ones and underscores."""

LARGEST_HEAD = 65_536
"""Bytes of a request line with all its header fields."""

REMEMBERED = 1_024
"""Heads that are remembered once read: clients repeat theirs."""

_LONGEST = 2_048
"""Bytes of a line, a block of fields or a head that is remembered."""

_MOST_FIELDS = 256
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"/[\x21\x22\x24-\x7e\x80-\xff]*|\*")
_SLASH = re.compile(rb"(%2F)", re.IGNORECASE)
_VERSIONS = frozenset({b"HTTP/1.0", b"HTTP/1.1"})
_ONCE = frozenset(
    {b"Authorization", b"Content-Length", b"Host", b"Origin", b"Transfer-Encoding", b"X-Api-Key"}
)
"""Fields of which a second one would leave open where a request ends, who is asked, or who asks."""

_LISTS = frozenset({b"Accept", b"Connection", b"Expect", b"Te", b"Trailer", b"Upgrade", b"Via"})
"""Fields whose repetitions make one list; of any other one the last counts."""


class BadHead(ValueError):
    """Raised where a head is odd or ambiguous; the text says what should be there."""


@dataclass(frozen=True, slots=True)
class Line:
    """The first line of a request."""

    method: str
    target: str
    path: str
    """The path as WSGI wants it: decoded but for its slashes, each byte a character."""
    query: str
    is_old: bool
    """Whether the request speaks HTTP/1.0."""


@dataclass(frozen=True, slots=True)
class Block:
    """The header fields of a request."""

    environ: dict[str, Any]
    """The fields as WSGI wants them. Shared by all requests with the same fields: to be copied."""
    length: int | None
    """Bytes of the body, or ``None`` where it comes in chunks."""
    asks_to_stay: bool
    """Whether the Connection field wants another request on the same connection, as HTTP/1.0 has to."""
    asks_to_end: bool
    expects_continue: bool
    has_host: bool


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The whole head. Shared by all requests that repeat it, and the same only as itself."""

    line: Line
    environ: dict[str, Any]
    """What it says as WSGI wants it. To be copied."""
    length: int | None
    """Bytes of the body, or ``None`` where it comes in chunks."""
    stays: bool
    """Whether the connection lives on, as far as the client is asked."""
    expects_continue: bool
    """Whether the client waits for `100 Continue` before it sends the body."""
    is_remembered: bool
    """Whether the next one with the same bytes is this one, most likely."""


def read_head(data: bytes) -> Head:
    """Return the head in ``data``, which ends before the empty line. Raises ``BadHead``."""
    return (_head if len(data) <= _LONGEST else _head.__wrapped__)(data)


@lru_cache(maxsize=REMEMBERED)
def _head(data: bytes) -> Head:
    first, _, rest = data.partition(b"\r\n")
    line = (_line if len(first) <= _LONGEST else _line.__wrapped__)(first)
    block = (_block if len(rest) <= _LONGEST else _block.__wrapped__)(rest)
    if line.is_old and block.length is None:
        raise BadHead("HTTP/1.0 has no Transfer-Encoding.")
    if not line.is_old and not block.has_host:
        raise BadHead("A request must have a Host, from version 1.1 on.")
    return Head(
        line,
        block.environ | _environ(line, block),
        block.length,
        block.asks_to_stay if line.is_old else not block.asks_to_end,
        block.expects_continue and not line.is_old,
        len(data) <= _LONGEST,
    )


def _environ(line: Line, block: Block) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": line.method,
        "REQUEST_URI": line.target,
        "PATH_INFO": line.path,
        "QUERY_STRING": line.query,
    }
    if line.is_old:
        environ["SERVER_PROTOCOL"] = "HTTP/1.0"
    if block.length is None:
        environ["wsgi.input_terminated"] = True
    return environ


@lru_cache(maxsize=REMEMBERED)
def _line(data: bytes) -> Line:
    method, _, rest = data.partition(b" ")
    target, _, version = rest.partition(b" ")
    if not _TOKEN.fullmatch(method):
        raise BadHead("The method is no token.")
    if not _TARGET.fullmatch(target):
        raise BadHead(
            "The request target must be a path without fragment, spaces and control characters."
        )
    if version not in _VERSIONS:
        raise BadHead("The version must be HTTP/1.0 or HTTP/1.1.")
    path, _, query = target.partition(b"?")
    # A slash that the client encoded is part of a name; it must not part two of them.
    decoded = b"".join(
        part if _SLASH.fullmatch(part) else unquote_to_bytes(part) for part in _SLASH.split(path)
    )
    return Line(
        method.decode("latin-1"),
        target.decode("latin-1"),
        decoded.decode("latin-1"),
        query.decode("latin-1"),
        is_old=version == b"HTTP/1.0",
    )


@lru_cache(maxsize=REMEMBERED)
def _block(data: bytes) -> Block:
    fields = tuple(_fields(data)) if data else ()
    found = _merged(fields)
    environ: dict[str, Any] = {_variable(name): value.decode("latin-1") for name, value in found}
    environ[FIELDS] = fields
    by_name = dict(found)
    options = [option.strip() for option in by_name.get(b"Connection", b"").lower().split(b",")]
    return Block(
        environ,
        _length(by_name),
        b"keep-alive" in options and b"close" not in options,
        b"close" in options,
        by_name.get(b"Expect", b"").lower() == b"100-continue",
        b"Host" in by_name,
    )


def _variable(name: bytes) -> str:
    plain = name.decode("latin-1").upper().replace("-", "_")
    return plain if plain in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{plain}"


def _fields(block: bytes) -> Iterable[tuple[bytes, bytes]]:
    for number, line in enumerate(block.split(b"\r\n")):
        if number == _MOST_FIELDS:
            raise BadHead(f"There are more than {_MOST_FIELDS} headers.")
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise BadHead("A header must begin with its name and a colon, and end with CRLF.")
        if not _VALUE.fullmatch(value):
            raise BadHead("A header's value has control characters in it.")
        yield name, value.strip(b" \t")


def _merged(fields: Fields) -> list[tuple[bytes, bytes]]:
    """Return one field for each name, as `Title-Case`."""
    found: dict[bytes, bytes] = {}
    for written, value in fields:
        # WSGI's names are the same for both, so `X_API_Key` would pass for `X-API-Key`.
        if b"_" in written:
            continue
        name = written.title()
        if name in _ONCE and name in found:
            raise BadHead(f"{name.decode()} is sent twice.")
        found[name] = found[name] + b", " + value if name in _LISTS and name in found else value
    return list(found.items())


def _length(found: dict[bytes, bytes]) -> int | None:
    length, coding = found.get(b"Content-Length"), found.get(b"Transfer-Encoding")
    if length is not None and not (length.isdigit() and len(length) < 4_000):
        raise BadHead("Content-Length must be one number.")
    if coding is None:
        return int(length or 0)
    if coding.lower() != b"chunked":
        raise BadHead("Transfer-Encoding must be chunked.")
    if length is not None:
        raise BadHead("Content-Length and Transfer-Encoding exclude each other.")
    return None
