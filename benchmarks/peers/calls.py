"""The requests: a page of a list, a message of 1 KB, and three that are refused."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

LIST, CHANGED, SEND = "list", "changed", "send"
SERVED = (LIST, CHANGED, SEND)
UNKNOWN, FORBIDDEN, SPENT = "401", "403", "429"
NAMES = {
    LIST: "GET list",
    CHANGED: "GET list after a write",
    SEND: "POST 1 KB",
    UNKNOWN: "GET, unknown key",
    FORBIDDEN: "GET, no permission",
    SPENT: "GET, window used up",
}
"""What each call is called in the tables."""

KEY = "fm_api_test_unlimited"
_SECONDS = 30
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Call:
    """One request, and the status that it must get."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    status: int = 200

    def with_key(self, key: str | None, status: int) -> Call:
        """Return the same request with another key, or none, and the status that this must get."""
        headers = {name: value for name, value in self.headers.items() if name != "X-API-Key"}
        return replace(self, headers=headers | ({"X-API-Key": key} if key else {}), status=status)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    keeps: bool
    """Whether the connection stays open for the next request."""


def text_of(size: int) -> str:
    """Return a message whose JSON body has ``size`` bytes."""
    words = "The new filter roast is ready. "
    room = size - len(json.dumps({"text": ""}))
    return (words * (room // len(words) + 1))[:room]


LIST_CHATS = Call("GET", "/v1/1001/chats?limit=10", {"X-API-Key": KEY})
SEND_MESSAGE = Call(
    "POST",
    "/v1/1001/chats/50001/messages",
    {"X-API-Key": KEY, **_JSON},
    json.dumps({"text": text_of(1024)}),
)


def ask(port: int, call: Call) -> Answer:
    """Send ``call`` to a local port. Raises ``OSError`` or ``HTTPException`` when nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request(call.method, call.path, call.body or None, dict(call.headers))
        response = connection.getresponse()
        keeps = not response.will_close
        return Answer(response.status, response.read(), keeps)
    finally:
        connection.close()
