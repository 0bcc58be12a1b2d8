"""The journals as they are written, as server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from mockserver.audience import Busy, Listener
from mockserver.call import step_aside
from mockserver.control.asked import Answer, Asked, Routes
from mockserver.control.journals import shown_exchange
from mockserver.journal import Exchange, Query
from mockserver.nearest import operation_named

EVENTS_TYPE = "text/event-stream"

_HEARTBEAT = 1.0
"""Seconds after which a comment is sent: a client that hung up is noticed by that, and its place is free."""


def stream_journal(asked: Asked) -> Any:
    """Send every exchange from now on that the query matches. Raises ``Busy`` when no thread is left for it."""
    organization, query = asked.query["organization"], _query(asked)
    if organization is not None:
        asked.organization(organization)  # refuses one that isn't there
    headers = {"Cache-Control": "no-store"}
    if asked.sent.method == "HEAD":
        return Answer(b"", content_type=EVENTS_TYPE, headers=headers)

    def wants(exchange: Exchange) -> bool:
        return organization in (None, exchange.organization) and query.matches(exchange)

    if not step_aside(asked.sent.environ):  # the thread that waits for all clients would wait here
        raise Busy("all threads of the server are busy; ask again soon")
    audience = asked.mock.audience
    is_open = organization is None and query == Query()  # asking each would cost who is answered
    listener = audience.join(None if is_open else wants)
    return Answer(
        _events(listener),
        content_type=EVENTS_TYPE,
        headers=headers,
        close=lambda: audience.leave(listener),
    )


def _query(asked: Asked) -> Query:
    operation, status = asked.query["operation"], asked.query["status"]
    if operation is not None:
        operation = operation_named(asked.mock.contract, operation).id
    return Query(operation=operation, status=status)


def _events(listener: Listener) -> Iterator[bytes]:
    yield b": listening\n\n"
    while (news := listener.take(_HEARTBEAT)) is not None:
        if news.missed:
            yield b'event: missed\ndata: {"count":%d}\n\n' % news.missed
        yield b"".join(map(_event, news.exchanges)) or b":\n\n"


def _event(exchange: Exchange) -> bytes:
    return b"data: " + orjson.dumps(shown_exchange(exchange)) + b"\n\n"


ROUTES: Routes = (("/journal/stream", "GET", stream_journal),)
