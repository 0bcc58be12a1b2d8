"""What an exploration is asked to do, and what it found; apart from Schemathesis, which takes a second to import."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract_tests.exchange import Secret
from contract_tests.verdicts import Finding
from mockserver import rules
from mockserver.rules import Rule

SCHEMES = {"bearerKey": "Authorization: Bearer", "headerKey": "X-API-Key"}
"""The contract's security schemes, and the header form of each."""

EXPLORED: tuple[Rule, ...] = (
    rules.ENVELOPE,
    rules.DATA_SCHEMA,
    rules.HEADROOM,
    rules.LIMITS,
    rules.BOUNDS,
    rules.COUNTS_DOWN,
    rules.CREDIT_SUCCESS,
    rules.FLAT,
    rules.ERROR_JSON,
    rules.UPSTREAM_FAILED,
    rules.BAD_QUERY,
    rules.BAD_BODY,
    rules.DOUBTFUL,
    rules.NOT_FOUND,
)
"""The rules that an exploration can judge."""

SPENT = "the request budget is spent"
DAY_SPENT = "the organization's day is nearly used up"
SILENT = "the target stopped answering"
TOO_LARGE = "its answers take too much of the memory"
"""Why a run or an exploration ends before it is through."""


class BudgetSpent(Exception):
    """Raised when no further request may be sent; the text says why."""


_FOUND, _MADE_UP = 56, 1.4
"""Requests for an operation that the contract itself leads to, and for each example that is asked for; both measured."""


def requests_per_operation(examples: int) -> int:
    """Return about how many requests one exploration sends for an operation."""
    return round(_FOUND + _MADE_UP * examples)


@dataclass(frozen=True, slots=True)
class Plan:
    """One exploration."""

    base_url: str
    spec: str
    scheme: str
    key: Secret
    seed: int
    examples: int
    """Requests that fuzzing makes up for each operation."""
    rules: tuple[str, ...]
    """The rules to judge by."""
    writes: bool = True
    """Whether operations that write may be explored too."""
    held: bool = False
    """Whether the organization's clock stands still."""
    budget: int | None = None
    """The most requests that may be sent."""


@dataclass(slots=True)
class Explored:
    """What an exploration found."""

    findings: dict[str, Finding]
    requests: int = 0
    errors: list[str] = field(default_factory=list)
    """What kept Schemathesis from exploring an operation."""
    unanswered: int = 0
    """Requests that got no answer at all."""
    ended: str = ""
    """Why it ended before it was through, if it did."""
