"""The figures judged: what the mock promises of its speed, as ratios within the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.peers.calls import CHANGED, FORBIDDEN, LIST, NAMES, SEND, SPENT, UNKNOWN
from benchmarks.peers.report import Report, growth_at, server_named

OURS, CONSTANT = "this mock", "its server (constant body)"
NGINX = "nginx (return 200)"


@dataclass(frozen=True)
class Target:
    """One promise, what was measured, and the most that it may be."""

    promise: str
    measured: float
    most: float

    @property
    def met(self) -> bool:
        return self.measured <= self.most


def judged(report: Report) -> list[Target]:
    """Return every promise that the run has figures for."""
    return [*_costs(report), *_crowd(report), *_start(report), *_growth(report)]


def _costs(report: Report) -> Iterator[Target]:
    ours, constant = server_named(report, OURS), server_named(report, CONSTANT)
    if ours is None or LIST not in ours["calls"]:
        return
    calls = ours["calls"]
    served = calls[LIST]["cpu_us"]
    if constant is not None and LIST in constant["calls"]:
        least = constant["calls"][LIST]["cpu_us"]
        constantly = "to that of the same server's constant body"
        yield Target(f"CPU of the list {constantly}", served / least, 2.0)
        if CHANGED in calls:
            promise = f"CPU of the list after a write {constantly}"
            yield Target(promise, calls[CHANGED]["cpu_us"] / least, 2.0)
    nginx = server_named(report, NGINX)
    if nginx is not None and LIST in nginx["calls"]:
        # 30 µs on a machine where nginx takes 6 µs or less
        promise = (
            "CPU of the list to that of nginx's `return 200`, or to 6 µs where that takes less"
        )
        yield Target(promise, served / max(nginx["calls"][LIST]["cpu_us"], 6.0), 5.0)
    if SEND in calls:
        yield Target(
            "CPU of a POST of 1 KB to that of the list", calls[SEND]["cpu_us"] / served, 1.5
        )
    for name in (UNKNOWN, FORBIDDEN, SPENT):
        if name in calls:
            promise = f"CPU of a refusal with {name} ({NAMES[name]}) to that of the list"
            yield Target(promise, calls[name]["cpu_us"] / served, 1.0)


def _crowd(report: Report) -> Iterator[Target]:
    ours = server_named(report, OURS)
    if ours is not None and ours["crowd"] is not None:
        seen = ours["crowd"]
        yield Target(
            "99th percentile beside 1,000 idle and 200 slow clients to that without",
            seen["beside_p99_ms"] / seen["alone_p99_ms"],
            2.0,
        )


def _start(report: Report) -> Iterator[Target]:
    ours = server_named(report, OURS)
    if ours is not None and ours["start_s"] is not None:
        # 0.30 s on a machine where `import flask` takes 0.12 s
        yield Target(
            "cold start to that of `import flask`", ours["start_s"] / report["import_flask_s"], 2.5
        )


def _growth(report: Report) -> Iterator[Target]:
    few, many = growth_at(report, OURS, 3), growth_at(report, OURS, 500)
    if few is None or many is None:
        return
    if few["cpu_us"] and many["cpu_us"]:
        promise = "CPU of a request with 500 operations to that with 3"
        yield Target(promise, many["cpu_us"] / few["cpu_us"], 1.1)
    if few["start_s"] and many["start_s"]:
        # 0.15 s on a machine where `import flask` takes 0.12 s
        more = (many["start_s"] - few["start_s"]) / report["import_flask_s"]
        yield Target("start with 500 operations beyond that with 3, to `import flask`", more, 1.25)
