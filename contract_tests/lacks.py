"""What a contract has to show a rule by, and what it lacks in words; it needn't be the packaged one."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.contract import Contract, Operation
from mockserver.rules import Rule


class Lacking(Exception):
    """Raised when the contract has no operation that could show the rule; the text says which it would take."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the contract has no {what}")


def operation_of(contract: Contract, id: str) -> Operation:
    """Return the operation with that id. Raises ``Lacking`` where the contract has none."""
    found = contract.operations.get(id)
    if found is None:
        raise Lacking(f"operation {id}")
    return found


def probe_of(contract: Contract, *, writes: bool) -> Operation:
    """Return the operation that shows best what is left of the windows, asked as often as one likes.

    ``writes`` says whether one that writes will do, as it does in an organization of the run's own.
    Raises ``Lacking`` where there is none.
    """
    for suits in (*_READS, *(_WRITES if writes else ())):
        for operation in contract:
            if operation.authenticated and suits(operation):
                return operation
    raise Lacking(
        "operation that takes a key" if writes else "operation that takes a key and reads"
    )


_READS: tuple[Callable[[Operation], bool], ...] = (
    lambda op: op.on_account and not op.writes and not op.looks_up,
    lambda op: not op.writes and not op.looks_up,
    lambda op: not op.writes,
)
_WRITES: tuple[Callable[[Operation], bool], ...] = (
    lambda op: op.method != "DELETE" and not op.looks_up,
    lambda op: op.method != "DELETE",
    lambda op: True,
)
"""What makes a good probe, the best first: what is deleted once isn't there any more."""


def lack_of(contract: Contract, rule: Rule, special: str = "") -> str:
    """Return why nothing of the contract showed the rule; ``special`` names what a check of it would take."""
    if special:
        return f"{Lacking(special)}"
    if contract.in_scope(rule.applies):
        return "no answer showed it"
    return f"{Lacking(str(rule.applies))}"
