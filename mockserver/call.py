"""A request as the pipeline sees it: read from a WSGI environ, its body only when a step asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs

Environ = dict[str, Any]

MAX_BODY = 1_048_576
"""The largest body of an authenticated route, in bytes: 1 MiB (auth page, Errors)."""


class Unreadable(Exception):
    """Raised when a body breaks off or its chunks are malformed."""


@dataclass(frozen=True)
class Call:
    """One request to one operation."""

    environ: Environ
    method: str
    path: str
    path_arguments: dict[str, str]

    def header(self, name: str) -> str | None:
        """Return a header's value, or ``None`` when it was not sent."""
        value = self.environ.get("HTTP_" + name.upper().replace("-", "_"))
        return None if value is None else str(value)

    @property
    def query_string(self) -> str:
        """The raw query string."""
        return str(self.environ.get("QUERY_STRING", ""))

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The decoded query parameters, each with all its values in the order sent."""
        return parse_qs(self.query_string, keep_blank_values=True) if self.query_string else {}

    @property
    def content_type(self) -> str:
        """The media type of the body, lower case, without its parameters."""
        return str(self.environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower()

    @property
    def declared_length(self) -> int | None:
        """The Content-Length, or ``None`` when the body's length is not declared."""
        text = self.environ.get("CONTENT_LENGTH")
        return int(text) if text and str(text).isdecimal() else None

    @property
    def has_body(self) -> bool:
        """Whether a body was sent, of whatever length."""
        return bool(self.declared_length) or self._is_chunked

    @property
    def too_large(self) -> bool:
        """Whether the body is over 1 MiB; reads at most one byte more than that."""
        declared = self.declared_length
        if declared is not None and declared > MAX_BODY:
            return True
        return len(self.body) > MAX_BODY

    @cached_property
    def body(self) -> bytes:
        """The body's bytes, cut after the first one past 1 MiB. Raises ``Unreadable``."""
        stream = cast("BinaryIO | None", self.environ.get("wsgi.input"))
        declared = self.declared_length
        if stream is None or not (declared or self._is_chunked):
            return b""
        # Without a declared length only a server that ends the stream itself may be read from.
        try:
            return stream.read(MAX_BODY + 1 if declared is None else min(declared, MAX_BODY + 1))
        except (OSError, ValueError) as error:  # a broken chunk is a ValueError
            raise Unreadable(str(error)) from error

    @property
    def _is_chunked(self) -> bool:
        return self.declared_length is None and bool(self.environ.get("wsgi.input_terminated"))
