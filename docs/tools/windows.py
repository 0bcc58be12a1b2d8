"""Draw how the windows move, by asking them: ``python -m docs.tools.windows`` writes the two pictures.

The numbers in the pictures are what ``mockserver.windows`` answers to the requests that are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from mockserver.clock import isoformat, parse_time
from mockserver.windows import Window, Windows

IMAGES = Path(__file__).resolve().parents[1] / "images"
NOON = parse_time("2026-01-31T12:00:00Z")
MIDNIGHT = parse_time("2026-02-01T00:00:00Z")

WIDTH, LEFT, RIGHT, LANE = 480, 20, 460, 150
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 15px }
  .small { font-size: 12px; fill: #57606a }
  .paper { fill: #ffffff; stroke: #d0d7de }
  .window { fill: #dbeafe; stroke: #2563eb }
  .axis { stroke: #57606a }
  .passed { fill: #15803d }
  .refused { fill: #b91c1c }
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """One window over time, and the requests that it meets."""

    title: str
    windows: Windows
    shown: str
    """Which window is drawn: ``minute`` or ``day``."""
    begin: float
    end: float
    requests: Sequence[float]
    ticks: Sequence[float]
    note: str

    @property
    def window(self) -> Window:
        """The window that is drawn."""
        return self.windows.minute if self.shown == "minute" else self.windows.day


def minute_lanes() -> list[Lane]:
    """Return the same requests in a fixed minute and in a rolling one, of three requests each."""
    requests = [NOON + second for second in (20, 32, 44, 54, 64, 76, 86)]
    ticks = [NOON + second for second in (0, 60, 120)]

    def lane(title: str, note: str, *, rolling: bool) -> Lane:
        windows = Windows(limit_minute=3, limit_day=100, rolling=rolling)
        return Lane(title, windows, "minute", NOON - 12, NOON + 150, requests, ticks, note)

    return [
        lane(
            "Fixed, the default: the UTC minute",
            "At 12:01:00 the next minute begins, whoever asked when.",
            rolling=False,
        ),
        lane(
            "Rolling: a minute from the first request",
            "Opened at 12:00:20, over at 12:01:20; the next request opens another.",
            rolling=True,
        ),
    ]


def day_lanes() -> list[Lane]:
    """Return both windows of the same requests, two a minute and four a day, before midnight."""
    requests = [MIDNIGHT + second for second in (-170, -150, -130, -100, -40, -20, 20)]
    ticks = [MIDNIGHT + 60 * minutes for minutes in (-3, -2, -1, 0)]

    def lane(title: str, shown: str, note: str) -> Lane:
        windows = Windows(limit_minute=2, limit_day=4)
        begin, end = MIDNIGHT - 200, MIDNIGHT + 60
        return Lane(title, windows, shown, begin, end, requests, ticks, note)

    return [
        lane(
            "The minute, of two",
            "minute",
            "23:57:50 is refused by the minute, and 23:58:20 passes.",
        ),
        lane(
            "The day, of four", "day", "23:59:40 is refused by the day, though the minute has room."
        ),
    ]


def picture(lanes: Sequence[Lane], description: str) -> str:
    """Return an SVG with one lane under the other."""
    height = LANE * len(lanes) + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(description)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
    ]
    for number, lane in enumerate(lanes):
        parts += _lane(lane, LANE * number)
    parts += _legend(height - 16)
    return "\n".join([*parts, "</svg>", ""])


def _lane(lane: Lane, top: int) -> list[str]:
    opened, marks = _meet(lane, top)
    return [
        _text(LEFT, top + 26, lane.title, "title"),
        *(_stretch(lane, start, top) for start in opened),
        f'<line class="axis" x1="{LEFT}" y1="{top + 92}" x2="{RIGHT}" y2="{top + 92}"/>',
        *(_tick(lane, tick, top) for tick in lane.ticks),
        *marks,
        _text(LEFT, top + 136, lane.note, "small"),
    ]


def _meet(lane: Lane, top: int) -> tuple[list[float], list[str]]:
    """Send the lane's requests; return when windows opened, and a mark for each request."""
    opened: list[float] = []
    marks: list[str] = []
    for request in lane.requests:
        taken = lane.windows.take(request)
        headroom = lane.windows.headroom(request)
        if lane.window.opened not in opened:
            opened.append(lane.window.opened)
        x = _x(lane, request)
        left = headroom.remaining_minute if lane.shown == "minute" else headroom.remaining_day
        kind, text = ("refused", "429") if isinstance(taken, Window) else ("passed", str(left))
        marks.append(f'<circle class="{kind}" cx="{x:g}" cy="{top + 74}" r="5"/>')
        marks.append(_text(x, top + 60, text, kind, middle=True))
    return opened, marks


def _stretch(lane: Lane, start: float, top: int) -> str:
    left, right = _x(lane, start), _x(lane, start + lane.window.seconds)
    return (
        f'<rect class="window" x="{left:g}" y="{top + 40}" width="{right - left:g}" height="52"/>'
    )


def _tick(lane: Lane, tick: float, top: int) -> str:
    clock = isoformat(tick)[11:19]
    return _text(_x(lane, tick), top + 110, clock, "small", middle=True)


def _legend(y: int) -> list[str]:
    return [
        f'<circle class="passed" cx="{LEFT + 5}" cy="{y - 4}" r="5"/>',
        _text(LEFT + 16, y, "passes; the number is what is left", "small"),
        f'<circle class="refused" cx="{LEFT + 235}" cy="{y - 4}" r="5"/>',
        _text(LEFT + 246, y, "refused, and takes nothing", "small"),
    ]


def _x(lane: Lane, time: float) -> float:
    """Return where a time lies, within the picture."""
    share = (time - lane.begin) / (lane.end - lane.begin)
    return round(LEFT + (RIGHT - LEFT) * min(max(share, 0.0), 1.0), 1)


def _text(x: float, y: float, text: str, kind: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{anchor}>{escape(text)}</text>'


PICTURES = {
    "minute.svg": (
        minute_lanes,
        "Seven requests meet a fixed and a rolling minute window of three requests.",
    ),
    "day.svg": (
        day_lanes,
        "The same requests meet a minute of two and a day of four: either one refuses, neither restores the other.",
    ),
}


if __name__ == "__main__":
    for name, (lanes, description) in PICTURES.items():
        (IMAGES / name).write_text(picture(lanes(), description), "utf-8")
        print(IMAGES / name)
