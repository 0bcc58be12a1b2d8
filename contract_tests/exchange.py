"""A request that was sent and what came back, with every key masked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, TypeGuard

import orjson

from contract_tests.curl import curl_line, variable_of
from contract_tests.masking import masked
from mockserver.words import printable

_SHOWN_HEADERS = frozenset(
    {"allow", "content-length", "content-type", "date", "retry-after", "transfer-encoding"}
)
"""The only headers that evidence shows; anything else might carry a secret."""

_SHOWN_BODY = 600
_MOST_TEXT = 4_096
_LOOKED_AT = 65_536
"""Bytes of a body that are searched for keys; far fewer are shown."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A key and the name it is shown under, never the key itself."""

    name: str
    value: str = field(repr=False)
    shell: str = ""
    """How a shell makes it out of another key, where it isn't a key that somebody has."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent; the keys stand apart from the other headers, so that they can be masked."""

    method: str
    path: str
    """The path and the query string, encoded."""
    headers: tuple[tuple[str, str], ...] = ()
    credentials: tuple[tuple[str, str, Secret], ...] = ()
    """Header name, text in front of the key, and the key."""
    body: bytes = b""
    chunked: bool = False
    """Whether the body goes without a Content-Length."""

    def sent_headers(self) -> dict[str, str]:
        """Return all headers with the real keys."""
        real = {name: prefix + secret.value for name, prefix, secret in self.credentials}
        return {**dict(self.headers), **real}

    def curl(self, base_url: str) -> str:
        """Return a command line that repeats the request, each key as a variable of its own."""
        return curl_line(self, base_url)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    request: Request
    status: int
    headers: dict[str, str]
    """Lower-case names; the last value of a repeated header, and all values of Allow."""
    body: bytes
    secrets: Collection[str] = field(default=frozenset(), repr=False)
    """Keys that a hostile server might send back; they are masked wherever the body is shown.

    All exchanges of a target share one collection, which grows with each key that is sent.
    """

    @cached_property
    def json(self) -> Any:
        """The decoded body, or ``None`` when it is no JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    @property
    def content_type(self) -> str:
        """The media type, lower case, without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def date(self) -> float | None:
        """The second that the Date header names, in seconds since the epoch; ``None`` when it names none."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):  # a server may write any year
            return None

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def headroom(self) -> tuple[int, int] | None:
        """What a success says is left of the minute and of the day, if it says so in integers."""
        limits = self.rate_limits
        minute, day = limits.get("remaining_minute"), limits.get("remaining_day")
        return (minute, day) if is_integer(minute) and is_integer(day) else None

    @property
    def rate_limits(self) -> dict[str, Any]:
        """The ``_meta._rate_limits`` of a success; empty when there are none."""
        return member(member(self.json, "_meta"), "_rate_limits")

    def trimmed(self) -> Exchange:
        """Return what reports need of the exchange, so that many large answers don't fill the memory."""
        headers = {
            name: self.brief(value)
            for name, value in self.headers.items()
            if name in _SHOWN_HEADERS
        }
        return replace(self, headers=headers, body=self.body[:_LOOKED_AT])

    def brief(self, text: str) -> str:
        """Return ``text``, cut if it is longer than anybody reads."""
        # Masked before it is cut, so that no cut leaves a part of a key.
        if len(text) <= _MOST_TEXT:
            return text
        return self.masked(text[:_LOOKED_AT])[:_MOST_TEXT] + "…"

    def shown(self) -> dict[str, Any]:
        """Return the exchange as reports show it: chosen headers, masked keys, a short body."""
        return {
            "request": {
                "method": self.request.method,
                "path": self.masked(self.request.path),
                "headers": {
                    **dict(self.request.headers),
                    **{n: f"{p}$" + variable_of(s) for n, p, s in self.request.credentials},
                },
                "body": self.masked(_short(self.request.body)),
            },
            "response": {
                "status": self.status,
                "headers": {
                    k: self.masked(v) for k, v in self.headers.items() if k in _SHOWN_HEADERS
                },
                "body": self._text,
            },
        }

    @cached_property
    def _text(self) -> str:
        """The body's beginning without keys; each report asks for it, and a server may have filled it with escapes."""
        # Masked before it is cut, so that no cut leaves a part of a key.
        text = self.masked(self.body[:_LOOKED_AT].decode("utf-8", "replace"))
        return text[:_SHOWN_BODY] + ("…" if len(text) > _SHOWN_BODY else "")

    def masked(self, text: str) -> str:
        """Return ``text`` printable, and without any key that a hostile server repeated in it."""
        return printable(masked(text, self.secrets))


def _short(body: bytes) -> str:
    if len(body) > _SHOWN_BODY:
        return f"{len(body):,} bytes"
    return body.decode("utf-8", "replace")


def member(value: Any, name: str) -> dict[str, Any]:
    """Return the object under ``name``, or an empty one when ``value`` has none."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether ``value`` is a JSON integer; Python's booleans are none."""
    return isinstance(value, int) and not isinstance(value, bool)
