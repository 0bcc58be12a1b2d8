"""Makes an exchange of the journal from a request: bounded, and with every key masked."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

from mockserver import rules
from mockserver.audience import Audience
from mockserver.call import Call
from mockserver.clock import stopwatch
from mockserver.contract import Contract, Operation
from mockserver.envelope import Reply
from mockserver.journal import BODY_KEPT, HEADERS_KEPT, TEXT_KEPT, Exchange
from mockserver.nearest import nearest_route
from mockserver.pipeline import Progress, presented_keys
from mockserver.roles import KEY_PREFIX, Key
from mockserver.world import World

MASK = KEY_PREFIX + "***"
"""What stands in the place of a key, wherever one was sent."""

_SALT = secrets.token_bytes(16)
_KEY = re.compile(re.escape(KEY_PREFIX) + r"[^\s\"'&;,<>]+")
_KEY_BYTES = re.compile(_KEY.pattern.encode())
_KEY_PARAMETERS = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "authorization", "key", "token", "x-api-key"}
)
_NAMED = re.compile("(^|&)(" + "|".join(sorted(_KEY_PARAMETERS)) + ")=", re.IGNORECASE)
_BODY_HEADERS = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})
_KEY_HEADERS = {"HTTP_AUTHORIZATION": "authorization", "HTTP_X_API_KEY": "x-api-key"}


class Recorder:
    """Writes exchanges into the journal of the organization that a request's key names, else the world's."""

    def __init__(self, contract: Contract, world: World, audience: Audience) -> None:
        self._contract = contract
        self._world = world
        self._audience = audience

    def record(
        self, call: Call, operation: Operation | None, reply: Reply, progress: Progress
    ) -> float:
        """Record an exchange, and return what the clock said that dates its answer.

        A request for an unknown route stands in the world's journal too, whoever sent it.
        """
        caller = progress.caller or self._named(call)
        world = self._world
        clock = world.clock if caller is None else caller.organization.clock
        at = clock.now()
        about = {
            **_request(call),
            "at": at,
            "clocked": (clocked := stopwatch()),
            "took": clocked - progress.began,
            "organization": None if caller is None else caller.organization.id,
            "operation": None if operation is None else operation.id,
            "status": reply.status,
            "rule": None if reply.rule is None else reply.rule.id,
            "fault": reply.fault,
            "key": self._key(call, caller),
            "recovers": _recovery(caller, reply, progress, at) if reply.status == 429 else None,
            "next_page": progress.next_page,
        }
        if operation is None:
            about["nearest"] = nearest_route(self._contract, call.method, call.path)
        journals = [] if caller is None else [caller.organization.journal]
        if caller is None or operation is None:
            journals.append(world.unclaimed)
        recorded = []
        for journal in journals:
            seen = journal.total if progress.caller is None else progress.seen
            recorded.append(journal.record(partial(Exchange, seen=seen, **about)))
        if self._audience.listeners:
            self._audience.tell(recorded[0])
        return at

    def _named(self, call: Call) -> Key | None:
        """Return the key of a request that was refused before it was let in, if the world knows it."""
        presented = set(presented_keys(call))
        return self._world.keys.get(presented.pop()) if len(presented) == 1 else None

    def _key(self, call: Call, caller: Key | None) -> str | None:
        if caller is not None:
            return caller.id
        presented = presented_keys(call)
        return mark(presented[0]) if presented else None


def _recovery(caller: Key | None, reply: Reply, progress: Progress, at: float) -> float | None:
    """Return when the window begins anew for which a request was refused."""
    if caller is None:
        return None
    if progress.fault is not None and progress.fault.fault.retry_after is not None:
        return at + progress.fault.fault.retry_after
    windows = caller.organization.windows
    return (windows.day if reply.rule is rules.DAY else windows.minute).recovers


def _request(call: Call) -> dict[str, Any]:
    """Return what an exchange says of its request, as arguments of ``Exchange``."""
    query, in_query = _masked_query(call.query_string)
    places = [place for name, place in _KEY_HEADERS.items() if call.environ.get(name)]
    body = call.read_body or b""
    return {
        "method": call.method[:20],
        "path": _masked(call.path),
        "query": query,
        "headers": _headers(call),
        "body": _KEY_BYTES.sub(MASK.encode(), body)[:BODY_KEPT] if body else b"",
        "body_size": len(body),
        "key_places": (*places, "query") if in_query else tuple(places),
    }


def mark(secret: str) -> str:
    """Return what tells an unknown key from others in this process, and nothing else about it."""
    return "unknown-" + hashlib.blake2b(secret.encode(), key=_SALT, digest_size=4).hexdigest()


def _headers(call: Call) -> Mapping[str, str]:
    sent = tuple(
        (name, str(value))
        for name, value in call.environ.items()
        if value
        and (name.startswith("HTTP_") or name in _BODY_HEADERS)
        and name not in _KEY_HEADERS
    )
    small = len(sent) <= HEADERS_KEPT and sum(len(value) for _, value in sent) <= TEXT_KEPT
    return _shown_headers(sent) if small else _shown_headers.__wrapped__(sent)


@lru_cache(maxsize=256)  # a client sends the same headers again and again
def _shown_headers(sent: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return {
        name.removeprefix("HTTP_")[:TEXT_KEPT].lower().replace("_", "-"): _masked(value)
        for name, value in sent[:HEADERS_KEPT]
    }


def _masked(text: str) -> str:
    return (_KEY.sub(MASK, text) if KEY_PREFIX in text else text)[:TEXT_KEPT]


def _masked_query(query: str) -> tuple[str, bool]:
    """Return the query without keys, and whether there was one."""
    if not query:
        return "", False
    plain = unquote_plus(query)
    if KEY_PREFIX not in plain and _NAMED.search(plain) is None:
        return query[:TEXT_KEPT], False
    pairs = parse_qsl(query, keep_blank_values=True)
    keyed = [name.lower() in _KEY_PARAMETERS or KEY_PREFIX in name + value for name, value in pairs]
    masked = [(_masked(n), MASK if key else v) for key, (n, v) in zip(keyed, pairs, strict=True)]
    return urlencode(masked, safe="*")[:TEXT_KEPT], True
