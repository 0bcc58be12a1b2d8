"""The embedded mock: a server on loopback that the gate starts for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract_tests.profile import Profile
from mockserver.app import create_app
from mockserver.server import MockServer

_THREADS = 24
"""More than the gate sends with at a time, so that no request waits for another's connection."""


@contextmanager
def embedded_mock(spec: Path | None = None) -> Iterator[Profile]:
    """Start the mock on a free port and yield its profile."""
    with MockServer(create_app(spec=spec), threads=_THREADS) as server:
        yield profile_of(server)


def profile_of(server: MockServer) -> Profile:
    """Return the profile of a mock in this process; nothing on it is anyone's."""
    return Profile(base_url=server.url, allow_writes=True, control=True)
