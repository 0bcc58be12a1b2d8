"""Exploration as a part of a run: with which key, how far, and what becomes of its findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from contract_tests.embedded import leave_interrupts_to_the_parent
from contract_tests.plan import EXPLORED, SCHEMES, BudgetSpent, Explored, Plan
from contract_tests.progress import progress_of
from contract_tests.run import tenants_of
from contract_tests.target import Target
from contract_tests.tenants import Tenants, Unmet
from contract_tests.verdicts import Ledger
from mockserver.contract import Contract
from mockserver.rules import RULES, Rule
from mockserver.words import plural

_NO_LIMIT = 10**9


def explorable(chosen: Iterable[Rule]) -> tuple[str, ...]:
    """Return the ids of the rules that an exploration can judge."""
    return tuple(rule.id for rule in chosen if rule in EXPLORED)


class _Explorer:
    """One exploration in a process of its own, for Schemathesis is large and busy."""

    def __init__(self, plan: Plan) -> None:
        context = get_context("spawn")
        self._here, there = context.Pipe(duplex=False)
        self._process = context.Process(target=_explore, args=(there, plan), daemon=True)
        self._process.start()
        there.close()

    def result(self) -> Explored:
        """Wait for what is found; a process that dies has found an error."""
        try:
            found: Explored = self._here.recv()
        except EOFError:
            self._process.join()
            return Explored({}, errors=[f"its process ended with {self._process.exitcode}"])
        return found

    def end(self) -> None:
        """End the process, if it still runs."""
        self._process.kill()
        self._process.join()
        self._here.close()


class Exploration:
    """Explorations of a target, one with each header form."""

    def __init__(self, plans: Sequence[Plan], *, at_once: bool) -> None:
        """Begin with all ``plans`` ``at_once``, or with each when the one before it is through."""
        self._plans = plans
        self._explorers = [_Explorer(plan) for plan in plans if at_once]

    def collect(self, target: Target, ledger: Ledger) -> None:
        """Wait for what is found, and record it."""
        if not self._plans:
            return
        with progress_of("exploring", len(self._plans)) as advance:
            for place, plan in enumerate(self._plans):
                if place == len(self._explorers):
                    self._explorers.append(_Explorer(plan))
                explored = self._explorers[place].result()
                target.sent += explored.requests
                _record(explored, ledger, RULES[plan.rules[0]])
                advance(SCHEMES[plan.scheme])

    def end(self) -> None:
        """End what is still under way."""
        for explorer in self._explorers:
            explorer.end()


def _record(explored: Explored, ledger: Ledger, first: Rule) -> None:
    """Record what an exploration found; that it failed, at the ``first`` of its rules."""
    ledger.merge(explored.findings)
    for error in explored.errors:
        ledger.fail(first, f"exploration: {error}")
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
    contract: Contract,
    target: Target,
    chosen: Iterable[Rule],
    ledger: Ledger,
    *,
    seed: int,
    examples: int,
) -> Iterator[Exploration]:
    """Begin to explore the target, and yield what collects the findings; what there is no key for is in ``ledger``."""
    names = explorable(chosen)
    plans: list[Plan] = []
    try:
        for scheme in SCHEMES if names else ():
            plans.append(_plan(contract, target, scheme, names, seed=seed, examples=examples))
    except Unmet as unmet:
        for name in names:
            ledger.leave(RULES[name], f"exploration {unmet}")
    except BudgetSpent as spent:
        plans = []
        ledger.notes.append(f"the exploration didn't begin: {spent}")
    most = target.profile.max_requests
    if most is not None:  # what is left now that they are all prepared
        share = max(0, most - target.sent) // len(SCHEMES)
        plans = [replace(plan, budget=share) for plan in plans]
    # Two that shared an organization would take from each other's windows.
    exploration = Exploration(plans, at_once=target.profile.control)
    try:
        yield exploration
    finally:
        exploration.end()


def _explore(parent: Connection, plan: Plan) -> None:
    leave_interrupts_to_the_parent()
    from contract_tests.exploration import explore

    try:
        parent.send(explore(plan))
    except Exception as error:  # its text may quote the key
        parent.send(Explored({}, errors=[type(error).__name__]))


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
    return Plan(
        base_url=target.profile.base_url,
        spec=contract.source,
        scheme=scheme,
        key=tenant.key,
        rules=names,
        writes=target.is_safe,
        held=tenants.fresh,
        **settings,
    )
