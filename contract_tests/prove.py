"""The proof of the gate's own power: each defect is planted into the embedded mock, and must be named.

The gate runs as it does against any server; defects are listed and planted over the mock's control API.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from contract_tests.embedded import embedded_mock, leave_interrupts_to_the_parent
from contract_tests.minted import Minter
from contract_tests.profile import Profile
from contract_tests.run import Options, planned, run
from contract_tests.sampling import covering
from contract_tests.target import Target
from contract_tests.verdicts import Ledger
from mockserver.contract import Contract, load_contract
from mockserver.rules import RULES

ENOUGH = 0.95
"""The share of defects whose own rule must be the first one reported."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is planted at once, and the rules that must be reported for it."""

    defects: tuple[str, ...]
    rules: tuple[str, ...]
    sentence: str
    operations: frozenset[str] = frozenset()
    """Operations that a sample must not leave out, because the defect sits on them alone."""

    @property
    def name(self) -> str:
        """What reports call it."""
        return " + ".join(self.defects)


@dataclass(frozen=True, slots=True)
class Proof:
    """What the gate found with a case planted."""

    case: Case
    broken: tuple[str, ...]
    """The rules that were reported, the likely cause first."""
    errors: tuple[str, ...]
    """The rules at which the suite itself broke."""
    requests: int

    @property
    def is_caught(self) -> bool:
        """Whether every rule of the case was reported, and the suite stood."""
        return set(self.case.rules) <= set(self.broken) and not self.errors

    @property
    def is_named(self) -> bool:
        """Whether the first rule that was reported is one of the case's."""
        return self.is_caught and self.broken[0] in self.case.rules


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All proofs, and what they come to."""

    proofs: Sequence[Proof]
    whole: bool
    """Whether every case was tried, so that a rule without a defect can be told."""

    @property
    def survivors(self) -> list[Proof]:
        """The cases that the gate let pass."""
        return [proof for proof in self.proofs if not proof.is_caught]

    @property
    def misnamed(self) -> list[Proof]:
        """The cases that were caught, but for which another rule was reported first."""
        return [proof for proof in self.proofs if proof.is_caught and not proof.is_named]

    @property
    def unproven(self) -> list[str]:
        """The rules that no defect broke."""
        proven = {rule for p in self.proofs if p.is_caught for rule in p.case.rules}
        return [rule for rule in RULES if rule not in proven] if self.whole else []

    @property
    def named_share(self) -> float:
        """The share of cases whose own rule was the first one reported."""
        return sum(p.is_named for p in self.proofs) / len(self.proofs) if self.proofs else 0.0

    @property
    def holds(self) -> bool:
        """Whether the gate can be relied on: no survivor, no unproven rule, and enough named first."""
        return not self.survivors and not self.unproven and self.named_share >= ENOUGH


def all_cases(listed: dict[str, Any]) -> list[Case]:
    """Return a case for each defect and each pair that the control API lists."""
    defects = {defect["name"]: defect for defect in listed["defects"]}

    def case(names: Sequence[str], sentence: str) -> Case:
        chosen = [defects[name] for name in names]
        rules = tuple(dict.fromkeys(d["rule"] for d in chosen))
        operations = frozenset(d["operation"] for d in chosen if d["operation"])
        return Case(tuple(names), rules, sentence, operations)

    singles = [case([name], defect["sentence"]) for name, defect in defects.items()]
    return singles + [case(pair["defects"], pair["reason"]) for pair in listed["pairs"]]


def cases_of_the_mock() -> list[Case]:
    """Return every case, asked of a mock that is started for it."""
    with embedded_mock() as profile:
        return all_cases(_control(profile, "GET", {}))


def prove(
    cases: Sequence[Case], *, everywhere: bool = False, processes: int = 2
) -> Iterator[Proof]:
    """Yield the proof of each case, in order, as they are found.

    ``everywhere`` checks every operation; otherwise some that show every trait, and those of the defect.
    """
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start_worker)
    try:
        yield from pool.map(partial(_prove_one, everywhere=everywhere), cases)
    finally:
        pool.shutdown(cancel_futures=True)


class _Worker:
    """What a worker process keeps from case to case."""

    profile: Profile
    contract: Contract
    open = ExitStack()


def _start_worker(spec: Path | None = None) -> None:
    leave_interrupts_to_the_parent()
    _Worker.contract = load_contract(spec)
    _Worker.profile = _Worker.open.enter_context(embedded_mock(spec))


def _prove_one(case: Case, everywhere: bool) -> Proof:
    proof = _proof(case, everywhere=everywhere, first_only=len(case.rules) == 1)
    # Another rule was reported first; only a whole run tells whether the case's own is among the rest.
    return proof if proof.is_caught else _proof(case, everywhere=everywhere, first_only=False)


def _proof(case: Case, *, everywhere: bool, first_only: bool) -> Proof:
    contract, profile, rules = _Worker.contract, _Worker.profile, list(RULES.values())
    sample = None if everywhere else partial(covering, always=case.operations)
    tasks = planned(contract, Options(sample=sample, first_only=first_only), rules)
    ledger = Ledger(rules)
    plant(profile, case.defects)
    try:
        target = Target(profile)
        run(contract, target, tasks, ledger, first_only=first_only)
    finally:
        _control(profile, "DELETE", {})
        _control(profile, "POST", {}, "/_mock/reset")
    return Proof(
        case,
        tuple(finding.rule.id for finding in ledger.broken()),
        tuple(f.rule.id for f in ledger.findings.values() if f.errors),
        target.sent,
    )


def plant(profile: Profile, defects: Sequence[str]) -> None:
    """Plant defects into the mock at ``profile``."""
    _control(profile, "PUT", {"defects": defects})


def _control(
    profile: Profile, method: str, body: dict[str, Any], path: str = "/_mock/defects"
) -> dict[str, Any]:
    return Minter(Target(profile), ()).control(method, path, body)
