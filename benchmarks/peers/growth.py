"""What a larger contract costs: starts and loads on generated ones, in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.peers import specs
from benchmarks.peers.calls import LIST
from benchmarks.peers.measure import Plan, started, weighed
from benchmarks.peers.processes import NotRunning
from benchmarks.peers.report import GrowthFigures
from benchmarks.peers.servers import Place, Server
from benchmarks.peers.wrk import load

SIZES = (3, 85, 500)


def measure_growth(servers: Sequence[Server], plan: Plan) -> list[GrowthFigures]:
    """Start and load each server on contracts of 3, 85 and 500 operations, in turn."""
    seen: dict[tuple[str, int], list[tuple[float, float]]] = {}
    failures: dict[tuple[str, int], str] = {}
    places = {size: _grown(plan.place, size) for size in SIZES}
    cases = [(server, size) for server in servers if server.grows for size in SIZES]
    for server, size in cases:
        server.install(places[size])
    for number in range(plan.rounds):
        plan.say(f"growth: round {number + 1} of {plan.rounds}")
        for server, size in cases:
            key = (server.name, size)
            try:
                seen.setdefault(key, []).append(_grow(server, places[size], plan.seconds))
            except NotRunning as reason:
                failures[key] = str(reason)
    return [_growth_figures(server, size, seen, failures) for server, size in cases]


def _grown(place: Place, size: int) -> Place:
    file = place.work / f"contract-{size}.json"
    return replace(place, spec=specs.write(specs.grown(size), file))


def _grow(server: Server, place: Place, seconds: int) -> tuple[float, float]:
    """Return the seconds of a start and the CPU microseconds of a request."""
    process, start = started(server, place)
    with process:
        load(process.port, server.calls[LIST], 1)
        done, cpu = weighed(process, server.calls[LIST], seconds)
        return start, cpu / max(1, done.requests) * 1e6


def _growth_figures(
    server: Server,
    size: int,
    seen: Mapping[tuple[str, int], list[tuple[float, float]]],
    failures: Mapping[tuple[str, int], str],
) -> GrowthFigures:
    rounds = seen.get((server.name, size), [])
    return {
        "name": server.name,
        "operations": size,
        "failure": failures.get((server.name, size)),
        "start_s": median(start for start, _ in rounds) if rounds else None,
        "cpu_us": median(cost for _, cost in rounds) if rounds else None,
    }
