"""A run of the gate: every check on every operation of its scope, each outcome into the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from contract_tests.bench import Bench, Limited, NotJudged, Shared
from contract_tests.checks import Check, load_checks
from contract_tests.described import ProfileTenants
from contract_tests.lacks import Lacking, lack_of
from contract_tests.minted import Minter, Refused
from contract_tests.plan import SILENT, BudgetSpent
from contract_tests.target import Closed, Dropped, Lost, Target, Unanswered, Unsafe
from contract_tests.tenants import Tenants, Unmet
from contract_tests.verdicts import Ledger, rank_of
from mockserver.contract import Contract, Operation, Schemas
from mockserver.rules import RULES, Need, Rule

_THREADS = 8
_MOST_UNANSWERED = 2
"""Operations on which a check waits in vain for an answer; it goes on with no more, for each wait is a long one."""

EXAMPLES = 3
"""Requests that the exploration makes up for each operation, unless more are asked for."""

INTERRUPTED = "interrupted"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is asked to do."""

    only: tuple[str, ...] = ()
    """Rule ids, or areas; empty means all."""
    sample: Callable[[Sequence[Operation]], Sequence[Operation]] | None = None
    """Picks the operations that each check runs on, of those that it applies to; without it, all."""
    first_only: bool = False
    """Whether to stop as soon as it is known which broken rule is reported first."""


@dataclass(frozen=True, slots=True)
class Task:
    """One check on one operation, or on the whole server."""

    check: Check
    operation: Operation | None


def chosen_rules(only: Sequence[str]) -> list[Rule]:
    """Return the rules that ``only`` names by id or by area, or all of them."""
    return [r for r in RULES.values() if not only or r.id in only or r.area in only]


def planned(contract: Contract, options: Options, rules: Iterable[Rule]) -> list[Task]:
    """Return the tasks of a run in the order of their rules; those that exhaust a window come last."""
    wanted = {rule.id for rule in rules}
    checks = [c for c in load_checks() if any(rule.id in wanted for rule in c.rules)]
    return [
        Task(check, operation)
        for check in sorted(checks, key=lambda c: (c.last and not options.first_only, _rank(c)))
        for operation in _operations(check, contract, options)
    ]


def _operations(check: Check, contract: Contract, options: Options) -> Sequence[Operation | None]:
    found = check.operations(contract)
    named = [operation for operation in found if operation is not None]
    if options.sample is None or not named:
        return found
    return named[:1] if check.among else options.sample(named)


def _rank(check: Check) -> int:
    return min(rank_of(rule) for rule in check.rules)


def run(
    contract: Contract,
    target: Target,
    tasks: Sequence[Task],
    ledger: Ledger,
    progress: Progress = lambda _: None,
    *,
    first_only: bool = False,
) -> None:
    """Carry out ``tasks`` against a target that was reached.

    ``first_only`` leaves out the tasks that can't change which broken rule is reported first.
    Raises ``KeyboardInterrupt`` when it is interrupted; the ledger knows what was judged by then.
    """
    tenants = tenants_of(target, contract)
    schemas, shared = Schemas(contract.document), Shared()

    left = {id(task): task for task in tasks}

    def do(task: Task) -> None:
        rule = task.check.rule
        carry_out(
            Bench(contract, schemas, target, tenants, ledger, shared, rule, task.operation),
            task.check,
        )
        del left[id(task)]
        progress(rule.id)

    try:
        with ThreadPoolExecutor(_THREADS if tenants.fresh else 1) as pool:
            ordered = tasks if tenants.fresh else sorted(tasks, key=harm)
            for rank, group in groupby(
                ordered, lambda task: _rank(task.check) if first_only else 0
            ):
                broken = ledger.broken() if first_only else []
                if broken and rank_of(broken[0].rule) < rank:
                    break
                _all(pool, do, group, target)
    except KeyboardInterrupt:
        for rule in (rule for task in tuple(left.values()) for rule in task.check.rules):
            ledger.cut(rule, f"not judged: {INTERRUPTED}")
        raise


def tell_lacks(contract: Contract, ledger: Ledger) -> None:
    """Say of each rule that nothing was tried for, and of which nothing is known, what the contract lacks."""
    special = {
        rule: check.lack
        for check in load_checks()
        for rule in check.rules
        if check.lack and not check.operations(contract)
    }
    for finding in ledger.findings.values():
        if finding.is_blank:
            rule = finding.rule
            ledger.leave(rule, lack_of(contract, rule, special.get(rule, "")))


def harm(task: Task) -> tuple[bool, bool]:
    """Return what puts a task after others on an organization that they share: what it writes, what it uses up."""
    return task.check.last, task.operation is not None and task.operation.writes


def tenants_of(target: Target, contract: Contract) -> Tenants:
    """Return where the checks of a target get their organizations from."""
    fresh = target.profile.control
    return Minter(target, contract.permissions) if fresh else ProfileTenants(target)


def _all(
    pool: ThreadPoolExecutor,
    carry_out: Callable[[Task], None],
    tasks: Iterable[Task],
    target: Target,
) -> None:
    """Carry out ``tasks``; whoever interrupts waits for those under way only."""
    try:
        list(pool.map(carry_out, tasks))
    except KeyboardInterrupt:
        if target.pace is not None:
            target.pace.end()
        pool.shutdown(cancel_futures=True)
        raise


def carry_out(bench: Bench, check: Check) -> None:
    """Run one scenario; whatever keeps it from judging is recorded for all the rules it stands for."""
    try:
        _spare(bench)
        bench.target.hurry(when=check.last)
        check.scenario(bench)
    except Limited as limited:
        # Where the run itself uses a window up, a 429 is what it waits for.
        record = _leave if check.last else _cut
        record(bench, check, f"not judged: {limited}")
    except tuple(_REASONS) as why:
        reason = bench.target.masked(_REASONS[type(why)].format(why))
        _leave(bench, check, reason)
    except BudgetSpent as spent:
        _cut(bench, check, str(spent))
    except Lost:
        bench.ledger.ended = SILENT
        _cut(bench, check, f"not judged: {SILENT}")
    except Unanswered as failure:
        bench.shared.unanswered[bench.rule] += not isinstance(failure, Dropped)
        bench.break_(None, "an answer", f"none ({failure}), though the target answers others")
    except Exception as error:  # a broken check must not end the run
        for rule in check.rules:
            text = bench.target.masked(f"{type(error).__name__}: {error}")
            bench.ledger.fail(rule, f"{bench.label}: {text}")


def _spare(bench: Bench) -> None:
    """Raise ``NotJudged`` where the same check waited in vain often enough."""
    if bench.shared.unanswered[bench.rule] >= _MOST_UNANSWERED:
        raise NotJudged("its requests got no answer on other operations")


def _leave(bench: Bench, check: Check, reason: str) -> None:
    for rule in check.rules:
        bench.ledger.leave(rule, reason, bench.label)


def _cut(bench: Bench, check: Check, reason: str) -> None:
    for rule in check.rules:
        bench.ledger.cut(rule, reason)


_REASONS: dict[type[Exception], str] = {
    Unmet: "{}",
    Lacking: "{}",
    Refused: "not judged: {}",
    NotJudged: "not judged: {}",
    Closed: "not judged: {}, as one may that was kept for the next request",
    Unsafe: f"needs {Need.WRITES}",
}
"""Why a rule is left unjudged, by what its check raised."""
