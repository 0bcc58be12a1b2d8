"""Makes an exchange of the journal from a request: bounded, and with every key masked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_plus, urlencode

from mockserver.audience import Audience
from mockserver.call import Call
from mockserver.clock import stopwatch
from mockserver.contract import Contract, Operation
from mockserver.envelope import Reply
from mockserver.journal import BODY_KEPT, HEADERS_KEPT, OVERHEAD, TEXT_KEPT, Exchange, Shown
from mockserver.nearest import nearest_route
from mockserver.request import Request
from mockserver.roles import KEY_PREFIX, Key
from mockserver.serving.heads import Fields
from mockserver.world import World

MASK = KEY_PREFIX + "***"
"""What stands in the place of a key, wherever one was sent."""

_SALT = os.urandom(16)
_KEY = re.compile(re.escape(KEY_PREFIX) + r"[^\s\"'&;,<>]+")
_PREFIX_BYTES = KEY_PREFIX.encode()
_KEY_BYTES = re.compile(_KEY.pattern.encode())
_KEY_PARAMETERS = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "authorization", "key", "token", "x-api-key"}
)
_NAMED = re.compile("(^|&)(" + "|".join(sorted(_KEY_PARAMETERS)) + ")=", re.IGNORECASE)
_KEY_HEADERS = ("authorization", "x-api-key")
_SECRET_NAMES = frozenset({*_KEY_HEADERS, "cookie", "proxy-authorization", "x-mock-token"})
"""Headers whose values open something; a cookie may be the one that stands for the control API's token."""


class Recorder:
    """Writes exchanges into the journal of the organization that a request's key names, else the world's."""

    def __init__(self, contract: Contract, world: World, audience: Audience) -> None:
        self._contract = contract
        self._world = world
        self._audience = audience

    def record(self, call: Call, operation: Operation | None, reply: Reply) -> float:
        """Record an exchange, and return what the clock said that dates its answer.

        A request for an unknown route stands in the world's journal too, whoever sent it.
        """
        caller = call.caller or self._named(call)
        world = self._world
        clock = world.clock if caller is None else caller.organization.clock
        at, clocked = clock.now(), stopwatch()
        request, body, answer = call.request, call.read_body or b"", call.answer
        shown = request.shown or _show(request)
        kept = _masked_body(body) if body else b""
        # By place, in the order of the class: by name, this would take three times as long.
        exchange = Exchange(
            at,
            clocked,
            clocked - call.began,
            call.seen,
            None if caller is None else caller.organization.seed.id,
            shown,
            kept,
            len(body),
            None if operation is None else operation.id,
            reply.status,
            None if reply.rule is None else reply.rule.id,
            reply.fault,
            _key(request) if caller is None else caller.id,
            _recovery(caller, call, reply, at) if reply.status == 429 else None,
            None if answer is None else answer.next_page,
            None
            if operation is not None
            else nearest_route(self._contract, request.method, shown.path),
            call.wire,
            shown.weight + len(kept),
        )
        journal = world.unclaimed if caller is None else caller.organization.journal
        if call.caller is None:
            exchange.seen = journal.total
        journal.record(exchange)
        if caller is not None and operation is None:
            world.unclaimed.record(replace(exchange, seen=world.unclaimed.total))
        if self._audience.listeners:
            self._audience.tell(exchange)
        return at

    def _named(self, call: Call) -> Key | None:
        """Return the key of a request that was refused before it was let in, if the world knows it."""
        presented = set(call.request.secrets)
        return self._world.keys.get(presented.pop()) if len(presented) == 1 else None


def _recovery(caller: Key | None, call: Call, reply: Reply, at: float) -> float | None:
    """Return when the organization has room again that refused a request."""
    if caller is None:
        return None
    if call.fault is not None and call.fault.fault.retry_after is not None:
        return at + call.fault.fault.retry_after
    windows = caller.organization.windows
    room = windows.have_room_at  # nothing is used up where a planted fault refused
    return room if room > at else windows.minute.recovers


def _key(request: Request) -> str | None:
    return mark(request.secrets[0]) if request.secrets else None


def mark(secret: str) -> str:
    """Return what tells an unknown key from others in this process, and nothing else about it."""
    # SipHash, keyed by the salt; a digest of hashlib's would bring OpenSSL's 3 MB.
    return f"unknown-{hash(_SALT + secret.encode()) & 0xFFFF_FFFF:08x}"


def _show(request: Request) -> Shown:
    """Return what the journal shows of ``request``, and note it there."""
    shown = _shown(request.method, request.path, request.query_string, request.fields)
    request.shown = shown
    return shown


@lru_cache(maxsize=128)  # clients repeat themselves; a server bounds the size of what they send
def _shown(method: str, path: str, query: str, fields: Fields) -> Shown:
    method, path, (query, is_keyed) = _masked(method)[:20], _masked(path), _masked_query(query)
    headers = _shown_headers(fields)
    sent = {name.lower() for name, value in fields if value}
    places = [place for place in _KEY_HEADERS if place.encode() in sent]
    characters = sum(len(name) + len(value) for name, value in headers.items())
    weight = OVERHEAD + len(path) + len(query) + characters
    return Shown(method, path, query, headers, (*places, *["query"] * is_keyed), weight)


def _shown_headers(fields: Fields) -> Mapping[str, str]:
    shown: dict[str, str] = {}
    for name, value in fields:
        plain = name.decode("latin-1").lower()[:TEXT_KEPT]
        # The server doesn't read names with underscores: they would pass for other ones.
        if not value or plain in _SECRET_NAMES or "_" in plain:
            continue
        if plain in shown or len(shown) < HEADERS_KEPT:
            shown[plain] = _masked(value.decode("latin-1"))
    return shown


def _masked(text: str) -> str:
    return (_KEY.sub(MASK, text) if KEY_PREFIX in text else text)[:TEXT_KEPT]


def _masked_body(body: bytes) -> bytes:
    if _PREFIX_BYTES in body:  # far faster than to let the expression look for it
        body = _KEY_BYTES.sub(MASK.encode(), body)
    return body[:BODY_KEPT]


def _masked_query(query: str) -> tuple[str, bool]:
    """Return the query without keys, and whether there was one."""
    plain = unquote_plus(query)
    if KEY_PREFIX not in plain and _NAMED.search(plain) is None:
        return query[:TEXT_KEPT], False
    pairs = parse_qsl(query, keep_blank_values=True)
    keyed = [name.lower() in _KEY_PARAMETERS or KEY_PREFIX in name + value for name, value in pairs]
    masked = [(_masked(n), MASK if key else v) for key, (n, v) in zip(keyed, pairs, strict=True)]
    return urlencode(masked, safe="*")[:TEXT_KEPT], True
