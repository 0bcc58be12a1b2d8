"""A server whose threads give way to each other in the middle of everything that must not be torn."""

from __future__ import annotations

import random
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import (
    audience,
    clock,
    faults,
    journal,
    organizations,
    store,
    windows,
)
from mockserver import (
    world as worlds,
)
from mockserver.resources import deliveries, engine
from mockserver.server import MockServer
from tests.concurrency.clients import Clients

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.world import World

CLIENTS = 8
_FILES = frozenset(
    module.__file__
    for module in (
        audience,
        clock,
        deliveries,
        engine,
        faults,
        journal,
        organizations,
        store,
        windows,
        worlds,
    )
)
_SHARE = 0.1
"""The share of lines after which a thread gives way."""

TraceFunction = Callable[[FrameType, str, Any], Any]

_chance = random.Random(1)  # noqa: S311 - no secret is made from it


def _give_way(frame: FrameType, event: str, argument: Any) -> Any:
    """Trace the modules that hold shared state; without it, threads seldom meet in their few lines."""
    if frame.f_code.co_filename not in _FILES:
        return None
    if event == "line" and _chance.random() < _SHARE:
        select.select([], [], [], 1e-6)  # lets go of the interpreter; 0 would often take it again
    return _give_way


def _give_way_anywhere(frame: FrameType, event: str, argument: Any) -> Any:
    """Trace the same modules, also within a line: what is read there may be written elsewhere meanwhile."""
    if frame.f_code.co_filename not in _FILES:
        return None
    frame.f_trace_opcodes = True
    if event == "opcode" and _chance.random() < _SHARE:
        select.select([], [], [], 1e-6)
    return _give_way_anywhere


@contextmanager
def traced(trace: TraceFunction) -> Iterator[None]:
    """Trace every thread that begins within the block."""
    before = threading.gettrace()
    threading.settrace(trace)
    try:
        yield
    finally:
        threading.settrace(before)


@pytest.fixture(scope="module")
def giving_way() -> Iterator[None]:
    """Let every thread that a test begins give way, wherever it is."""
    with traced(_give_way_anywhere):
        yield


@pytest.fixture(scope="module")
def busy_server(app: MockFlask) -> Iterator[MockServer]:
    """Serve the shared application by threads that give way.

    The server doesn't know that the bare callable is prompt, so each request gets a thread of its own.
    """
    with traced(_give_way), MockServer(app.wsgi_app) as running:
        yield running


@pytest.fixture
def clients(busy_server: MockServer) -> Iterator[Clients]:
    """Return clients of the busy server."""
    found = Clients(busy_server.url, CLIENTS)
    yield found
    found.close()


@pytest.fixture
def world(app: MockFlask) -> World:
    """Return the world of the shared application."""
    return app.mock.world
