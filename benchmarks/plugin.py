"""What the pytest plugin costs: a session that doesn't use it, and the server and the memory of one that does.

Memory is read from `/proc`, so this needs Linux.
"""

from __future__ import annotations

import os
import re
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
WEIGHED = """
def weight():
    with open("/proc/self/status") as status:
        return next(line.split()[1] for line in status if line.startswith("VmRSS"))

def test_nothing():
    print("empty", weight())

def test_world(fansmetric):
    import urllib.request
    assert urllib.request.urlopen(fansmetric.url + "/health").status == 200
    print("served", weight())
    for organization in fansmetric.app.mock.world.organizations.values():
        organization.records(whole=True)
        for account in organization.accounts.values():
            account.records(whole=True)
    print("world", weight())
"""
"""Makes every record of the world on the plugin's server, and says what the process weighs in kB."""


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


def weights() -> dict[str, float]:
    """Return the MB of a pytest process before the plugin is used, with its server, and with the full world."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "test_weight.py").write_text(WEIGHED)
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "mockserver.pytest_plugin"]
        done = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.findall(r"(empty|served|world) (\d+)", done.stdout)
    return {name: int(kilobytes) / 1024 for name, kilobytes in found}


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
    rounds = [weights() for _ in range(3)]
    empty, served, world = (
        statistics.median(weight[name] for weight in rounds)
        for name in ("empty", "served", "world")
    )
    print(f"| memory of pytest and the plugin before its first use | {empty:.1f} MB |")
    print(f"| the same with the server in its thread | {served:.1f} MB |")
    print(f"| the same with every record of the world made | {world:.1f} MB |")


if __name__ == "__main__":
    main()
