"""A finished run, as every report tells it."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract_tests.baseline import Judged
from contract_tests.text import in_one_line
from contract_tests.verdicts import Finding, Ledger, Verdict
from mockserver.words import plural


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
    baseline: Judged = field(default_factory=Judged)
    """The known gaps that were met, and the entries that are out of date."""
    inferred: frozenset[str] = frozenset()
    """The operations that no page shows, by their labels."""

    @property
    def findings(self) -> list[Finding]:
        """Every rule of the run with what is known of it, in the order of the catalogue."""
        return list(self.ledger.findings.values())

    def breaks(self, finding: Finding) -> bool:
        """Whether a broken rule breaks the run; what no page says only advises, unless ``strict``.

        That is an inferred rule, and any rule that only inferred operations break.
        A known gap doesn't break the run either.
        """
        if finding.rule.id in self.baseline.accepted:
            return False
        return self.strict or finding.is_grave(self.inferred)

    def verdict(self, finding: Finding) -> str:
        """Return the verdict in words, with what makes a breach a mild one."""
        if finding.verdict is not Verdict.BROKEN or self.breaks(finding):
            return str(finding.verdict)
        gap = self.baseline.accepted.get(finding.rule.id)
        mild = (
            "advisory"
            if gap is None
            else f"accepted until {gap.expires}: {in_one_line(gap.reason)}"
        )
        return f"{finding.verdict} ({mild})"

    @property
    def notes(self) -> list[str]:
        """What is to be said of the run beside its rules, in lines."""
        missing = [f"required but not checked: {', '.join(self.missing)}"] if self.missing else []
        return [*self.baseline.notes(), *self._partly(), *self.ledger.notes, *missing]

    def _partly(self) -> list[str]:
        kept = sum(f.verdict is Verdict.KEPT and bool(f.unjudged) for f in self.findings)
        what = f"{plural(kept, 'rule')} of those that are kept could not be judged on every operation in scope"
        return [what] if kept else []

    @property
    def missing(self) -> list[str]:
        """The required rules that weren't checked, or that the run left out."""
        checked = (Verdict.KEPT, Verdict.BROKEN, Verdict.ERROR)
        found = {finding.rule.id for finding in self.findings if finding.verdict in checked}
        return [rule for rule in self.require if rule not in found]

    @property
    def exit_code(self) -> int:
        """0 kept, 1 broken, 3 the suite broke or the run ended early, 4 nothing checked or a required rule not checked."""
        verdicts = {finding.verdict for finding in self.findings}
        if any(f.verdict is Verdict.BROKEN and self.breaks(f) for f in self.findings):
            return 1
        if Verdict.ERROR in verdicts or self.ledger.ended:
            return 3
        judged = verdicts & {Verdict.KEPT, Verdict.BROKEN}
        return 0 if judged and not self.missing else 4
