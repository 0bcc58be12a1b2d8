"""The same mock under every WSGI server in question: what a request costs, and what each server lets through.

Run with `python -m benchmarks.servers`; needs Linux and wrk. It installs the servers in the user's cache and
prints a Markdown table of medians over interleaved rounds.
"""

from __future__ import annotations

import socket
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tabulate import tabulate

from benchmarks.peers.calls import KEY, LIST_CHATS
from benchmarks.peers.installs import NotInstalled, Pip, default_cache, install
from benchmarks.peers.processes import NotRunning, Process, free_port
from benchmarks.peers.wrk import Load, load

ROUNDS, SECONDS = 3, 3
MOCKED = Path(__file__).parent / "peers" / "parts" / "mocked.py"
ROOT = Path(__file__).parent.parent

PINNED = {
    "ours": None,
    "ours_over_wsgi": None,
    "cheroot": "cheroot==11.1.2",
    "waitress": "waitress==3.0.2",
    "gunicorn": "gunicorn==27.0.1",
    "granian": "granian==2.8.7",
    "fastwsgi": "fastwsgi==0.0.9",
    "bjoern": "bjoern==3.2.2",
    "werkzeug": None,
}
"""The servers, each with what installs it; ours and Flask's own are there."""

PRESENT = {
    "ours": "mockserver.serving",
    "ours_over_wsgi": "mockserver.serving, over WSGI",
    "werkzeug": "flask run",
}
"""The names of those that need no installing."""

_POST = b"POST /v1/1001/tags HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
ODD = (
    _POST + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
    _POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    _POST + b"Content-Length: +0\r\n\r\n",
    _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\nX-A: b\r\nConnection: close\r\n\r\n",
    b"GET /v1/accounts HTTP/1.1\r\nHost: x\r\nX_API_Key: " + KEY.encode() + b"\r\n"
    b"Connection: close\r\n\r\n",
)
"""Requests that another reader could take for something else, and one whose header only looks like the key's."""

SLOW = 200
"""Clients that have sent half a body."""


@dataclass
class Seen:
    """What was seen of one server."""

    name: str
    command: list[str] = field(default_factory=list)
    failure: str = ""
    loads: list[tuple[Load, float]] = field(default_factory=list)
    resident: float = 0.0
    probes: tuple[str, str] = ("", "")


def prepared(name: str, requirement: str | None) -> Seen:
    """Install a server; one that can't be installed says why."""
    path = [str(ROOT)]
    if requirement is not None:
        try:
            folder = install(Pip(requirement), default_cache())
        except NotInstalled as reason:
            return Seen(name, failure=str(reason))
        path += map(str, folder.glob("lib/python*/site-packages"))
    return Seen(name, ["env", f"PYTHONPATH={':'.join(path)}", sys.executable, str(MOCKED), name])


def told(port: int, data: bytes) -> bytes:
    """Return what a server answers to ``data``, as far as it comes within two seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while block := connection.recv(65_536):
                answer += block
        except OSError:
            return answer
        return answer


def refused_flat(port: int) -> str:
    """Return how many of the odd requests are refused, and how many of them in the API's own form."""
    answers = [told(port, data) for data in ODD]
    refused = [answer for answer in answers if answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))]
    flat = [answer for answer in refused if b'{"error":' in answer]
    return f"{len(refused)} of {len(ODD)}, {len(flat)} flat"


def serves_beside_slow_clients(port: int) -> str:
    """Return whether another client is served while many send half a body."""
    half = _POST + f"X-API-Key: {KEY}\r\nContent-Type: application/json\r\n".encode()
    with ExitStack() as stack:
        for _ in range(SLOW):
            connection = socket.create_connection(("127.0.0.1", port), timeout=5)
            stack.enter_context(connection).sendall(half + b"Content-Length: 20\r\n\r\n{")
        health = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        return "yes" if b" 200 " in told(port, health)[:20] else "no"


def run(seen: Seen, action: Callable[[Process], None]) -> None:
    """Start a server for ``action``; one that fails says why."""
    port = free_port()
    try:
        with Process([*seen.command, str(port)], port, ROOT) as process:
            process.await_answer(LIST_CHATS)
            action(process)
    except (NotRunning, OSError) as error:
        seen.failure = str(error)


def measured(seen: Seen) -> None:
    """Load a server once."""

    def loaded(process: Process) -> None:
        load(process.port, LIST_CHATS, 1)
        before = process.cpu()
        found = load(process.port, LIST_CHATS, SECONDS)
        seen.loads.append((found, process.cpu() - before))
        seen.resident = process.resident()

    run(seen, loaded)


def probed(seen: Seen) -> None:
    """Send a server what no honest client sends."""

    def sent(process: Process) -> None:
        seen.probes = refused_flat(process.port), serves_beside_slow_clients(process.port)

    run(seen, sent)


def row(seen: Seen) -> list[str]:
    """Return the line of the table for one server."""
    name = PINNED[seen.name] or PRESENT[seen.name]
    if not seen.loads:
        return [name, seen.failure[:90]]
    costs = [cpu / found.requests * 1e6 for found, cpu in seen.loads if found.requests]
    rates = [found.requests / found.seconds for found, _ in seen.loads]
    last = [found.p99 for found, _ in seen.loads]
    return [
        name,
        f"{statistics.median(costs):.0f} µs" if costs else "-",
        f"{statistics.median(rates):,.0f}",
        f"{statistics.median(last):.1f} ms",
        f"{seen.resident:.0f} MB",
        *seen.probes,
    ]


def main() -> None:
    servers = [prepared(name, requirement) for name, requirement in PINNED.items()]
    able = [seen for seen in servers if not seen.failure]
    for _ in range(ROUNDS):
        for seen in able:
            measured(seen)
    for seen in able:
        probed(seen)
    head = ("server", "CPU per request", "requests/s", "p99", "memory")
    tried = ("odd requests refused", f"serves beside {SLOW} slow clients")
    print(tabulate([row(seen) for seen in servers], [*head, *tried], tablefmt="github"))


if __name__ == "__main__":
    main()
