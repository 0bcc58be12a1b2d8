"""Exploration as a part of a run: with which key, how far, and what becomes of its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from contract_tests.embedded import leave_interrupts_to_the_parent
from contract_tests.plan import EXPLORED, PER_OPERATION, SCHEMES, SPENT, Explored, Plan
from contract_tests.run import INTERRUPTED, tenants_of
from contract_tests.target import BudgetSpent, Target
from contract_tests.tenants import Tenants, Unmet
from contract_tests.verdicts import Ledger
from mockserver import rules
from mockserver.contract import Contract
from mockserver.rules import Rule
from mockserver.words import plural

_NO_LIMIT = 10**9


def explorable(chosen: Iterable[Rule]) -> tuple[str, ...]:
    """Return the ids of the rules that an exploration can judge."""
    return tuple(rule.id for rule in chosen if rule in EXPLORED)


def requests_of_exploring(contract: Contract, chosen: Iterable[Rule]) -> int:
    """Return about how many requests the explorations send."""
    return len(contract) * PER_OPERATION * len(SCHEMES) if explorable(chosen) else 0


class Exploration:
    """Explorations that are under way, one with each header form."""

    def __init__(self, results: Iterable[Explored] = (), unmet: str = "") -> None:
        self._results = results
        self._unmet = unmet

    def collect(self, target: Target, ledger: Ledger) -> None:
        """Wait for what is found, and record it."""
        if self._unmet:
            ledger.leave(rules.DATA_SCHEMA, self._unmet)
        if ledger.ended:
            return
        try:
            for explored in self._results:
                target.sent += explored.requests
                _record(explored, ledger)
        except KeyboardInterrupt:
            ledger.ended = INTERRUPTED


def _record(explored: Explored, ledger: Ledger) -> None:
    ledger.merge(explored.findings)
    for error in explored.errors:
        ledger.fail(rules.DATA_SCHEMA, f"exploration: {error}")
    if explored.unanswered:
        ledger.notes.append(
            f"{plural(explored.unanswered, 'request')} of the exploration got no answer"
        )
    if explored.ended:
        ledger.notes.append(
            f"the exploration ended after {plural(explored.requests, 'request')}: {explored.ended}"
        )


@contextmanager
def exploring(
    contract: Contract, target: Target, chosen: Iterable[Rule], *, seed: int, examples: int
) -> Iterator[Exploration]:
    """Begin to explore the target, and yield what collects the findings."""
    names = explorable(chosen)
    try:
        plans = [
            _plan(contract, target, scheme, names, seed=seed, examples=examples)
            for scheme in SCHEMES
            if names
        ]
    except Unmet as unmet:
        yield Exploration(unmet=f"exploration {unmet}")
        return
    except BudgetSpent:
        yield Exploration([Explored({}, ended=SPENT)])
        return
    # Two that shared an organization would take from each other's windows.
    processes = len(SCHEMES) if target.profile.control else 1
    with get_context("spawn").Pool(
        processes, leave_interrupts_to_the_parent, maxtasksperchild=1
    ) as pool:
        yield Exploration(pool.imap(_explore, plans))


def _explore(plan: Plan) -> Explored:
    from contract_tests.exploration import explore

    return explore(plan)


def _plan(
    contract: Contract,
    target: Target,
    scheme: str,
    names: tuple[str, ...],
    **settings: Any,
) -> Plan:
    """Return the plan of one exploration. Raises ``Unmet`` when there is no key for it."""
    tenants: Tenants = tenants_of(target, contract)
    limits = {"limit_minute": _NO_LIMIT, "limit_day": _NO_LIMIT} if tenants.fresh else {}
    tenant = tenants.tenant(**limits)
    tenant.hold()
    most = target.profile.max_requests
    return Plan(
        base_url=target.profile.base_url,
        spec=contract.source,
        scheme=scheme,
        key=tenant.key,
        rules=names,
        writes=target.is_safe,
        held=tenants.fresh,
        budget=None if most is None else max(0, most - target.sent) // len(SCHEMES),
        **settings,
    )
