"""The bodies that the control API takes; anything else is refused with the member's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from mockserver.errors import Misuse
from mockserver.seeds import AccountState, Subscription
from mockserver.shapes import COUNT, FLAG, ID, TEXT, Shape, breach, closed, one_of
from mockserver.windows import LimiterMode

_TIME: Shape = {"type": ["string", "null"]}
_STATE = one_of(AccountState)
CHANGE = closed(
    {
        "limit_minute": COUNT,
        "limit_day": COUNT,
        "mode": one_of(LimiterMode),
        "subscription": one_of(Subscription),
        "retry_after": FLAG,
    }
)
ACCOUNT = closed({"id": ID, "state": _STATE, "name": TEXT, "username": TEXT})
ACCOUNT_CHANGE = closed({"state": _STATE}, "state")
ORGANIZATION = closed(
    {
        **CHANGE["properties"],
        "id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
        "name": TEXT,
        "rolling": FLAG,
        "accounts": {"type": "array", "items": ACCOUNT},
    }
)
_PERMISSIONS = {"anyOf": [{"enum": ["*"]}, {"type": "array", "items": TEXT}]}
KEY = closed(
    {"permissions": _PERMISSIONS, "expires": _TIME, "revoked": FLAG, "note": {"type": "string"}}
)
KEY_CHANGE = closed({"revoked": FLAG, "expires": _TIME})
CLOCK = closed(
    {
        "freeze": {"anyOf": [{"enum": [True]}, TEXT]},
        "advance": {"type": "number", "minimum": 0},
        "run": {"enum": [True]},
        "reset": {"enum": [True]},
    }
)
CLOCK["minProperties"] = CLOCK["maxProperties"] = 1
HEADROOM = closed({"remaining_minute": COUNT, "remaining_day": COUNT})
FAULT = closed(
    {
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "operation": TEXT,
        "times": {"type": "integer", "minimum": 1},
        "message": TEXT,
    },
    "status",
)


def read(data: bytes, shape: Shape) -> Mapping[str, Any]:
    """Return the JSON object in ``data``; an empty body is an empty object.

    Raises ``Misuse`` when it is no JSON or doesn't have the shape, naming the member.
    """
    try:
        value = orjson.loads(data) if data else {}
    except orjson.JSONDecodeError as error:
        raise Misuse(f"the body is not valid JSON: {error}") from None
    problem = breach(shape, value, "the body")
    if problem is not None:
        raise Misuse(problem)
    result: Mapping[str, Any] = value
    return result
