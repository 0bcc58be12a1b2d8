"""The checks, a module for each area of the catalogue, and the registry that names the rule of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from contract_tests.bench import Bench
from mockserver.contract import Contract, Operation
from mockserver.rules import Rule

MODULES = (
    "auth",
    "permission",
    "rate",
    "windows",
    "credit",
    "error",
    "routes",
    "envelope",
    "pagination",
    "order",
)
"""The modules in the order of the areas; used-up windows and unknown routes have one of their own."""

Scenario = Callable[[Bench], None]


@dataclass(frozen=True, slots=True)
class Check:
    """A scenario that judges a rule, and sometimes others beside it."""

    rule: Rule
    scenario: Scenario
    each: bool
    """Whether it runs on every operation in the rule's scope, or once."""
    among: Callable[[Contract], Sequence[Operation]] | None = None
    """The operations that it runs on, where they aren't those in the rule's scope."""
    beside: tuple[Rule, ...] = ()
    """Further rules that the scenario judges."""
    last: bool = False
    """Whether it exhausts a window, so that on a shared organization it must come after the others."""
    lack: str = ""
    """What a contract lacks that has none of ``among``; it reads on from "the contract has no"."""

    sends: int | Callable[[Contract], int] = 1
    """Requests that it sends on an operation, about."""
    stages: int = 1
    """What it sends besides where it has an organization of its own: to make it, and what that makes possible."""
    keyless: int | Callable[[Contract], int] | None = None
    """Those of ``sends`` that take no valid key and no account; where it is ``None``, all of them or none."""

    def operations(self, contract: Contract) -> Sequence[Operation | None]:
        """Return the operations that it runs on; ``None`` stands for the whole server."""
        if not self.each:
            return [None]
        return self.among(contract) if self.among else contract.in_scope(self.rule.applies)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule that it judges."""
        return (self.rule, *self.beside)


CHECKS: list[Check] = []
"""Every check, in the order of the areas."""


def check(
    rule: Rule,
    *beside: Rule,
    each: bool = True,
    among: Callable[[Contract], Sequence[Operation]] | None = None,
    last: bool = False,
    lack: str = "",
    sends: int | Callable[[Contract], int] = 1,
    stages: int = 1,
    keyless: int | Callable[[Contract], int] | None = None,
) -> Callable[[Scenario], Scenario]:
    """Register a scenario as the check of ``rule``."""

    def register(scenario: Scenario) -> Scenario:
        made = Check(rule, scenario, each, among, beside, last, lack, sends, stages, keyless)
        CHECKS.append(made)
        return scenario

    return register


def load_checks() -> list[Check]:
    """Return every check of every area."""
    for module in MODULES:
        import_module(f"contract_tests.checks.{module}")
    return CHECKS
