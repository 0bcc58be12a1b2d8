"""The report for people: one page that needs nothing else, with every rule and the evidence of each breach."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from contract_tests.reports.outcome import Outcome
from contract_tests.text import printable
from contract_tests.verdicts import Breach, Finding, Verdict
from mockserver.rules import Level, Rule

_MOST_BREACHES = 12
"""Breaches of one rule that the page shows; the JSON report has them all."""

_TONES = {
    "broken": "broken",
    "advisory": "mild",
    "accepted": "mild",
    "error": "error",
    "not checked": "not-checked",
    "kept": "kept",
}
"""The names of verdicts on the page, worst first, and the style of each."""

_HEADLINES = {
    0: "Yes: every rule that was checked is kept.",
    1: "No: a rule is broken.",
    3: "Not known: the run could not be finished.",
    4: "Not known: nothing was checked, or not what was required.",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One rule on the page."""

    rule: Rule
    name: str
    words: str
    judged: str
    reason: str
    breaches: list[dict[str, Any]]
    more: int

    @property
    def tone(self) -> str:
        return _TONES[self.name]


def as_html(outcome: Outcome) -> str:
    """Return the page. It loads nothing, and runs no script but its own; keys are masked."""
    rows = [_row(finding, outcome) for finding in outcome.findings]
    areas = [
        {"name": name, "rows": found, "bars": list(_bars(found))}
        for name, group in groupby(rows, lambda row: row.rule.area)
        for found in [list(group)]
    ]
    counts = {name: sum(row.name == name for row in rows) for name in _TONES}
    style, script = _part("report.css"), _part("report.js")
    return _template().render(
        outcome=outcome,
        spec=PurePath(outcome.spec).name,
        headline=_HEADLINES[outcome.exit_code],
        tone="kept" if outcome.exit_code == 0 else "broken" if outcome.exit_code == 1 else "mild",
        areas=areas,
        widest=max((len(area["rows"]) for area in areas), default=1),
        legend=[(_TONES[name], name, count) for name, count in counts.items() if count],
        levels=[str(level) for level in Level],
        picture="; ".join(_said(area["name"], area["rows"]) for area in areas),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _row(finding: Finding, outcome: Outcome) -> _Row:
    name = str(finding.verdict)
    if finding.verdict is Verdict.BROKEN and not outcome.breaks(finding):
        name = "accepted" if finding.rule.id in outcome.baseline.accepted else "advisory"
    operations = len(finding.exercised - {"*"})
    where = f" on {operations}" if operations else ""
    shown = finding.breaches[:_MOST_BREACHES]
    unjudged = finding.verdict in (Verdict.NOT_CHECKED, Verdict.ERROR)
    return _Row(
        rule=finding.rule,
        name=name,
        words=outcome.verdict(finding),
        judged=f"judged {finding.times:,}×{where}" if finding.times else "",  # noqa: RUF001 - the sign for times
        reason=printable(finding.reason) if unjudged else "",
        breaches=[_breach(breach, outcome) for breach in shown],
        more=len(finding.breaches) - len(shown),
    )


def _breach(breach: Breach, outcome: Outcome) -> dict[str, Any]:
    shown = {"after": None, "request": None, **breach.shown(outcome.base_url)}
    if breach.exchange is None:
        return shown
    request, response = shown["request"], shown["response"]
    asked = f"{request['method']} {request['path']}"
    answered = str(response["status"])
    return {
        **shown,
        "request": _message(asked, request["headers"], request["body"]),
        "response": _message(answered, response["headers"], response["body"]),
    }


def _message(first: str, headers: dict[str, str], body: str) -> str:
    """Return a message as text; a body that is JSON in lines of its own, control characters replaced."""
    with suppress(ValueError):
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    head = [first, *(f"{name}: {value}" for name, value in headers.items())]
    text = "\n".join([*head, *(["", body] if body else [])])
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _bars(rows: list[_Row]) -> Iterator[dict[str, Any]]:
    """Yield the bars of one area's line in the picture, worst first."""
    start = 0
    for name, tone in _TONES.items():
        width = sum(row.name == name for row in rows)
        if width:
            yield {"tone": tone, "start": start, "width": width}
            start += width


def _said(area: str, rows: list[_Row]) -> str:
    counts = ((sum(row.name == name for row in rows), name) for name in _TONES)
    return f"{area}: " + ", ".join(f"{count} {name}" for count, name in counts if count)


def _with_code(text: str) -> Markup:
    """Return ``text`` escaped, and what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256-" + base64.b64encode(digest).decode()


def _part(name: str) -> str:
    return (files("contract_tests.reports") / "page" / name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["code"] = _with_code
    return environment.from_string(_part("report.html.j2"))
