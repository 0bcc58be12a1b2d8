"""What the pages cost: the mocked API's CPU with a journal stream open and closed, and each page's weight and first paint.

Run with `python benchmarks/pages.py` on Linux, where `wrk` and `curl` and, for the pages, Playwright and Chromium are; prints Markdown tables.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Response

SERVE = "from mockserver.cli import main; main()"
CALL, KEY = "/v1/1001/chats", "fm_api_test_unlimited"
STREAM = "/_mock/journal/stream"
ROUNDS, SECONDS = 15, 2
LOADS = 5
PAGES = ("/", "/rules", "/docs", "/docs/control", "/_mock/")
RENDERER = "/_pages/swagger-ui/"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """Serve a mock in a process of its own; give its id and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", SERVE, "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        while not answers(port):
            pass
        yield server.pid, port
        server.terminate()


def answers(port: int) -> bool:
    """Whether something listens on ``port``."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def watching(port: int) -> Iterator[None]:
    """Read a stream of the journal until the block ends."""
    command = ["curl", "-sN", f"http://127.0.0.1:{port}{STREAM}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        if reader.stdout is None or reader.stdout.readline() != b": listening\n":
            raise SystemExit("the stream didn't begin")
        drain = threading.Thread(target=reader.stdout.read)
        drain.start()
        yield
        reader.terminate()
        drain.join()


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def per_request(pid: int, port: int, seconds: int = SECONDS) -> float:
    """Call the mocked API over one kept connection; return the server's CPU per request, in microseconds."""
    header = f"Authorization: Bearer {KEY}"
    url = f"http://127.0.0.1:{port}{CALL}"
    command = ["wrk", "-t1", "-c1", f"-d{seconds}s", "-H", header, url]
    before = cpu(pid)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used = cpu(pid) - before
    count = re.search(r"(\d+) requests in", done.stdout)
    if count is None or "Non-2xx" in done.stdout:
        raise SystemExit(done.stdout)
    return used / int(count[1]) * 1_000_000


def streams() -> None:
    """Print the CPU per request with the stream closed and open, in rounds that take turns."""
    closed, opened, ratios = [], [], []
    with serving() as (pid, port):
        per_request(pid, port, 1)
        for _ in range(ROUNDS):
            closed.append(per_request(pid, port))
            with watching(port):
                opened.append(per_request(pid, port))
            ratios.append(opened[-1] / closed[-1])
    print(f"| CPU of the server per request, median of {ROUNDS} | |\n|---|---|")
    print(f"| the journal's stream closed | {statistics.median(closed):.0f} µs |")
    print(f"| the journal's stream open | {statistics.median(opened):.0f} µs |")
    print(f"| ratio, median of the rounds | {statistics.median(ratios):.3f} |")
    print(f"| ratio, lowest and highest round | {min(ratios):.3f} to {max(ratios):.3f} |")
    print()


def load(browser: Browser, url: str) -> tuple[float, int, int]:
    """Load a page with nothing cached; return the time of its first paint in milliseconds, and its sizes in bytes."""
    page = browser.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks its handlers
    page.goto(url)
    page.wait_for_load_state("load")
    painted = page.evaluate(
        "new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))"
        '.observe({ type: "paint", buffered: true }))'
    )
    bodies = [a.body() for a in answers if RENDERER not in a.url and STREAM not in a.url]
    page.close()
    return float(painted), sum(map(len, bodies)), sum(len(gzip.compress(b)) for b in bodies)


def pages() -> None:
    """Print each page's first paint and weight."""
    from playwright.sync_api import sync_playwright

    print(f"| page | first paint, median of {LOADS} | size | gzipped |\n|---|---|---|---|")
    with serving() as (_, port), sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=which("chromium"), args=FLAGS)
        for path in PAGES:
            loads = [load(browser, f"http://127.0.0.1:{port}{path}") for _ in range(LOADS + 1)][1:]
            paint = statistics.median(painted for painted, _, _ in loads)
            _, size, packed = loads[-1]
            print(
                f"| `{path}` | {paint:.0f} ms | {size / 1_000:.0f} KB | {packed / 1_000:.0f} KB |"
            )
        browser.close()


if __name__ == "__main__":
    streams()
    if "--streams" not in sys.argv:
        pages()
