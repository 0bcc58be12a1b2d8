"""The figures as a picture: bars with their values, in colours that suit light and dark pages.

Written by hand: no charting library follows the reader's colour scheme in one file,
and bars with labels need less code than the settings of one.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.peers.calls import SERVED
from benchmarks.peers.report import Report, ServerFigures

_WIDTH, _LEFT, _ROOM = 760, 190, 470
"""Of the picture, of the names, and of the longest bar."""
_BAR, _GAP, _TITLE = 11, 9, 34

_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.page { fill: #ffffff }
.title { font-weight: 600 } .note { fill: #59636e }
.list { fill: #2f6fb3 } .changed { fill: #3d8b5f } .send { fill: #c2741f }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117 }
  text { fill: #e6edf3 } .note { fill: #9198a1 }
  .list { fill: #5aa2e8 } .changed { fill: #63bd8a } .send { fill: #e8a35a }
}
"""

Bar = tuple[str, float | None, str]
"""The class of its colour, its value, and the value as text."""
Panel = tuple[str, list[tuple[str, list[Bar]]]]
"""A title, and the bars of each server."""


def picture(report: Report) -> str:
    """Return the SVG."""
    shapes: list[str] = []
    top = 10.0
    for panel in _panels(report):
        drawn, top = _draw(panel, top)
        shapes += drawn
    for line in _notes(report):
        top += 16
        shapes.append(f'<text class="note" x="10" y="{top:.0f}">{escape(line)}</text>')
    height = round(top) + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img">\n'
        f"<title>The mock beside its peers</title>\n<style>{_STYLE}</style>\n"
        '<rect class="page" width="100%" height="100%"/>\n' + "\n".join(shapes) + "\n</svg>\n"
    )


def _notes(report: Report) -> list[str]:
    """Return the lines below the bars: where, when, and which versions."""
    shown = [server for server in report["servers"] if not server["failure"]]
    versions = [f"{server['name']} {server['version']}" for server in shown]
    tools = [f"{name} {version}" for name, version in report["versions"].items()]
    return [
        f"{report['machine']}; {report['date']}",
        *textwrap.wrap(", ".join([*tools, *versions]), 110),
    ]


def _panels(report: Report) -> Iterator[Panel]:
    servers = [server for server in report["servers"] if not server["failure"]]
    yield (
        "CPU per request, in µs: a list (blue), the list after a write (green), a POST of 1 KB (orange)",
        [(server["name"], [*_costs(server)]) for server in servers],
    )
    yield (
        "Start to the first 200, in ms",
        [(s["name"], [_bar((s["start_s"] or 0) * 1000)]) for s in servers],
    )
    yield (
        "Memory under load, in MB",
        [(server["name"], [_bar(server["resident_mb"])]) for server in servers],
    )


def _costs(server: ServerFigures) -> Iterator[Bar]:
    for name in SERVED:
        if name in server["calls"]:
            yield _bar(server["calls"][name]["cpu_us"], name)


def _bar(value: float | None, colour: str = "list") -> Bar:
    return colour, value, "-" if value is None else f"{value:,.0f}"


def _draw(panel: Panel, top: float) -> tuple[list[str], float]:
    """Return the shapes of a panel that begins at ``top``, and where it ends."""
    title, rows = panel
    longest = max((value or 0 for _, bars in rows for _, value, _ in bars), default=0) or 1
    shapes = [f'<text class="title" x="10" y="{top + 16:.0f}">{escape(title)}</text>']
    top += _TITLE
    for name, bars in rows:
        height = len(bars) * (_BAR + 2)
        middle = top + height / 2 + 4
        shapes.append(
            f'<text x="{_LEFT - 10}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>'
        )
        shapes += _row(bars, top, longest)
        top += height + _GAP
    return shapes, top + 6


def _row(bars: Sequence[Bar], top: float, longest: float) -> Iterator[str]:
    for number, (colour, value, text) in enumerate(bars):
        y, length = top + number * (_BAR + 2), max(1.0, (value or 0) / longest * _ROOM)
        yield (
            f'<rect class="{colour}" x="{_LEFT}" y="{y:.1f}" width="{length:.1f}" height="{_BAR}"/>'
        )
        yield f'<text x="{_LEFT + length + 6:.1f}" y="{y + _BAR - 1:.1f}">{escape(text)}</text>'
