"""Known gaps of a target: breaches that somebody has accepted, with a reason and until a day."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from contract_tests.verdicts import Finding, Ledger, Verdict
from mockserver.clock import Clock
from mockserver.contract import Contract
from mockserver.errors import SuiteError
from mockserver.rules import RULES
from mockserver.shapes import TEXT, Shape, closed
from mockserver.yamlfile import read_yaml

_DAY: Shape = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_GAP = closed(
    {
        "rule": TEXT,
        "target": TEXT,
        "reason": TEXT,
        "expires": _DAY,
        "operations": {"type": "array", "items": TEXT, "minItems": 1},
    },
    "rule",
    "target",
    "reason",
    "expires",
)
_SHAPE: Shape = {"type": "array", "items": _GAP}
_MOST_NAMED = 10
"""Operations that a note names."""


class BaselineError(SuiteError):
    """Raised when a baseline can't be used; names the file, the entry and the remedy."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One accepted breach."""

    rule: str
    target: str
    """The base URL of the target that has it."""
    reason: str
    expires: date
    """The first day on which it is accepted no more."""
    operations: frozenset[str] = frozenset()
    """Where it is accepted, as method and path; empty means everywhere."""

    def covers(self, operation: str) -> bool:
        """Whether a breach on ``operation`` is accepted."""
        return not self.operations or operation in self.operations


@dataclass(frozen=True, slots=True)
class Judged:
    """What a baseline comes to in one run."""

    accepted: Mapping[str, Gap] = field(default_factory=dict)
    """The gap of each broken rule that is accepted, by the rule's id."""
    expired: tuple[Gap, ...] = ()
    """Gaps that would have been accepted some time ago."""
    passed: tuple[Gap, ...] = ()
    """Gaps whose rules were kept after all; their entries can go."""

    beyond: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where a rule is broken that has entries, on operations that no valid one covers."""
    mended: tuple[tuple[Gap, tuple[str, ...]], ...] = ()
    """Operations of an entry on which the rule is kept after all, though it is broken on others."""
    strays: tuple[str, ...] = ()
    """The targets of all entries, where none is for the one that was checked."""

    def notes(self) -> list[str]:
        """Return what the maintainer of the baseline should do, in lines."""
        return [
            *(f"{g.rule}: its entry in the baseline expired on {g.expires}" for g in self.expired),
            *(f"{g.rule}: is kept now; remove its entry from the baseline" for g in self.passed),
            *(f"{r}: the baseline doesn't accept it on {_few(o)}" for r, o in self.beyond.items()),
            *(f"{g.rule}: is kept now on {_few(o)}; take it out of its entry in the baseline" for g, o in self.mended),
            *(["no entry of the baseline is for this target, only for " + _few(self.strays)] if self.strays else []),
        ]  # fmt: skip


def _few(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return ", ".join(names[:_MOST_NAMED]) + rest


def read_baseline(file: Path, contract: Contract) -> list[Gap]:
    """Return the gaps in ``file``.

    Raises ``BaselineError`` when it can't be read, or names an unknown rule or operation, or no day.
    """
    value = read_yaml(file, _SHAPE, BaselineError, "the baseline")
    return [_gap(file, place, entry, contract) for place, entry in enumerate(value)]


def _gap(file: Path, place: int, entry: Mapping[str, Any], contract: Contract) -> Gap:
    where = f"{file}: {place}"
    if entry["rule"] not in RULES:
        raise BaselineError(
            f"{where}.rule: there is no rule {entry['rule']}; `contract-tests rules` lists them all"
        )
    operations = frozenset(entry.get("operations", ()))
    unknown = sorted(operations - {operation.label for operation in contract} - {"*"})
    if unknown:
        raise BaselineError(
            f"{where}.operations: there is no {unknown[0]}; write method and path of the contract"
        )
    try:
        expires = date.fromisoformat(entry["expires"])
    except ValueError:
        raise BaselineError(f"{where}.expires: {entry['expires']} is no day") from None
    return Gap(entry["rule"], entry["target"].rstrip("/"), entry["reason"], expires, operations)


def judge(
    gaps: list[Gap],
    ledger: Ledger,
    target: str,
    today: date | None = None,
    *,
    mild: Container[str] = (),
) -> Judged:
    """Return which findings of ``target`` are accepted ``today``, and which entries are out of date.

    ``mild`` are operations whose breaches need no entry, for they break no run.
    """
    day = today or datetime.fromtimestamp(Clock().now(), UTC).date()
    mine = [gap for gap in gaps if gap.target == target and gap.rule in ledger.findings]
    valid = [gap for gap in mine if day < gap.expires]
    accepted, beyond, mended = {}, {}, []
    for finding in ledger.broken():
        rule, where = finding.rule.id, [breach.operation for breach in finding.breaches]
        own = [gap for gap in valid if gap.rule == rule]
        new = [place for place in where if not any(gap.covers(place) for gap in own)]
        grave = tuple(place for place in new if place not in mild)
        if own and grave:
            beyond[rule] = grave
        elif own:
            accepted[rule] = own[0]
        kept_there = finding.exercised - set(where)
        mended += [(g, tuple(sorted(found))) for g in own if (found := g.operations & kept_there)]
    kept = [gap for gap in mine if _is_kept(gap, ledger.findings[gap.rule])]
    return Judged(
        accepted,
        tuple(gap for gap in mine if gap not in valid and gap not in kept),
        tuple(kept),
        beyond,
        tuple(mended),
        ()
        if any(gap.target == target for gap in gaps)
        else tuple(sorted({g.target for g in gaps})),
    )


def _is_kept(gap: Gap, finding: Finding) -> bool:
    """Whether the rule is kept on all operations of the entry; one on which it wasn't judged may break it still."""
    unjudged = finding.unjudged.keys()
    return finding.verdict is Verdict.KEPT and not any(map(gap.covers, unjudged))
