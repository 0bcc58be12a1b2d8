"""One load with wrk: 16 connections that stay open, one request over and over."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.calls import Call

CONNECTIONS = 16
_GRACE = 4
"""Seconds that wrk may take beyond the load."""

_SCRIPT = Path(__file__).parent / "parts" / "load.lua"


class WrkFailed(Exception):
    """Raised when wrk isn't there, or gave no figures."""


@dataclass(frozen=True)
class Load:
    """What came of a load; latencies in milliseconds, and the whole time where nothing was answered."""

    requests: int
    seconds: float
    refused: int
    """Answers with a status of 400 or more."""
    broken: int
    """Connections, reads and writes that failed, and requests that got no answer in time."""
    p50: float
    p99: float

    def unexpected(self, call: Call) -> int:
        """Return how many requests did not get the status of ``call``, as far as wrk tells them apart."""
        wrong = self.requests - self.refused if call.status >= 400 else self.refused
        return wrong + self.broken


def check_wrk() -> str:
    """Return the version of wrk. Raises ``WrkFailed`` with what to do when it isn't there."""
    said = subprocess.run([_wrk(), "-v"], capture_output=True, text=True, check=False).stdout
    return " ".join(said.split()[:2])


def _wrk() -> str:
    found = shutil.which("wrk")
    if found is None:
        raise WrkFailed("wrk is needed: `apt install wrk` on Debian, `brew install wrk` on macOS")
    return found


def load(port: int, call: Call, seconds: int) -> Load:
    """Send ``call`` to a local port for so many seconds. Raises ``WrkFailed``."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as body:
        body.write(call.body)
        body.flush()
        headers = [f"{name}: {value}" for name, value in call.headers.items()]
        options = [f"-c{CONNECTIONS}", "-t1", f"-d{seconds}s", f"--script={_SCRIPT}"]
        target = [f"http://127.0.0.1:{port}{call.path}", "--", call.method, body.name]
        return _run([_wrk(), *options, *target, *headers], seconds)


def _run(command: list[str], seconds: int) -> Load:
    unheard = Load(0, seconds, 0, CONNECTIONS, seconds * 1e3, seconds * 1e3)
    try:
        # A server that takes no more connections would hold wrk for two minutes.
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + _GRACE
        )
    except subprocess.TimeoutExpired:
        return unheard
    said = done.stdout + done.stderr
    if "unable to connect" in said:
        return unheard
    return parse(said)


def parse(output: str) -> Load:
    """Return the figures in the last line of what wrk printed. Raises ``WrkFailed`` when there are none."""
    lines = output.strip().splitlines()
    try:
        said = json.loads(lines[-1])
        seconds = said["duration"] / 1e6
        # Of no answers wrk says that they took no time.
        p50, p99 = (said["p50"], said["p99"]) if said["requests"] else (seconds * 1e6,) * 2
        return Load(
            requests=said["requests"],
            seconds=seconds,
            refused=said["status"],
            broken=said["connect"] + said["read"] + said["write"] + said["timeout"],
            p50=p50 / 1e3,
            p99=p99 / 1e3,
        )
    except (IndexError, KeyError, TypeError, ValueError):
        raise WrkFailed(f"wrk gave no figures: {output.strip()!r}") from None
