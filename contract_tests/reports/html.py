"""The report for people: one HTML file that needs no other file, no network and no rights."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contract_tests.reports.evidence import Evidence, Presenter
from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Breach, Finding, Verdict
from mockserver.rules import Level, Rule

_PAGE = Path(__file__).parent / "page"
_MOST_BREACHES = 20
"""Breaches of one rule that the page shows; the JSON report has them all."""
_MOST_EVIDENCE = 2_200_000
"""Bytes for the breaches of all rules together, so that any browser opens the page at once."""
_MARKS = {Verdict.KEPT: "✓", Verdict.BROKEN: "✗", Verdict.NOT_CHECKED: "○", Verdict.ERROR: "!"}


@dataclass(frozen=True, slots=True)
class Badge:
    """How the page shows a verdict: the one place for its mark, its words and its colour."""

    kind: str
    """The name of its colour, and its value in the filter."""
    mark: str
    words: str


def badge(verdict: Verdict, words: str = "") -> Badge:
    """Return the badge of ``verdict``, under its own name unless other ``words`` are given."""
    return Badge(str(verdict).replace(" ", "-"), _MARKS[verdict], words or str(verdict))


def badge_of(finding: Finding, outcome: Outcome) -> Badge:
    """Return the badge of a rule; one that is broken but doesn't break the run only advises."""
    return badge(finding.verdict, outcome.verdict(finding))


@dataclass(frozen=True, slots=True)
class Row:
    """One rule in the table."""

    rule: Rule
    badge: Badge
    operations: str
    judged: int
    reason: str
    evidence: list[Evidence]
    breaches: int
    """How many there are, shown or not."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of an area's bar, in hundredths of the picture's width."""

    badge: Badge
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Area:
    """The rules of one area."""

    name: str
    rows: list[Row]
    segments: list[Segment]

    @property
    def counted(self) -> str:
        """The verdicts in words."""
        return ", ".join(f"{part.count} {part.badge.words}" for part in self.segments)


def as_html(outcome: Outcome) -> str:
    """Return the whole run as one HTML page, keys masked."""
    style, script = _part("report.css"), _part("report.js")
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        outcome=outcome,
        result=_in_words(outcome),
        likely=next((finding.rule.id for finding in outcome.ledger.broken()), None),
        counts=[(badge(verdict), outcome.ledger.counted(verdict)) for verdict in Verdict],
        areas=_areas(outcome),
        levels=[str(level) for level in Level],
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _part(name: str) -> str:
    return (_PAGE / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Return the policy that lets the browser run and apply exactly our own parts, and load nothing."""
    ours = f"script-src {_hash(script)}; style-src {_hash(style)}"
    return f"default-src 'none'; {ours}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _in_words(outcome: Outcome) -> str:
    """Say what the exit code means for this run."""
    broken = [f for f in outcome.findings if f.verdict is Verdict.BROKEN]
    breaking = sum(outcome.breaks(finding) for finding in broken)
    match outcome.exit_code:
        case 0 if broken:
            return f"No rule that counts is broken, {_mild(broken, outcome)}"
        case 0:
            return "Every checked rule is kept"
        case 1:
            mild = [finding for finding in broken if not outcome.breaks(finding)]
            return (
                f"{_rules(breaking)} broken{f', {_mild(mild, outcome, more=True)}' if mild else ''}"
            )
        case 3:
            errors = outcome.ledger.counted(Verdict.ERROR)
            return (
                f"The suite itself broke on {_rules(errors)}" if errors else "The run ended early"
            )
        case _:
            return _unchecked(outcome)


def _unchecked(outcome: Outcome) -> str:
    missing = ", ".join(outcome.missing)
    return f"Required but not checked: {missing}" if missing else "Nothing was checked"


def _mild(findings: list[Finding], outcome: Outcome, *, more: bool = False) -> str:
    """Say how many breaches only advise, and how many are accepted."""
    accepted = sum(finding.rule.id in outcome.baseline.accepted for finding in findings)
    counts = ((len(findings) - accepted, "only advisory"), (accepted, "accepted"))
    return ", ".join(
        f"{f'{count} more' if more else _rules(count)} {what}" for count, what in counts if count
    )


def _rules(count: int) -> str:
    return f"{count} rule" if count == 1 else f"{count} rules"


def _areas(outcome: Outcome) -> list[Area]:
    """Return every area in the order of the catalogue, the widest bar as wide as the picture."""
    presenter = Presenter(outcome.base_url, outcome.findings)
    share = _MOST_EVIDENCE // max(1, outcome.ledger.counted(Verdict.BROKEN))
    rows: dict[str, list[Row]] = {}
    for finding in outcome.findings:
        row = _row(finding, outcome, presenter, share)
        rows.setdefault(finding.rule.area, []).append(row)
    widest = max(map(len, rows.values()), default=1)
    return [Area(name, found, _segments(found, 100 / widest)) for name, found in rows.items()]


def _row(finding: Finding, outcome: Outcome, presenter: Presenter, share: int) -> Row:
    unsettled = finding.verdict in (Verdict.NOT_CHECKED, Verdict.ERROR)
    counted = len(finding.exercised - {"*"})
    return Row(
        rule=finding.rule,
        badge=badge_of(finding, outcome),
        operations=str(counted) if counted or not finding.exercised else "server",
        judged=finding.times,
        reason=presenter.text(finding.reason if unsettled else finding.elsewhere_told),
        evidence=_evidence(finding.breaches, presenter, share),
        breaches=len(finding.breaches),
    )


def _evidence(breaches: list[Breach], presenter: Presenter, share: int) -> list[Evidence]:
    """Return the first breaches, as many as fit into the rule's share of the page and at least one."""
    shown: list[Evidence] = []
    for breach in breaches[:_MOST_BREACHES]:
        evidence = presenter.evidence(breach)
        share -= evidence.weight
        if shown and share < 0:
            break
        shown.append(evidence)
    return shown


def _segments(rows: list[Row], unit: float) -> list[Segment]:
    """Return the bar of an area: a segment for each verdict that occurs, in the order of verdicts."""
    segments, x = [], 0.0
    for verdict in Verdict:
        shown = badge(verdict)
        count = sum(row.badge.kind == shown.kind for row in rows)
        if count:
            segments.append(Segment(shown, count, round(x, 2), round(count * unit, 2)))
            x += count * unit
    return segments
