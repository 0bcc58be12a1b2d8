"""A finished run, as every report tells it."""

from __future__ import annotations

from dataclasses import dataclass

from contract_tests.verdicts import Finding, Ledger, Verdict
from mockserver.rules import Level


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was run against what, and what was found."""

    base_url: str
    spec: str
    operations: int
    requests: int
    seconds: float
    ledger: Ledger
    strict: bool
    require: tuple[str, ...] = ()
    """Rules that must have been checked."""

    @property
    def findings(self) -> list[Finding]:
        """Every rule of the run with what is known of it, in the order of the catalogue."""
        return list(self.ledger.findings.values())

    def breaks(self, finding: Finding) -> bool:
        """Whether a broken rule breaks the run: an inferred one only advises, unless ``strict``."""
        return self.strict or finding.rule.level is not Level.INFERRED

    @property
    def exit_code(self) -> int:
        """0 kept, 1 broken, 3 the suite broke, 4 nothing checked or a required rule not checked."""
        verdicts = {finding.rule.id: finding.verdict for finding in self.findings}
        if any(f.verdict is Verdict.BROKEN and self.breaks(f) for f in self.findings):
            return 1
        if Verdict.ERROR in verdicts.values():
            return 3
        judged = any(v in (Verdict.KEPT, Verdict.BROKEN) for v in verdicts.values())
        missing = [rule for rule in self.require if verdicts.get(rule) is Verdict.NOT_CHECKED]
        return 0 if judged and not missing else 4
