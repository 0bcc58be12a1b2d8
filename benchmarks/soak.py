"""A long run over many kept connections, after which nothing may be lost, counted twice or piled up.

Run with `python benchmarks/soak.py` where the package is installed; `--requests 10000000` for the long one.
It starts `mockserver serve`, lets client processes ask a few organizations as fast as they can, and compares
every reported headroom with the numbers that must come up. It reads /proc, so it needs Linux.
Prints a Markdown table, and JSON below it; the exit code is 1 when something doesn't add up.
"""

from __future__ import annotations

import argparse
import json
import re
import selectors
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeAlias
from urllib.request import Request, urlopen

SERVE = "from mockserver.cli import main; main()"
PROCESSES = 2
ORGANIZATIONS = 4
LIMIT = 1_000_000_000
MIDNIGHT = "2026-01-31T00:00:00Z"
TOLERANCE = 0.05
"""How much the server's memory may differ from the least, after the first tenth."""

ROUND = [
    "GET /v1/accounts",
    "GET /v1/1001/chats?limit=10",
    "GET /v1/1001/tags",
    "GET /v1/1001/tracking-links?limit=5",
    "GET /v1/1001/vault/lists",
    "POST /v1/1001/chats/50001/mute",
    "GET /v1/1001/chats?limit=10&offset=10",
    "GET /v1/1001/me",
]
"""What each client asks, again and again: seven reads and a write."""

Heard: TypeAlias = "list[tuple[array[int], array[int]]]"
"""For each connection, what its answers said to be left of the minute and of the day."""

Memory = list[tuple[float, int]]
"""Seconds since the beginning, and the server's resident size in KB."""

_LEFT = re.compile(rb'"remaining_minute":(\d+),.*?"remaining_day":(\d+)')
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)")


@dataclass(frozen=True, slots=True)
class Organization:
    """One of the organizations that are asked."""

    id: str
    key: str
    stands: bool
    """Whether its clock stands, so that its minute never ends."""


class Client:
    """One connection, which has one request on its way."""

    def __init__(self, port: int, key: str, count: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {key}\r\n"
        self.requests = [
            f"{line}{head}{'Content-Length: 0' + chr(13) + chr(10) if line[0] == 'P' else ''}\r\n".encode()
            for line in ROUND
        ]
        self.left, self.sent = count, 0
        self.answer = b""
        self.minutes, self.days = array("I"), array("I")

    def ask(self) -> bool:
        """Send the next request; return whether there was one."""
        if self.sent == self.left:
            return False
        self.socket.sendall(self.requests[self.sent % len(ROUND)])
        self.sent += 1
        return True

    def hear(self) -> bool:
        """Take what came; return whether the answer is whole, and note what it reports."""
        part = self.socket.recv(65_536)
        if not part:
            raise ConnectionError(f"the connection ended after {self.sent:,} requests")
        self.answer += part
        end = self.answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(self.answer, 0, end)
        if length is None or len(self.answer) < end + 4 + int(length[1]):
            return False
        found = _LEFT.search(self.answer, end)
        if not self.answer.startswith(b"HTTP/1.1 200 ") or found is None:
            raise ValueError(f"no success: {self.answer[:300]!r}")
        self.minutes.append(int(found[1]))
        self.days.append(int(found[2]))
        self.answer = b""
        return True


def play(pipe: Connection, port: int, keys: Sequence[str], counts: Sequence[int]) -> None:
    """Be one process of clients, a connection for each key, and send back what each reported."""
    clients = [Client(port, key, count) for key, count in zip(keys, counts, strict=True)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            if client.ask():
                selector.register(client.socket, selectors.EVENT_READ, client)
        while selector.get_map():
            for ready, _ in selector.select():
                if ready.data.hear() and not ready.data.ask():
                    selector.unregister(ready.fileobj)
    pipe.send([(c.minutes.tobytes(), c.days.tobytes()) for c in clients])
    pipe.close()


@contextmanager
def served() -> Iterator[tuple[int, int]]:
    """Serve the mock in a process of its own; give its port and its process id."""
    command = [sys.executable, "-u", "-c", SERVE, "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        lines = iter(server.stdout or ())
        try:
            port = next(
                int(m[1]) for line in lines if (m := re.search(r"http://[^ :]+:(\d+) ", line))
            )
            yield port, server.pid
        finally:
            server.terminate()


def control(port: int, method: str, path: str, body: Any = None) -> Any:
    """Ask the control API."""
    request = Request(
        f"http://127.0.0.1:{port}/_mock/organizations{path}",
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def organization(port: int, number: int) -> Organization:
    """Make an organization; the clocks of every other one stand, the rest run from midnight."""
    body = {"limit_minute": LIMIT, "limit_day": LIMIT, "keys": [{}]}
    made = control(port, "POST", "", body)
    control(port, "POST", f"/{made['id']}/clock", {"freeze": MIDNIGHT})
    stands = number % 2 == 0
    if not stands:
        control(port, "POST", f"/{made['id']}/clock", {"run": True})
    return Organization(made["id"], made["keys"][0]["key"], stands)


def resident(pid: int) -> int:
    """Return the resident size of a process, in KB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def drive(port: int, pid: int, keys: Sequence[str], counts: Sequence[int]) -> tuple[Heard, Memory]:
    """Let the processes play; return what each connection heard, and the server's memory over time."""
    context = get_context("spawn")
    playing: dict[Connection, int] = {}
    for first in range(PROCESSES):
        theirs, ours = context.Pipe()
        mine = (keys[first::PROCESSES], counts[first::PROCESSES])
        context.Process(target=play, args=(ours, port, *mine)).start()
        ours.close()
        playing[theirs] = first
    begun, memory = time.perf_counter(), []
    heard: dict[int, tuple[array[int], array[int]]] = {}
    while playing:
        for pipe in wait(list(playing), timeout=1):
            assert isinstance(pipe, Connection)  # noqa: S101 - nothing else was waited for
            first = playing.pop(pipe)
            for at, (minutes, days) in enumerate(pipe.recv()):
                heard[first + at * PROCESSES] = array("I", minutes), array("I", days)
        memory.append((time.perf_counter() - begun, resident(pid)))
    return [heard[at] for at in range(len(keys))], memory


def faults_of(
    port: int, owner: Organization, minutes: array[int], days: array[int], seconds: float
) -> list[str]:
    """Return what doesn't add up in what an organization's clients heard."""
    count, found = len(days), []
    order = sorted(range(count), key=days.__getitem__, reverse=True)
    if [days[at] for at in order] != list(range(LIMIT - 1, LIMIT - 1 - count, -1)):
        found.append(f"{count - len(set(days)):,} headrooms of the day are told twice or missing")
    told = [minutes[at] for at in order]
    restarts = sum(1 for before, here in pairwise(told) if here != before - 1)
    if restarts > (0 if owner.stands else seconds // 60 + 1):
        found.append(f"the minute began anew {restarts} times in {seconds:.0f} s")
    if any(here not in (before - 1, LIMIT - 1) for before, here in pairwise(told)):
        found.append("a minute's headroom is told twice or missing")
    left = control(port, "GET", f"/{owner.id}/headroom")["remaining_day"]
    if left != LIMIT - count:
        found.append(f"{count:,} were answered, {LIMIT - left:,} were taken")
    total = control(port, "GET", f"/{owner.id}/journal?limit=1")["total"]
    if total != count:
        found.append(f"{count:,} were answered, {total:,} stand in the journal")
    return [f"{owner.id}: {line}" for line in found]


def soak(requests: int, connections: int) -> dict[str, Any]:
    """Run it; return the figures."""
    with served() as (port, pid):
        owners = [organization(port, number) for number in range(ORGANIZATIONS)]
        shared = [owners[at % ORGANIZATIONS] for at in range(connections)]
        counts = [
            requests // connections + (at < requests % connections) for at in range(connections)
        ]
        begun = time.perf_counter()
        answers, memory = drive(port, pid, [owner.key for owner in shared], counts)
        seconds = time.perf_counter() - begun
        faults = []
        for owner in owners:
            minutes, days = array("I"), array("I")
            for its_owner, (its_minutes, its_days) in zip(shared, answers, strict=True):
                if its_owner is owner:
                    minutes.extend(its_minutes)
                    days.extend(its_days)
            faults += faults_of(port, owner, minutes, days, seconds)
    later = [size for at, size in memory if at >= memory[-1][0] / 10]
    growth = max(later) / min(later) - 1
    if growth > TOLERANCE:
        faults.append(f"the server's memory grew by {growth:.1%} after the first tenth")
    return {
        "requests": sum(len(days) for _, days in answers),
        "connections": connections,
        "organizations": ORGANIZATIONS,
        "seconds": round(seconds, 1),
        "per_second": round(requests / seconds),
        "rss_mb_after_a_tenth": round(later[0] / 1024, 1),
        "rss_mb_at_the_end": round(later[-1] / 1024, 1),
        "rss_spread": round(growth, 4),
        "faults": faults,
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    found = soak(options.requests, options.connections)
    rows = {
        "requests, all answered with 200": f"{found['requests']:,}",
        "kept connections": found["connections"],
        "organizations": found["organizations"],
        "seconds": found["seconds"],
        "requests a second": f"{found['per_second']:,}",
        "what doesn't add up": "\n".join(found["faults"]) or "nothing",
        "server's memory after a tenth": f"{found['rss_mb_after_a_tenth']} MB",
        "server's memory at the end": f"{found['rss_mb_at_the_end']} MB",
        "most over least after a tenth": f"{found['rss_spread']:.1%}",
    }
    print("| measured | value |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    print(f"\n{json.dumps(found, indent=2)}")
    sys.exit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
