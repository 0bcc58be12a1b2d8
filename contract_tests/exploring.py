"""Exploration as a part of a run: with which key, how far, and what becomes of its findings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from contract_tests.exploration import EXPLORED, PER_OPERATION, SCHEMES, Plan, explore_all
from contract_tests.run import INTERRUPTED, tenants_of
from contract_tests.target import Target
from contract_tests.tenants import Tenants, Unmet
from contract_tests.verdicts import Ledger
from mockserver import rules
from mockserver.contract import Contract
from mockserver.rules import Rule

_NO_LIMIT = 10**9


def explorable(chosen: Iterable[Rule]) -> tuple[str, ...]:
    """Return the ids of the rules that an exploration can judge."""
    return tuple(rule.id for rule in chosen if rule in EXPLORED)


def estimate(contract: Contract, chosen: Iterable[Rule]) -> int:
    """Return about how many requests the explorations send."""
    return len(contract) * PER_OPERATION * len(SCHEMES) if explorable(chosen) else 0


def explore_target(
    contract: Contract,
    target: Target,
    ledger: Ledger,
    chosen: Iterable[Rule],
    *,
    seed: int,
    examples: int,
) -> None:
    """Explore the target once with each header form, and record what was found."""
    names = explorable(chosen)
    if not names or ledger.ended:
        return
    try:
        plans = [
            _plan(contract, target, scheme, names, seed=seed, examples=examples)
            for scheme in SCHEMES
        ]
    except Unmet as unmet:
        ledger.leave(rules.DATA_SCHEMA, f"exploration {unmet}")
        return
    try:
        for explored in explore_all(plans):
            target.sent += explored.requests
            ledger.merge(explored.findings)
            for error in explored.errors:
                ledger.fail(rules.DATA_SCHEMA, f"exploration: {error}")
            if explored.unanswered:
                reason = f"{explored.unanswered} requests of the exploration got no answer"
                ledger.leave(rules.DATA_SCHEMA, reason)
    except KeyboardInterrupt:
        ledger.ended = INTERRUPTED


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
