"""The figures as they stand in the JSON: medians over the rounds, in the units that the names say."""

from __future__ import annotations

from typing import TypedDict


class CallFigures(TypedDict):
    """One request, repeated on 16 connections."""

    status: int
    bytes: int
    keeps_connections: bool
    unexpected: int
    """Requests of all rounds that got another status, or no answer."""
    cpu_us: float
    cpu_us_of_rounds: list[float]
    per_second: float
    p50_ms: float
    p99_ms: float


class CrowdFigures(TypedDict):
    """The list, beside clients that are idle or slow."""

    alone_p99_ms: float
    beside_p99_ms: float
    """The length of the load, where nothing was answered."""
    alone_per_second: float
    beside_per_second: float
    idle_held: int
    slow_held: int
    unexpected: int


class ServerFigures(TypedDict):
    """One server; where ``failure`` is set, what is missing couldn't be measured."""

    name: str
    version: str
    spec: str
    enforces: str
    failure: str | None
    start_s: float | None
    resident_mb: float | None
    calls: dict[str, CallFigures]
    crowd: CrowdFigures | None


class GrowthFigures(TypedDict):
    """One server on a generated contract."""

    name: str
    operations: int
    failure: str | None
    start_s: float | None
    cpu_us: float | None


class Report(TypedDict):
    """One run."""

    date: str
    machine: str
    versions: dict[str, str]
    rounds: int
    seconds: int
    connections: int
    import_flask_s: float
    servers: list[ServerFigures]
    growth: list[GrowthFigures]


def server_named(report: Report, name: str) -> ServerFigures | None:
    """Return the figures of one server, where it was measured."""
    return next((server for server in report["servers"] if server["name"] == name), None)


def growth_at(report: Report, name: str, operations: int) -> GrowthFigures | None:
    """Return the figures of one server on so many operations, where they were measured."""
    found = (row for row in report["growth"] if row["name"] == name)
    return next((row for row in found if row["operations"] == operations), None)
