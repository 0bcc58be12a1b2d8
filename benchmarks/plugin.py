"""What the pytest plugin costs: a session that doesn't use it, and the server of one that does."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mockserver import create_app
from mockserver.server import MockServer

ROUNDS = 15
EMPTY = "def test_nothing():\n    pass\n"


def session(*options: str) -> float:
    """Return the CPU seconds of a pytest session with one empty test."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "test_empty.py").write_text(EMPTY)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:schemathesis",
            "-p",
            "no:cacheprovider",
        ]
        script = (
            "import os, subprocess, sys\n"
            "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
            "t = os.times(); print(t.children_user + t.children_system)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, *command, *options],
            cwd=directory,
            capture_output=True,
            text=True,
            check=True,
        )
    return float(done.stdout)


def server() -> tuple[float, float]:
    """Return the seconds that starting and stopping the server's thread takes, the world being there."""
    made = MockServer(APP)
    begun = time.perf_counter()
    made.start()
    started = time.perf_counter()
    made.stop()
    return started - begun, time.perf_counter() - started


APP = create_app()


def main() -> None:
    sessions = [(session(), session("-p", "no:fansmetric")) for _ in range(ROUNDS)]
    extra = statistics.median(with_it - without for with_it, without in sessions)
    pairs = [server() for _ in range(ROUNDS)]
    print("| measured | median of", ROUNDS, "|")
    print("|---|---|")
    print(f"| the plugin in a session that doesn't use it, CPU | {extra * 1000:.0f} ms |")
    print(
        f"| the server's thread starts | {statistics.median(p[0] for p in pairs) * 1000:.1f} ms |"
    )
    print(f"| the server's thread stops | {statistics.median(p[1] for p in pairs) * 1000:.1f} ms |")


if __name__ == "__main__":
    main()
