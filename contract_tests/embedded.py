"""The embedded mock: a server on loopback that the gate starts for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contract_tests.profile import Profile
from mockserver.app import create_app
from mockserver.server import MockServer


@contextmanager
def embedded_mock(spec: Path | None = None) -> Iterator[Profile]:
    """Start the mock on a free port and yield its profile; nothing on it is anyone's."""
    app = create_app(spec=spec)
    with MockServer(app, threads=24) as server:
        yield Profile(base_url=server.url, allow_writes=True, control=True)
