"""`python -m benchmarks.peers`: measure everything, and write peers.md, peers.json and peers.svg."""

from __future__ import annotations

import json
import os
import platform
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.peers import chart, measure, specs, table
from benchmarks.peers.growth import measure_growth
from benchmarks.peers.installs import default_cache
from benchmarks.peers.others import everyone
from benchmarks.peers.report import Report
from benchmarks.peers.servers import Place, Server
from benchmarks.peers.wrk import CONNECTIONS, WrkFailed, check_wrk
from mockserver.cache import CACHE_VARIABLE

_RESULTS = Path(__file__).parent.parent / "results"
_FILES = 8192
"""Open files that the crowd needs, in the servers as here."""


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Interleaved rounds of each load.")
@click.option("--seconds", default=2, show_default=True, help="Length of one load.")
@click.option("--starts", default=5, show_default=True, help="Starts of each server.")
@click.option("--only", help="Names of servers, or parts of them, separated by commas.")
@click.option("--growth/--no-growth", default=True, help="Measure generated contracts too.")
@click.option("--out", default=_RESULTS, type=click.Path(path_type=Path), help="Where to write.")
@click.option("--cache", default=default_cache, type=click.Path(path_type=Path), help="Peers.")
def main(
    rounds: int,
    seconds: int,
    starts: int,
    only: str | None,
    growth: bool,
    out: Path,
    cache: Path,
) -> None:
    """Compare the mock with its peers: CPU per request, latency, start, memory, a crowd, and growth."""
    try:
        wrk = check_wrk()
    except WrkFailed as error:
        raise click.ClickException(str(error)) from None
    _raise_limit()
    # Servers are stopped on the way out, which a plain SIGTERM would not take.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers = _chosen(only)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[CACHE_VARIABLE] = str(Path(folder, "cache"))  # for the servers, too
        plan = measure.Plan(rounds, seconds, _place(Path(folder), cache), _say)
        report = _measured(servers, plan, starts, growth)
    report["versions"] = {"Python": platform.python_version(), "wrk": wrk.removeprefix("wrk ")}
    _write(report, out)


def _measured(servers: list[Server], plan: measure.Plan, starts: int, growth: bool) -> Report:
    subjects = measure.installed(servers, plan)
    flask = measure.measure_starts(subjects, plan, starts)
    measure.measure_loads(subjects, plan)
    able = [subject.server for subject in subjects if subject.failure is None]
    return {
        "date": time.strftime("%d %B %Y"),
        "machine": _machine(),
        "versions": {},
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "connections": CONNECTIONS,
        "import_flask_s": flask,
        "servers": [measure.figures(subject) for subject in subjects],
        "growth": measure_growth(able, plan) if growth else [],
    }


def _chosen(only: str | None) -> list[Server]:
    names = [name.strip().lower() for name in only.split(",")] if only else [""]
    found = [s for s in everyone() if any(name in s.name.lower() for name in names)]
    if not found:
        known = ", ".join(server.name for server in everyone())
        raise click.UsageError(f"--only {only}: no such server; there are {known}")
    return found


def _place(work: Path, cache: Path) -> Place:
    page = work / "page.json"
    page.write_text(specs.page_of_ten())
    return Place(specs.write(specs.whole(), work / "openapi.json"), page, work, cache)


def _machine() -> str:
    """Return the processor and how many of its cores there are."""
    cores = os.cpu_count()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        raise click.ClickException("/proc is needed: this measures on Linux only") from None
    model = next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
    return f"{cores} cores of {model or platform.machine()}, {platform.system()}"


def _raise_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _write(report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "peers.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (out / "peers.md").write_text(table.page(report), encoding="utf-8")
    (out / "peers.svg").write_text(chart.picture(report), encoding="utf-8")
    print(table.page(report))


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.peers")
