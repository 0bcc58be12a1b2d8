"""How long the mock takes to start: from the shell to the first 200, beside `import flask`.

Run with `python benchmarks/start.py` where the package is installed; prints a Markdown table of medians over interleaved rounds.
"""

from __future__ import annotations

import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from mockserver.cache import CACHE_VARIABLE
from mockserver.contract import load_contract

ROUNDS = 7
SERVE = "from mockserver.cli import main; main()"


def import_flask() -> None:
    """Run `python -c "import flask"`."""
    subprocess.run([sys.executable, "-c", "import flask"], check=True)


def first_answer() -> None:
    """Start `mockserver serve` and ask until it answers 200."""
    port = free_port()
    command = [sys.executable, "-c", SERVE, "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        while not answers(port):
            pass
        server.terminate()


def answers(port: int) -> bool:
    """Whether `GET /health` gives 200."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def timed(action: Callable[[], object]) -> float:
    """Return the wall time of ``action`` in milliseconds."""
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def load_cold() -> float:
    """Return the time of loading the contract with an empty cache, in milliseconds."""
    with tempfile.TemporaryDirectory() as empty:
        return timed_load(empty)


def timed_load(cache: str) -> float:
    """Return the time of loading the contract with a cache directory, in milliseconds."""
    before = os.environ.get(CACHE_VARIABLE)
    os.environ[CACHE_VARIABLE] = cache
    try:
        return timed(load_contract)
    finally:
        if before is None:
            del os.environ[CACHE_VARIABLE]
        else:
            os.environ[CACHE_VARIABLE] = before


def main() -> None:
    """Measure and print."""
    operations = len(load_contract())
    flask, served, cold, warm = [], [], [], []
    with tempfile.TemporaryDirectory() as cache:
        timed_load(cache)
        for _ in range(ROUNDS):
            flask.append(timed(import_flask))
            served.append(timed(first_answer))
            cold.append(load_cold())
            warm.append(timed_load(cache))
    ratio = statistics.median(served) / statistics.median(flask)
    print("| measured | median of", ROUNDS, "|\n|---|---|")
    print(f'| `python -c "import flask"` | {statistics.median(flask):.0f} ms |')
    print(f"| `mockserver serve` to the first 200 | {statistics.median(served):.0f} ms |")
    print(f"| ratio | {ratio:.2f} |")
    print(f"| loading {operations} operations, first time | {statistics.median(cold):.0f} ms |")
    print(f"| loading {operations} operations, afterwards | {statistics.median(warm):.1f} ms |")


if __name__ == "__main__":
    main()
