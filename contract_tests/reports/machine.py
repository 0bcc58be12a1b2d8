"""Reports that machines read: JSON, JUnit, and Markdown for a CI's job summary."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Finding, Verdict
from mockserver.words import plural

VERSION = 1
"""The version of the JSON report; raised when a member changes its meaning or goes away."""


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
        "counts": {str(verdict): ledger.counted(verdict) for verdict in Verdict},
        "first_broken": ledger.first_broken,
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
        "reason": finding.reason
        if finding.verdict in (Verdict.NOT_CHECKED, Verdict.ERROR)
        else None,
        "judged": finding.times,
        "operations": sorted(finding.exercised),
        "breaches": [breach.shown(outcome.base_url) for breach in finding.breaches],
    }


def as_junit(outcome: Outcome) -> str:
    """Return one case per rule and operation, so that any CI names what broke where."""
    suite = ET.Element("testsuite", name="fansmetric contract", time=f"{outcome.seconds:.1f}")
    for finding in outcome.findings:
        broken = {breach.operation: breach for breach in finding.breaches}
        for operation in sorted(finding.exercised) or ["*"]:
            case = ET.SubElement(suite, "testcase", classname=finding.rule.id, name=operation)
            breach = broken.get(operation)
            if breach is not None:
                kind = "failure" if outcome.breaks(finding) else "skipped"
                message = (
                    f"{finding.rule.sentence} Allowed: {breach.allowed}. Found: {breach.found}."
                )
                node = ET.SubElement(case, kind, message=_printable(message))
                shown = json.dumps(breach.shown(outcome.base_url), indent=1)
                node.text = _printable(shown)
            elif finding.verdict is Verdict.ERROR:
                ET.SubElement(case, "error", message=_printable(finding.reason))
            elif finding.verdict is Verdict.NOT_CHECKED:
                ET.SubElement(case, "skipped", message=_printable(finding.reason))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(suite)))
    ET.indent(suite)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _printable(text: str) -> str:
    """Return ``text`` without the control characters that XML can't hold."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def as_markdown(outcome: Outcome) -> str:
    """Return a table for a CI's job summary: what is broken first, then the counts."""
    counts = ", ".join(f"{outcome.ledger.counted(v)} {v}" for v in Verdict)
    lines = [
        f"## FansMetric contract: {counts}",
        "",
        f"{plural(outcome.requests, 'request')} to `{outcome.base_url}` in {outcome.seconds:.0f} s.",
        "",
        "| rule | level | verdict | where | found |",
        "|---|---|---|---|---|",
    ]
    for finding in outcome.findings:
        if finding.verdict is Verdict.KEPT:
            continue
        for breach in finding.breaches:
            lines.append(
                _row(finding, breach.operation, f"{breach.found}; allowed: {breach.allowed}")
            )
        if not finding.breaches:
            lines.append(_row(finding, "", finding.reason))
    return "\n".join(lines) + "\n"


def _row(finding: Finding, where: str, what: str) -> str:
    cells = (finding.rule.id, str(finding.rule.level), str(finding.verdict), where, what[:200])
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
