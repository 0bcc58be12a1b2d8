"""The figures as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.peers.calls import NAMES, SERVED
from benchmarks.peers.crowd import IDLE, SLOW
from benchmarks.peers.report import CallFigures, Report, ServerFigures
from benchmarks.peers.targets import judged

_NONE = "-"


def page(report: Report) -> str:
    """Return the whole page."""
    parts = [
        _head(report),
        "## Cost of a request",
        _costs(report["servers"]),
        "## Refusals",
        _refusals(report["servers"]),
        "## Start, memory and a crowd",
        _wider(report["servers"]),
        "## Growth",
        _growth(report),
        "## Targets",
        _targets(report),
        "## What each server does",
        _servers(report["servers"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(report: Report) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    return (
        "# The mock beside its peers\n\n"
        "<!-- Written by `python -m benchmarks.peers`; change it there. -->\n\n"
        f"{report['machine']}; {versions}; {report['date']}.\n"
        f"Medians of {report['rounds']} interleaved rounds of {report['seconds']} s "
        f"on {report['connections']} connections that stay open.\n"
        "CPU is what the kernel counted for the server's processes, divided by the requests.\n\n"
        "![CPU per request, start and memory of each server](peers.svg)"
    )


def _costs(servers: Sequence[ServerFigures]) -> str:
    head = ("server", "request", "CPU per request", "requests/s", "p50", "p99", "answer", "")
    rows = []
    for server in servers:
        for name in SERVED:
            if name in server["calls"]:
                rows.append((server["name"], NAMES[name], *_call(server["calls"][name])))
        if server["failure"]:
            rows.append(
                (server["name"], *[_NONE] * 6, f"doesn't start: {_safe(server['failure'])}")
            )
    return _table(head, rows)


def _refusals(servers: Sequence[ServerFigures]) -> str:
    head = ("server", "request", "CPU per request", "requests/s", "p50", "p99", "answer", "")
    rows = [
        (server["name"], _refused(server["name"], name), *_call(call))
        for server in servers
        for name, call in server["calls"].items()
        if name not in SERVED
    ]
    return _table(head, rows) if rows else "No server was asked for what it refuses."


def _refused(server: str, name: str) -> str:
    """Return what is refused; to peers every key is as good as another, so they are sent none."""
    return f"{NAMES[name] if server == 'this mock' else 'GET, no key'}: {name}"


def _call(call: CallFigures) -> tuple[str, ...]:
    remarks = [] if call["keeps_connections"] else ["closes each connection"]
    if call["unexpected"]:
        remarks.append(f"{call['unexpected']:,} answers missing or with another status")
    return (
        _micro(call["cpu_us"]),
        f"{call['per_second']:,.0f}",
        _milli(call["p50_ms"]),
        _milli(call["p99_ms"]),
        f"{call['bytes']:,} B",
        "; ".join(remarks),
    )


def _wider(servers: Sequence[ServerFigures]) -> str:
    head = (
        "server",
        "start to the first 200",
        "memory under load",
        "p99 alone",
        "p99 in a crowd",
        "ratio",
        "requests/s alone",
        "requests/s in a crowd",
        "idle and slow clients still connected",
        "failed requests",
    )
    crowd = (
        f"The crowd is {IDLE:,} idle connections, and {SLOW} clients that send byte by byte, "
        "half of them a head and half a body.\n"
        "Where nothing was answered, the latency is the length of the load."
    )
    return f"{crowd}\n\n{_table(head, [(s['name'], *_measured(s)) for s in servers])}"


def _measured(server: ServerFigures) -> tuple[str, ...]:
    start = _NONE if server["start_s"] is None else f"{server['start_s']:.2f} s"
    memory = _NONE if server["resident_mb"] is None else f"{server['resident_mb']:.0f} MB"
    seen = server["crowd"]
    if seen is None:
        return (start, memory, *[_NONE] * 7)
    return (
        start,
        memory,
        _milli(seen["alone_p99_ms"]),
        _milli(seen["beside_p99_ms"]),
        f"{seen['beside_p99_ms'] / seen['alone_p99_ms']:.1f}",
        f"{seen['alone_per_second']:,.0f}",
        f"{seen['beside_per_second']:,.0f}",
        f"{seen['idle_held']:,}, {seen['slow_held']}",
        f"{seen['unexpected']:,}",
    )


def _growth(report: Report) -> str:
    head = ("server", "operations", "start to the first 200", "CPU per request", "")
    rows = []
    for row in report["growth"]:
        start = _NONE if row["start_s"] is None else f"{row['start_s']:.2f} s"
        cost = _NONE if row["cpu_us"] is None else _micro(row["cpu_us"])
        remark = f"doesn't start: {_safe(row['failure'])}" if row["failure"] else ""
        rows.append((row["name"], str(row["operations"]), start, cost, remark))
    return _table(head, rows)


def _targets(report: Report) -> str:
    rows = [
        (
            target.promise,
            f"{target.measured:.2f}",
            f"{target.most:.2f}",
            "yes" if target.met else "**no**",
        )
        for target in judged(report)
    ]
    flask = f'`python -c "import flask"` took {report["import_flask_s"]:.2f} s.'
    return f"{flask}\n\n{_table(('measured', 'here', 'at most', 'met'), rows)}"


def _servers(servers: Sequence[ServerFigures]) -> str:
    rows = [(s["name"], s["version"], s["spec"], s["enforces"]) for s in servers]
    return _table(("server", "version", "answers from", "checks"), rows)


def _micro(value: float) -> str:
    return f"{value:,.0f} µs"


def _milli(value: float) -> str:
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def _safe(text: str) -> str:
    """Return ``text`` as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")[:160]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
