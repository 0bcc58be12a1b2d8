"""What was found of each rule: kept, broken, not checked, or that the suite itself broke."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from contract_tests.exchange import Exchange
from mockserver import rules as catalogue
from mockserver.contract import Contract
from mockserver.rules import RULES, Level, Rule
from mockserver.words import plural, printable

FOUNDATIONS = (catalogue.ENVELOPE, catalogue.HEADROOM, catalogue.ORGS_INDEPENDENT)
"""Rules that other checks rest on; where one is broken, what else is broken may follow from it."""

_RANKS = {rule: place for place, rule in enumerate(dict.fromkeys((*FOUNDATIONS, *RULES.values())))}


def rank_of(rule: Rule) -> int:
    """Return where the rule stands among likely causes: foundations first, then the contract's own order."""
    return _RANKS[rule]


_MOST_REASONS = 3
"""Reasons that a line tells of a rule that was judged on a part of its operations."""


def inferred_operations(contract: Contract) -> frozenset[str]:
    """Return the labels of the operations that no public page shows; a server may well lack them."""
    return frozenset(op.label for op in contract if op.level is Level.INFERRED)


class Verdict(StrEnum):
    """The outcome of one rule."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_CHECKED = "not checked"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Breach:
    """One way in which the target broke a rule."""

    rule: Rule
    operation: str
    """The operation's method and path, or ``*`` for the whole server."""
    allowed: str
    """What the contract allows here."""
    found: str
    """What came instead."""
    exchange: Exchange | None = None
    after: str | None = None
    """Where the finding came from besides a plain check, such as the exploration's phase."""

    @property
    def found_shown(self) -> str:
        """What came instead, without any key that the server may have put into it."""
        return printable(self.found) if self.exchange is None else self.exchange.masked(self.found)

    def trimmed(self) -> Breach:
        """Return the breach without what no report shows."""
        if self.exchange is None:
            return self
        found = self.exchange.brief(self.found)
        return replace(self, found=found, exchange=self.exchange.trimmed())

    def shown(self, base_url: str) -> dict[str, Any]:
        """Return the breach as reports show it, keys masked."""
        evidence: dict[str, Any] = {
            "operation": self.operation,
            "allowed": printable(self.allowed),
            "found": self.found_shown,
        }
        if self.after is not None:
            evidence["after"] = self.after
        if self.exchange is not None:
            evidence |= self.exchange.shown()
            evidence["repeat"] = self.exchange.masked(self.exchange.request.curl(base_url))
        return evidence


@dataclass(slots=True)
class Finding:
    """Everything that is known of one rule."""

    rule: Rule
    exercised: set[str] = field(default_factory=set)
    """The operations on which the rule was judged."""
    times: int = 0
    """How often it was judged."""
    breaches: list[Breach] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    """Why it could not be judged, where it couldn't."""
    left: dict[str, str] = field(default_factory=dict)
    """The same by the operation, the last reason of each."""
    errors: list[str] = field(default_factory=list)
    cut: str = ""
    """Why the run ended before the rule was judged on every operation, if it did."""

    @property
    def verdict(self) -> Verdict:
        """One breach breaks a rule; one that was never judged, or on a part only, is not checked, never kept."""
        if self.breaches:
            return Verdict.BROKEN
        if self.errors:
            return Verdict.ERROR
        return Verdict.KEPT if self.times and not self.cut else Verdict.NOT_CHECKED

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all is known of the rule, not even why it wasn't judged."""
        return not (self.times or self.unmet or self.errors or self.cut)

    def is_grave(self, inferred: Container[str] = ()) -> bool:
        """Whether a public page is broken: the rule is no decision of ours, nor is every operation that broke it.

        ``inferred`` are the operations that no page shows, by their labels.
        """
        known = any(breach.operation not in inferred for breach in self.breaches)
        return known and self.rule.level is not Level.INFERRED

    @property
    def reason(self) -> str:
        """Why the rule was not checked, or what broke the suite."""
        if self.cut and not self.errors:
            by_then = f"; kept {plural(self.times, 'time')} by then" if self.times else ""
            return self.cut + by_then
        reasons = self.errors or self.unmet
        return "; ".join(dict.fromkeys(reasons)) or "no operation is in its scope"

    @property
    def elsewhere(self) -> list[tuple[str, int]]:
        """Why a rule that was judged could not be judged everywhere, and how often, the most frequent reasons first."""
        judged = self.verdict in (Verdict.KEPT, Verdict.BROKEN)
        return Counter(self.unmet).most_common() if judged else []

    @property
    def unjudged(self) -> dict[str, str]:
        """The operations on which a rule that was judged could not be judged at all, each with the reason."""
        if self.verdict not in (Verdict.KEPT, Verdict.BROKEN):
            return {}
        known = self.exercised | {"*"}
        return {operation: why for operation, why in self.left.items() if operation not in known}

    @property
    def elsewhere_told(self) -> str:
        """Both in words; empty where the rule was judged wherever it applies."""
        reasons = [
            f"{reason.removeprefix('not judged: ')} ({plural(times, 'time')})"
            for reason, times in self.elsewhere
        ]
        more = len(reasons) - _MOST_REASONS
        told = [*reasons[:_MOST_REASONS], *([f"{plural(more, 'more reason')}"] if more > 0 else [])]
        return f"{self._where}: {'; '.join(told)}" if told else ""

    @property
    def _where(self) -> str:
        """On how much of its scope the rule was judged."""
        judged, left = len(self.exercised - {"*"}), len(self.unjudged)
        if not (judged and left):
            return "not everywhere"
        return f"judged on {judged:,} of {plural(judged + left, 'operation')}"


class Ledger:
    """Collects outcomes from all threads; the first breach of each rule and operation is kept."""

    def __init__(self, rules: Iterable[Rule] | None = None) -> None:
        self._lock = threading.Lock()
        self.findings = {rule.id: Finding(rule) for rule in rules or RULES.values()}
        self.ended = ""
        """Why the run ended before it was through, if it did."""
        self.notes: list[str] = []
        """What else is to be said of the run, in whole sentences."""

    def keep(self, rule: Rule, operation: str) -> None:
        """Record that the rule was judged and kept once."""
        with self._lock:
            finding = self.findings.get(rule.id)
            if finding is not None:
                finding.times += 1
                finding.exercised.add(operation)

    def break_(self, breach: Breach) -> None:
        """Record a breach; a second one on the same operation adds nothing."""
        with self._lock:
            finding = self.findings.get(breach.rule.id)
            if finding is None:
                return
            finding.times += 1
            finding.exercised.add(breach.operation)
            if all(breach.operation != known.operation for known in finding.breaches):
                finding.breaches.append(breach.trimmed())

    def leave(self, rule: Rule, reason: str, operation: str = "*") -> None:
        """Record that the rule could not be judged here."""
        with self._lock:
            if rule.id in self.findings:
                self.findings[rule.id].unmet.append(reason)
                self.findings[rule.id].left[operation] = reason

    def cut(self, rule: Rule, reason: str) -> None:
        """Record that the run ended before the rule was judged on every operation."""
        with self._lock:
            if rule.id in self.findings:
                self.findings[rule.id].cut = reason

    def fail(self, rule: Rule, error: str) -> None:
        """Record that the suite itself broke while it judged the rule."""
        with self._lock:
            if rule.id in self.findings:
                self.findings[rule.id].errors.append(error)

    def merge(self, findings: Mapping[str, Finding]) -> None:
        """Take over what was found elsewhere."""
        with self._lock:
            for id, found in findings.items():
                finding = self.findings[id]
                finding.times += found.times
                finding.exercised |= found.exercised
                known = {breach.operation for breach in finding.breaches}
                finding.breaches += [b for b in found.breaches if b.operation not in known]

    def counted(self, verdict: Verdict) -> int:
        """Return how many rules ended with ``verdict``."""
        return sum(finding.verdict is verdict for finding in self.findings.values())

    def broken(self) -> list[Finding]:
        """Return the broken rules, the likely causes first."""
        found = [f for f in self.findings.values() if f.verdict is Verdict.BROKEN]
        return sorted(found, key=lambda finding: rank_of(finding.rule))
