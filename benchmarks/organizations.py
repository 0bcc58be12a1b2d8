"""What an organization of one's own costs: its making, in process and over HTTP, and its memory.

Run with `python benchmarks/organizations.py`; prints a Markdown table.
Memory is the growth of the process's largest resident size, so it needs a Unix.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from urllib.parse import urlsplit

from werkzeug.test import Client

from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.seeds import OrganizationSeed
from mockserver.server import MockServer

ROUNDS = 300
CROWD = 10_000
LINK = {"name": "Rye and cardamom"}


def in_process(app: MockFlask) -> str:
    """Make an organization and a key; return the key."""
    world = app.mock.world
    return world.add_key(world.add_organization(OrganizationSeed(world.mint_id()))).secret


def over_http(connection: HTTPConnection) -> str:
    """Make an organization and a key in one request; return the key."""
    body = json.dumps({"keys": [{}]})
    connection.request("POST", "/_mock/organizations", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["keys"][0]["key"])


def use(app: MockFlask, key: str) -> None:
    """Read and write as one test would, so that the organization has records and a journal of its own."""
    client, headers = Client(app.wsgi_app), {"X-API-Key": key}
    client.get("/v1/1001/chats", headers=headers).get_data()
    client.post("/v1/1001/tracking-links", headers=headers, json=LINK).get_data()


def times(action: Callable[[], object]) -> list[float]:
    """Return the wall times of ``action`` in milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        action()
        taken.append((time.perf_counter() - begun) * 1_000)
    return taken


def row(what: str, taken: list[float]) -> str:
    """Return a line of the table: median, 99th percentile and the slowest."""
    slow = statistics.quantiles(taken, n=100)[98]
    return f"| {what} | {statistics.median(taken):.2f} ms | {slow:.2f} ms | {max(taken):.2f} ms |"


def resident() -> float:
    """Return the largest resident size of this process so far, in MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / 1_048_576 if sys.platform == "darwin" else size / 1_024


def measured(app: MockFlask, connection: HTTPConnection, among: str) -> list[str]:
    """Return the lines about making one more organization."""
    return [
        row(f"a fresh organization and key, in process, {among}", times(lambda: in_process(app))),
        row(
            f"a fresh organization and key, over HTTP, {among}",
            times(lambda: over_http(connection)),
        ),
    ]


def crowd(app: MockFlask) -> list[tuple[str, float]]:
    """Make the crowd; return what it takes, fresh and after each has read and written."""
    before = resident()
    keys = [in_process(app) for _ in range(CROWD)]
    fresh = resident() - before
    for key in keys:
        use(app, key)
    return [("fresh", fresh), ("after a read and a write each", resident() - before)]


def main() -> None:
    """Measure and print."""
    app = create_app()
    use(app, in_process(app))
    with MockServer(app) as server:
        parts = urlsplit(server.url)
        connection = HTTPConnection(str(parts.hostname), parts.port)
        begun = time.perf_counter()
        over_http(connection)
        first = (time.perf_counter() - begun) * 1_000
        lines = measured(app, connection, "in a small world")
        app.mock.world.reset()
        sizes = crowd(app)
        connection.close()  # it has been idle for too long; the next request opens it again
        lines += measured(app, connection, f"among {CROWD:,}")
        connection.close()
    print("| measured | median | 99th percentile | slowest |\n|---|---|---|---|")
    print("\n".join(lines))
    print(f"| the first one over HTTP, which compiles the API's shapes | {first:.2f} ms | | |")
    print(f"\n| {CROWD:,} organizations | MB |\n|---|---|")
    for what, size in sizes:
        print(f"| {what} | {size:.0f} |")


if __name__ == "__main__":
    main()
