"""The shapes of answers: the success envelope, the flat error, and the refusal that becomes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from mockserver.rules import Rule
from mockserver.windows import Headroom

JSON_TYPE = "application/json"

Headers = tuple[tuple[str, str], ...]
"""Names and values of the headers of an answer."""

_PLAIN = (("Content-Type", JSON_TYPE),)
"""The headers of an answer that has nothing else to say."""

_OPENING = b'{"data":%b,%b"_meta":{"_credits":{"used":%d},"_rate_limits":{"limit_minute":'
_CLOSING = b'%d,"remaining_minute":%d,"limit_day":%d,"remaining_day":%d}}}'
"""A success as JSON, and its end: the numbers that change from one request to the next."""


@dataclass(slots=True)  # not frozen: making one is a part of every request
class Reply:
    """A finished answer."""

    status: int
    body: bytes
    headers: Headers = _PLAIN
    rule: Rule | None = None
    """The rule that refused, if one did."""
    origin: str = "handler"
    """What made the answer: ``rule``, ``fault`` or ``handler``."""
    fault: str | None = None
    """The planted fault that the request met, if it met one."""
    cut: int | None = None
    """The bytes of the body after which the connection breaks off; 0: before the first byte of all."""
    at: float | None = None
    """What the organization's clock said, for the ``Date`` header."""


class Refused(Exception):
    """Raised when a rule of the contract refuses the request."""

    def __init__(
        self,
        rule: Rule,
        message: str,
        *,
        status: int | None = None,
        headers: Headers = (),
        origin: str = "rule",
    ) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.status = status or rule.status or 400
        self.headers = headers
        self.origin = origin


def opening(data: bytes, credits: int, next_page: str | None = None) -> bytes:
    """Return how a success begins: ``data`` (as JSON), ``_pagination`` unless this is the last page, and credits."""
    page = b""
    if next_page is not None:
        page = b'"_pagination":%b,' % orjson.dumps({"next_page": next_page})
    return _OPENING % (data, page, credits)


def success(opening: bytes, headroom: Headroom) -> Reply:
    """Return the success that begins with ``opening``, and ends with the ``headroom``."""
    closing = _CLOSING % (
        headroom.limit_minute,
        headroom.remaining_minute,
        headroom.limit_day,
        headroom.remaining_day,
    )
    return Reply(200, opening + closing)


def bare(data: Mapping[str, Any]) -> Reply:
    """Return a success of an operation without authentication, which has no envelope."""
    return Reply(200, orjson.dumps(data))


@lru_cache(maxsize=256)  # what is refused once is mostly refused again
def _error(message: str) -> bytes:
    return orjson.dumps({"error": message})


def refusal(refused: Refused) -> Reply:
    """Return the flat error body of ``refused``."""
    return Reply(
        refused.status,
        _error(refused.message),
        (("Content-Type", JSON_TYPE), *refused.headers) if refused.headers else _PLAIN,
        refused.rule,
        refused.origin,
    )
