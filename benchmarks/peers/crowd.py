"""Clients that cost a server its patience: idle connections, and slow ones that send byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

IDLE, SLOW = 1000, 200
_PAUSE = 0.5
"""Seconds between two bytes of a slow client."""

_PATIENCE = 2
"""Seconds until a connection must have been taken."""

_HEAD = (
    b"POST /v1/1001/chats/50001/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1024\r\n"
)
_END = b"Content-Type: application/json\r\n\r\n"
_BODY = b'{"text": "' + b"a" * 1012 + b'"}'

_Result = TypeVar("_Result")
_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def beside(
    port: int, action: Callable[[], _Result], idlers: int = IDLE, drippers: int = SLOW
) -> tuple[_Result, int, int]:
    """Run ``action`` beside a crowd; return its result, and how many idle and slow clients were still connected."""
    idle = await _connect(port, idlers)
    slow = await _connect(port, drippers)
    drips = [asyncio.create_task(_drip(writer, number)) for number, (_, writer) in enumerate(slow)]
    try:
        result = await asyncio.to_thread(action)
        return result, _held(idle), _held(slow)
    finally:
        for drip in drips:
            drip.cancel()
        for _, writer in (*idle, *slow):
            writer.close()


async def _connect(port: int, clients: int) -> list[_Stream]:
    """Open so many connections at once; one that isn't taken in time is left out."""
    opened = await asyncio.gather(*(_open(port) for _ in range(clients)))
    return [stream for stream in opened if stream is not None]


async def _open(port: int) -> _Stream | None:
    try:
        return await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), _PATIENCE)
    except (OSError, TimeoutError):
        return None


async def _drip(writer: asyncio.StreamWriter, number: int) -> None:
    """Send a request slowly: every other client sends its head at once, and its body slowly."""
    at_once, slowly = (_HEAD, _END + _BODY) if number % 2 else (_HEAD + _END, _BODY)
    with suppress(OSError):
        writer.write(at_once)
        for byte in slowly:
            await writer.drain()
            await asyncio.sleep(_PAUSE)
            writer.write(bytes([byte]))


def _held(streams: list[_Stream]) -> int:
    return sum(not reader.at_eof() and reader.exception() is None for reader, _ in streams)
