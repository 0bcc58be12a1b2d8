"""A run of the gate: every check on every operation of its scope, each outcome into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import Check, load_checks
from contract_tests.profile import Profile
from contract_tests.target import BudgetSpent, Target, Unanswered, Unsafe
from contract_tests.tenants import Minter, ProfileTenants, Tenants, Unmet
from contract_tests.verdicts import Ledger
from mockserver.contract import Contract, Operation, Schemas
from mockserver.rules import RULES, Need, Rule

_THREADS = 8
_FAST_STEP = 9
"""`--fast` takes every ninth operation of a scope."""
_PER_CHECK = 8
"""Requests that a check sends on one operation, on average and rounded up."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do."""

    only: tuple[str, ...] = ()
    """Rule ids, or areas; empty means all."""
    fast: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One check on one operation, or on the whole server."""

    check: Check
    operation: Operation | None


def chosen_rules(only: Sequence[str]) -> list[Rule]:
    """Return the rules that ``only`` names by id or by area, or all of them."""
    return [r for r in RULES.values() if not only or r.id in only or r.area in only]


def planned(contract: Contract, options: Options, rules: Iterable[Rule]) -> list[Task]:
    """Return the tasks of a run; those that exhaust a window come last."""
    wanted = {rule.id for rule in rules}
    checks = [c for c in load_checks() if any(rule.id in wanted for rule in c.rules)]
    return [
        Task(check, operation)
        for check in sorted(checks, key=lambda c: c.last)
        for operation in _operations(check, contract, options)
    ]


def _operations(check: Check, contract: Contract, options: Options) -> Sequence[Operation | None]:
    if not check.each:
        return [None]
    found = contract.in_scope(check.rule.applies)
    return found[:: _FAST_STEP * (4 if check.slow else 1)] if options.fast else found


def estimate(tasks: Sequence[Task]) -> int:
    """Return about how many requests the tasks send."""
    return len(tasks) * _PER_CHECK


def run(
    contract: Contract,
    profile: Profile,
    tasks: Sequence[Task],
    ledger: Ledger,
    progress: Progress = lambda _: None,
) -> Target:
    """Carry out ``tasks`` against the profile's target; returns the target, which knows what was sent.

    Raises ``Unavailable`` when the target can't be reached.
    """
    target = Target(profile)
    target.reach()
    tenants: Tenants = (
        Minter(target, contract.permissions) if profile.control else ProfileTenants(target)
    )
    schemas = Schemas(contract.document)

    def carry_out(task: Task) -> None:
        rule = task.check.rule
        _carry_out(
            Bench(contract, schemas, target, tenants, ledger, rule, task.operation), task.check
        )
        progress(rule.id)

    if not tenants.fresh:
        for task in tasks:
            carry_out(task)
        return target
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(carry_out, tasks))
    return target


def _carry_out(bench: Bench, check: Check) -> None:
    """Run one scenario; whatever keeps it from judging is recorded for all the rules it stands for."""
    try:
        check.scenario(bench)
    except Unmet as unmet:
        _leave(bench, check, str(unmet))
    except NotJudged as reason:
        _leave(bench, check, f"not judged: {reason}")
    except Unsafe:
        _leave(bench, check, f"needs {Need.WRITES}")
    except BudgetSpent:
        _leave(bench, check, "the request budget is spent")
    except Unanswered as failure:
        bench.break_(None, "an answer", f"none: {failure}")
    except Exception as error:  # a broken check must not end the run
        for rule in check.rules:
            bench.ledger.fail(rule, f"{bench.label}: {type(error).__name__}: {error}")


def _leave(bench: Bench, check: Check, reason: str) -> None:
    for rule in check.rules:
        bench.ledger.leave(rule, reason)
