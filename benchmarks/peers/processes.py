"""A server in a process of its own: asked until it answers, weighed by what the kernel counts, stopped."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from benchmarks.peers.calls import Call, ask
from benchmarks.peers.installs import environment, reason

_LONGEST_START = 60
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class NotRunning(Exception):
    """Raised when a server ends, or never gives the awaited answer; the message is what it said."""


class Process:
    """A server's process and its children, which end with the context."""

    def __init__(self, command: Sequence[str], port: int, folder: Path) -> None:
        self.port = port
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # closed when the process is stopped
        self._begun = time.perf_counter()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,  # so that its children can be stopped with it
            )
        except OSError as error:
            raise NotRunning(f"{command[0]}: {error.strerror}") from None

    def await_answer(self, call: Call) -> float:
        """Ask until ``call`` gets its status; return the seconds since the start.

        Raises ``NotRunning`` when the process ends first, or a minute has passed.
        """
        status: int | None = None
        while time.perf_counter() - self._begun < _LONGEST_START:
            with suppress(OSError, http.client.HTTPException):
                status = ask(self.port, call).status
            if status == call.status:
                return time.perf_counter() - self._begun
            self._pause()
        raise NotRunning(f"no {call.status} in {_LONGEST_START} s; the last answer was {status}")

    def _pause(self) -> None:
        try:
            self._process.wait(0.001)
        except subprocess.TimeoutExpired:
            return
        raise NotRunning(reason(self._all_said()))

    def _all_said(self) -> str:
        self._said.seek(0)
        return self._said.read().decode(errors="replace")

    def cpu(self) -> float:
        """Return the seconds of CPU that the process and its children have used."""
        return self._sum(_ticks) / _TICKS

    def resident(self) -> float:
        """Return the memory in MB that the process and its children hold."""
        return self._sum(_pages) * _PAGE / 1e6

    def _sum(self, count: Callable[[int], int]) -> int:
        total = 0
        for pid in self._family():
            with suppress(OSError):  # it has just ended
                total += count(pid)
        return total

    def _family(self) -> list[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
                except OSError:  # it has just ended
                    continue
        family = [self._process.pid]
        for pid in family:
            family += children.get(pid, [])
        return family

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._said.close()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _stat(pid: int) -> list[str]:
    """Return the fields of `/proc/PID/stat` behind the name: state, parent, and so on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _ticks(pid: int) -> int:
    # utime, stime, and those of children that have ended
    return sum(map(int, _stat(pid)[11:15]))


def _pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
