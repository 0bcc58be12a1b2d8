"""The embedded mock: a server on loopback that the gate starts for itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from contract_tests.profile import Profile
from mockserver.app import create_app
from mockserver.errors import SuiteError, Unavailable
from mockserver.server import MockServer


@contextmanager
def embedded_mock(spec: Path | None = None) -> Iterator[Profile]:
    """Start the mock on a free port, in a process of its own, and yield its profile.

    With a process of its own it doesn't share an interpreter with the gate, which then has a core to itself.
    Raises ``SuiteError`` when it can't serve ``spec``, ``Unavailable`` when it doesn't start at all.
    """
    # glibc would keep freed bodies of a megabyte for later; mallopt(3). It reads this when a process starts.
    os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "131072")
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, spec), daemon=True)
    process.start()
    there.close()
    try:
        try:
            url = here.recv()
        except EOFError:
            raise Unavailable("the embedded mock did not start") from None
        if isinstance(url, SuiteError):
            raise url
        yield Profile(base_url=url, allow_writes=True, control=True)
    finally:
        here.close()
        process.join(timeout=5)
        process.kill()


def _serve(parent: Connection, spec: Path | None) -> None:
    """Serve until the parent closes its end, also when it dies."""
    leave_interrupts_to_the_parent()
    try:
        app = create_app(spec=spec)
    except SuiteError as error:
        parent.send(error)
        return
    with MockServer(app) as server:
        parent.send(server.url)
        try:
            parent.recv()
        except EOFError:
            return


def leave_interrupts_to_the_parent() -> None:
    """Ignore Ctrl-C in this process: a terminal sends it to all, and the parent decides what ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def profile_of(server: MockServer) -> Profile:
    """Return the profile of a mock in this process; nothing on it is anyone's."""
    return Profile(base_url=server.url, allow_writes=True, control=True)
