"""Reports that machines read: JSON, JUnit, and Markdown for a CI's job summary."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from contract_tests.reports.outcome import Outcome
from contract_tests.text import in_markdown
from contract_tests.verdicts import Finding, Verdict
from mockserver.words import plural, printable

VERSION = 1
"""The version of the JSON report; raised when a member changes its meaning or goes away."""
_URGENT = (Verdict.BROKEN, Verdict.ERROR, Verdict.NOT_CHECKED, Verdict.KEPT)
"""The verdicts in the order in which a job summary is read."""


def as_json(outcome: Outcome) -> str:
    """Return the whole run as JSON, each breach with its exchange, keys masked."""
    ledger = outcome.ledger
    report = {
        "version": VERSION,
        "target": outcome.base_url,
        "spec": outcome.spec,
        "operations": outcome.operations,
        "requests": outcome.requests,
        "seconds": round(outcome.seconds, 1),
        "strict": outcome.strict,
        "exit_code": outcome.exit_code,
        "ended": ledger.ended or None,
        "counts": {str(verdict): ledger.counted(verdict) for verdict in Verdict},
        "first_broken": [finding.rule.id for finding in ledger.broken()],
        "baseline": {
            "expired": [gap.rule for gap in outcome.baseline.expired],
            "passed": [gap.rule for gap in outcome.baseline.passed],
        },
        "notes": outcome.notes,
        "rules": [_rule(finding, outcome) for finding in outcome.findings],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _rule(finding: Finding, outcome: Outcome) -> dict[str, Any]:
    rule = finding.rule
    return {
        "id": rule.id,
        "level": str(rule.level),
        "sentence": rule.sentence,
        "source": rule.source,
        "verdict": str(finding.verdict),
        "breaks_the_run": finding.verdict is Verdict.BROKEN and outcome.breaks(finding),
        "accepted": _accepted(outcome, finding),
        "reason": finding.reason
        if finding.verdict in (Verdict.NOT_CHECKED, Verdict.ERROR)
        else None,
        "elsewhere": [
            {"reason": printable(reason), "times": times} for reason, times in finding.elsewhere
        ],
        "judged": finding.times,
        "operations": sorted(finding.exercised),
        "unjudged": sorted(finding.unjudged),
        "breaches": [breach.shown(outcome.base_url) for breach in finding.breaches],
    }


def _accepted(outcome: Outcome, finding: Finding) -> dict[str, str] | None:
    gap = outcome.baseline.accepted.get(finding.rule.id)
    return None if gap is None else {"reason": gap.reason, "expires": gap.expires.isoformat()}


def as_junit(outcome: Outcome) -> str:
    """Return one case per rule and operation, so that any CI names what broke where."""
    suite = ET.Element("testsuite", name="fansmetric contract", time=f"{outcome.seconds:.1f}")
    for finding in outcome.findings:
        broken = {breach.operation: breach for breach in finding.breaches}
        unchecked = {"*"} if finding.verdict is Verdict.NOT_CHECKED else set()
        unjudged = {operation: printable(why) for operation, why in finding.unjudged.items()}
        for operation in sorted(finding.exercised | unchecked | unjudged.keys()) or ["*"]:
            case = ET.SubElement(suite, "testcase", classname=finding.rule.id, name=operation)
            breach = broken.get(operation)
            if breach is not None:
                kind = "failure" if outcome.breaks(finding) else "skipped"
                message = f"{finding.rule.sentence} Allowed: {breach.allowed}. Found: {breach.found_shown}."
                node = ET.SubElement(case, kind, message=printable(message))
                shown = json.dumps(breach.shown(outcome.base_url), indent=1)
                node.text = printable(shown)
            elif finding.verdict is Verdict.ERROR:
                ET.SubElement(case, "error", message=printable(finding.reason))
            elif operation in unjudged:
                ET.SubElement(case, "skipped", message=unjudged[operation])
            elif operation in unchecked:
                ET.SubElement(case, "skipped", message=printable(finding.reason))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_markdown(outcome: Outcome) -> str:
    """Return a table for a CI's job summary: what is broken first, what is kept everywhere not at all."""
    counts = ", ".join(f"{outcome.ledger.counted(v)} {v}" for v in Verdict)
    lines = [
        f"## FansMetric contract: {counts}",
        "",
        f"{plural(outcome.requests, 'request')} to `{outcome.base_url}` in {outcome.seconds:.0f} s.",
        "",
        "| rule | level | verdict | where | found |",
        "|---|---|---|---|---|",
    ]
    for finding in sorted(outcome.findings, key=lambda finding: _URGENT.index(finding.verdict)):
        verdict = outcome.verdict(finding)
        for breach in finding.breaches:
            lines.append(
                _row(
                    finding,
                    verdict,
                    breach.operation,
                    f"{breach.found_shown}; allowed: {breach.allowed}",
                )
            )
        if finding.verdict in (Verdict.NOT_CHECKED, Verdict.ERROR):
            lines.append(_row(finding, verdict, "", finding.reason))
        elif finding.elsewhere:
            lines.append(_row(finding, verdict, "", finding.elsewhere_told))
    return "\n".join([*lines, "", *outcome.notes] if outcome.notes else lines) + "\n"


def _row(finding: Finding, verdict: str, where: str, what: str) -> str:
    cells = (finding.rule.id, str(finding.rule.level), verdict, where, what[:200])
    return "| " + " | ".join(map(in_markdown, cells)) + " |"
