"""The head of a request: read strictly, so that no two readers can take it for different requests.

What an honest client never sends is refused: folded lines, control characters, a second length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

Fields = list[tuple[bytes, bytes]]
"""The header fields in the order sent, names as they were written."""

_MOST_FIELDS = 256
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_TARGET = re.compile(rb"/[\x21-\x7e\x80-\xff]*|\*")
_VERSIONS = frozenset({b"HTTP/1.0", b"HTTP/1.1"})
_ONCE = frozenset({b"Content-Length", b"Transfer-Encoding", b"Host"})
"""Fields of which a second one would make the request ambiguous."""

_LISTS = frozenset({b"Accept", b"Connection", b"Expect", b"Te", b"Trailer", b"Upgrade", b"Via"})
"""Fields whose repetitions make one list; of any other one the last counts."""


class Lines(Protocol):
    """A stream that lines are read from."""

    def readline(self) -> bytes:
        """Return the next line with its end, or nothing at the end of the stream."""
        ...


def check_line(method: bytes, target: bytes, version: bytes) -> None:
    """Raise ``ValueError`` unless the parts of a request line are what they should be."""
    if not _TOKEN.fullmatch(method):
        raise ValueError("The method is no token.")
    if not _TARGET.fullmatch(target):
        raise ValueError("The request target must be a path without spaces and control characters.")
    if version not in _VERSIONS:
        raise ValueError("The version must be HTTP/1.0 or HTTP/1.1.")


def read_fields(stream: Lines) -> Fields:
    """Return the header fields up to the empty line. Raises ``ValueError`` at the first odd one."""
    fields: Fields = []
    while (line := stream.readline()) != b"\r\n":
        if not line.endswith(b"\r\n"):
            raise ValueError("Each header must be a line that ends with CRLF.")
        if len(fields) == _MOST_FIELDS:
            raise ValueError(f"There are more than {_MOST_FIELDS} headers.")
        name, colon, value = line[:-2].partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise ValueError("A header must begin with its name and a colon.")
        if not _VALUE.fullmatch(value):
            raise ValueError("A header's value has control characters in it.")
        fields.append((name, value.strip(b" \t")))
    return fields


def merged(fields: Iterable[tuple[bytes, bytes]], version: str) -> dict[bytes, bytes]:
    """Return the fields by name, as `Title-Case`, in a request of ``version``.

    Raises ``ValueError`` when they leave open where the body ends or who is asked.
    """
    found: dict[bytes, bytes] = {}
    for written, value in fields:
        # WSGI's names are the same for both, so `X_API_Key` would pass for `X-API-Key`.
        if b"_" in written:
            continue
        name = written.title()
        if name in _ONCE and name in found:
            raise ValueError(f"{name.decode()} is sent twice.")
        found[name] = found[name] + b", " + value if name in _LISTS and name in found else value
    _check_framing(found, version)
    if b"Connection" in found:
        found[b"Connection"] = _persistence(found[b"Connection"])
    return found


def _check_framing(found: dict[bytes, bytes], version: str) -> None:
    length, coding = found.get(b"Content-Length"), found.get(b"Transfer-Encoding")
    if length is not None and not (length.isdigit() and len(length) < 4_000):
        raise ValueError("Content-Length must be one number.")
    if coding is None:
        return
    if coding.lower() != b"chunked":
        raise ValueError("Transfer-Encoding must be chunked.")
    if length is not None:
        raise ValueError("Content-Length and Transfer-Encoding exclude each other.")
    if version == "HTTP/1.0":
        raise ValueError("HTTP/1.0 has no Transfer-Encoding.")


def _persistence(value: bytes) -> bytes:
    """Return what a Connection header wants, in the only two forms that cheroot compares with."""
    options = [option.strip().lower() for option in value.split(b",")]
    if b"close" in options:
        return b"close"
    return b"Keep-Alive" if b"keep-alive" in options else value
