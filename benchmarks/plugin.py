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

from mockserver.light import create_light_app
from mockserver.server import MockServer

ROUNDS = 15
EMPTY = "def test_nothing():\n    pass\n"
WEIGHED = r"""
import socket

def say(name):
    with open("/proc/self/status") as status:
        print(name, next(line.split()[1] for line in status if line.startswith("VmRSS")))

def status(url, path, key="none"):
    # By hand, for what a client needs for itself (TLS, as a rule) is not the mock's.
    host = url.removeprefix("http://")
    with socket.socket() as client:
        client.connect(("127.0.0.1", int(host.rpartition(":")[2])))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\n\r\n".encode())
        return int(client.recv(1_048_576).split()[1])

def test_nothing():
    say("empty")

def test_world(fansmetric):
    assert status(fansmetric.url, "/health") == 200
    say("served")
    key = fansmetric.org().key()
    assert status(fansmetric.url, "/v1/1001/chats", key) == 200
    say("asked")
    for organization in fansmetric._backend.wsgi.mock.world.organizations.values():
        organization.records(whole=True)
        for account in organization.accounts.values():
            account.records(whole=True)
    say("world")
    assert status(fansmetric.url, "/_mock/clock") == 200
    say("flask")
"""
"""Asks the plugin's server, makes every record of the world, and says what the process weighs in kB."""

_AS_INSTALLED = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": ""}
"""Packages are compiled when they are installed; a compiler at work would weigh 1 MB."""

WEIGHTS = {
    "empty": "memory of pytest and the plugin before its first use",
    "served": "the same with the server in its thread",
    "asked": "the same after a fresh organization, a key and a request",
    "world": "the same with every record of the world made",
    "flask": "the same after a control call over HTTP, which needs Flask",
}


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
    """Return the MB of a pytest process at each of the moments in ``WEIGHTS``."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "test_weight.py").write_text(WEIGHED)
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "mockserver.pytest_plugin"]
        done = subprocess.run(
            command,
            cwd=directory,
            env={**os.environ, **_AS_INSTALLED},
            capture_output=True,
            text=True,
            check=True,
        )
    found = re.findall(rf"({'|'.join(WEIGHTS)}) (\d+)", done.stdout)
    return {name: int(kilobytes) / 1024 for name, kilobytes in found}


def server() -> tuple[float, float]:
    """Return the seconds that starting and stopping the server's thread takes, the world being there."""
    made = MockServer(APP)
    begun = time.perf_counter()
    made.start()
    started = time.perf_counter()
    made.stop()
    return started - begun, time.perf_counter() - started


APP = create_light_app()


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
    for name, measured in WEIGHTS.items():
        print(f"| {measured} | {statistics.median(each[name] for each in rounds):.1f} MB |")


if __name__ == "__main__":
    main()
