"""Every check on every operation, as one test each."""

from __future__ import annotations

import pytest

from contract_tests.conftest import Session
from contract_tests.reports.terminal import breach_lines
from contract_tests.run import Task, carry_out
from contract_tests.verdicts import Verdict, inferred_operations


def test_rule(task: Task, session: Session, pytestconfig: pytest.Config) -> None:
    """Judge whatever the check's scenario provokes; what can't be judged is skipped, with the reason."""
    bench = session.bench(task)
    carry_out(bench, task.check)
    strict = pytestconfig.getoption("--strict-rules")
    skipped = []
    for finding in bench.ledger.findings.values():
        if finding.verdict is Verdict.BROKEN:
            text = "\n".join(breach_lines(finding, session.target.profile.base_url))
            if strict or finding.is_grave(inferred_operations(bench.contract)):
                pytest.fail(text, pytrace=False)
            skipped.append(f"advisory: {text}")
        elif finding.verdict is Verdict.ERROR:
            pytest.fail(f"the suite broke: {finding.reason}", pytrace=False)
    if bench.ledger.ended:
        pytest.fail(bench.ledger.ended, pytrace=False)
    own = [bench.ledger.findings[rule.id] for rule in task.check.rules]
    if not skipped and all(finding.verdict is Verdict.NOT_CHECKED for finding in own):
        skipped = [f"{finding.rule.id}: {finding.reason}" for finding in own]
    if skipped:
        pytest.skip("; ".join(skipped))
