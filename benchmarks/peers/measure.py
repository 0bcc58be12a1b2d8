"""Interleaved rounds: in each of them every server is started, loaded, and crowded once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPException
from statistics import median

from benchmarks.peers import crowd
from benchmarks.peers.calls import LIST, Call, ask
from benchmarks.peers.installs import NotInstalled, environment
from benchmarks.peers.processes import NotRunning, Process, free_port
from benchmarks.peers.report import CallFigures, CrowdFigures, ServerFigures
from benchmarks.peers.servers import Place, Server
from benchmarks.peers.wrk import Load, load

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """How often and how long."""

    rounds: int
    seconds: int
    place: Place
    say: Say


@dataclass
class Subject:
    """A server and what was seen of it."""

    server: Server
    failure: str | None = None
    calls: Mapping[str, Call] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    loads: dict[str, list[tuple[Load, float]]] = field(default_factory=dict)
    """Each load with the CPU seconds that the server used."""
    answers: dict[str, tuple[int, int, bool]] = field(default_factory=dict)
    alone: list[Load] = field(default_factory=list)
    beside: list[tuple[Load, int, int]] = field(default_factory=list)


def installed(servers: Sequence[Server], plan: Plan) -> list[Subject]:
    """Install every server; one that can't be installed carries the reason."""
    subjects = [Subject(server) for server in servers]
    for subject in subjects:
        plan.say(f"installing {subject.server.name}")
        try:
            subject.server.install(plan.place)
        except NotInstalled as reason:
            subject.failure = str(reason)
    return subjects


def started(server: Server, place: Place) -> tuple[Process, float]:
    """Start ``server``; return its process and the seconds to the first answer. Raises ``NotRunning``."""
    port = free_port()
    process = Process(server.command(port, place), port, place.work)
    try:
        return process, process.await_answer(server.calls[LIST])
    except BaseException:
        process.__exit__(None, None, None)
        raise


def measure_starts(subjects: Sequence[Subject], plan: Plan, times: int) -> float:
    """Start each server so many times in turn; return the median seconds of `import flask` between them.

    The first failure of a server is its last start.
    """
    flask = []
    for number in range(times):
        plan.say(f"starts: round {number + 1} of {times}")
        flask.append(_import_flask())
        for subject in subjects:
            if subject.failure is None:
                try:
                    process, seconds = started(subject.server, plan.place)
                except NotRunning as reason:
                    subject.failure = str(reason)
                    continue
                with process:
                    subject.starts.append(seconds)
    return median(flask)


def _import_flask() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import flask"], env=environment(), check=True)
    return time.perf_counter() - begun


def measure_loads(subjects: Sequence[Subject], plan: Plan) -> None:
    """Run all servers at once, and send each of their calls to one of them at a time."""
    with ExitStack() as stack:
        running = _all_running(subjects, plan, stack)
        for number in range(plan.rounds):
            plan.say(f"loads: round {number + 1} of {plan.rounds}")
            for subject, process in running:
                _load_all(subject, process, plan.seconds)
        for number in range(plan.rounds):
            plan.say(f"crowds: round {number + 1} of {plan.rounds}")
            for subject, process in running:
                _crowd(subject, process, plan.seconds)


def _all_running(
    subjects: Sequence[Subject], plan: Plan, stack: ExitStack
) -> list[tuple[Subject, Process]]:
    """Start and furnish every server until ``stack`` is left; one that fails now carries the reason."""
    running = []
    for subject in subjects:
        if subject.failure is None:
            try:
                process, _ = started(subject.server, plan.place)
                stack.enter_context(process)
                _furnish(subject, process)
                running.append((subject, process))
            except (NotRunning, OSError, HTTPException) as reason:
                subject.failure = str(reason)
    return running


def _furnish(subject: Subject, process: Process) -> None:
    """Ask for each call once, so that a wrong status is seen, and warm the server up."""
    subject.calls = subject.server.furnish(process.port)
    for name, call in subject.calls.items():
        answer = ask(process.port, call)
        subject.answers[name] = (answer.status, len(answer.body), answer.keeps)
    load(process.port, subject.calls[LIST], 1)


def _load_all(subject: Subject, process: Process, seconds: int) -> None:
    subject.server.refresh(process.port)
    for name, call in subject.calls.items():
        done = weighed(process, call, seconds)
        subject.loads.setdefault(name, []).append(done)
        if name == LIST:
            subject.resident.append(process.resident())


def weighed(process: Process, call: Call, seconds: int) -> tuple[Load, float]:
    """Return a load, and the CPU seconds that the server used for it."""
    before = process.cpu()
    done = load(process.port, call, seconds)
    return done, process.cpu() - before


def _crowd(subject: Subject, process: Process, seconds: int) -> None:
    def once() -> Load:
        return load(process.port, subject.calls[LIST], seconds)

    subject.alone.append(once())
    subject.beside.append(asyncio.run(crowd.beside(process.port, once)))


def figures(subject: Subject) -> ServerFigures:
    """Return the medians of what was seen of a server."""
    server = subject.server
    return {
        "name": server.name,
        "version": server.version,
        "spec": server.spec,
        "enforces": server.enforces,
        "failure": subject.failure,
        "start_s": median(subject.starts) if subject.starts else None,
        "resident_mb": subject.resident[0] if subject.resident else None,
        "calls": {name: _call_figures(subject, name) for name in subject.loads},
        "crowd": _crowd_figures(subject) if subject.beside else None,
    }


def _call_figures(subject: Subject, name: str) -> CallFigures:
    status, size, keeps = subject.answers[name]
    rounds = subject.loads[name]
    costs = [cpu / max(1, done.requests) * 1e6 for done, cpu in rounds]
    return {
        "status": status,
        "bytes": size,
        "keeps_connections": keeps,
        "unexpected": sum(done.unexpected(subject.calls[name]) for done, _ in rounds),
        "cpu_us": median(costs),
        "cpu_us_of_rounds": costs,
        "per_second": median(done.requests / done.seconds for done, _ in rounds),
        "p50_ms": median(done.p50 for done, _ in rounds),
        "p99_ms": median(done.p99 for done, _ in rounds),
    }


def _crowd_figures(subject: Subject) -> CrowdFigures:
    return {
        "alone_p99_ms": median(done.p99 for done in subject.alone),
        "beside_p99_ms": median(done.p99 for done, _, _ in subject.beside),
        "alone_per_second": median(done.requests / done.seconds for done in subject.alone),
        "beside_per_second": median(done.requests / done.seconds for done, _, _ in subject.beside),
        "idle_held": min(idle for _, idle, _ in subject.beside),
        "slow_held": min(slow for _, _, slow in subject.beside),
        "unexpected": sum(done.unexpected(subject.calls[LIST]) for done, _, _ in subject.beside),
    }
