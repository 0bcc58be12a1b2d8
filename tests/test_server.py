"""The server's own life: it starts and ends with the process that holds it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mockserver

FORGETFUL = """
from http.client import HTTPConnection

from mockserver import create_app
from mockserver.server import MockServer

server = MockServer(create_app()).start()
connection = HTTPConnection(server.url.removeprefix("http://"), timeout=20)
connection.request("GET", "/health")
print(connection.getresponse().status)
"""


def test_a_server_that_nobody_stops_ends_with_its_process() -> None:
    """A forgotten `stop` doesn't keep the interpreter alive, not even with an open connection."""
    root = Path(mockserver.__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-c", FORGETFUL],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (0, "200\n", "") == (ended.returncode, ended.stdout, ended.stderr)
