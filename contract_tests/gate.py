"""One run of the gate from the target's profile to its outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from contract_tests.baseline import Gap, judge
from contract_tests.control import require_control, unused_control
from contract_tests.estimate import requests_of_checking, requests_of_exploring
from contract_tests.exploring import Exploration, explorable, exploring
from contract_tests.plan import SCHEMES
from contract_tests.profile import Profile
from contract_tests.progress import progress_of
from contract_tests.reports.outcome import Outcome
from contract_tests.run import (
    EXAMPLES,
    INTERRUPTED,
    Options,
    chosen_rules,
    planned,
    run,
    tell_lacks,
)
from contract_tests.target import Target
from contract_tests.verdicts import Ledger, inferred_operations
from mockserver.contract import Contract
from mockserver.words import plural


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is asked to do."""

    only: tuple[str, ...] = ()
    """Rules or areas; empty means all."""
    require: tuple[str, ...] = ()
    """Rules that must have been checked."""
    strict: bool = False
    """Whether inferred rules break the run too."""
    fast: bool = False
    """Whether to leave the exploration out."""
    explore: bool = False
    """Whether to explore a target without a control API too."""
    seed: int = 1
    examples: int = EXAMPLES
    gaps: tuple[Gap, ...] = ()
    """The breaches that are accepted."""


def check_target(
    contract: Contract, profile: Profile, asked: Asked, announce: Callable[[str], None]
) -> Outcome:
    """Check the profile's target; ``announce`` is told what will be sent before the first request.

    Raises ``Unavailable`` when the target can't be reached, ``SuiteError`` when it has no control API though it should.
    """
    rules = chosen_rules(asked.only)
    tasks = planned(contract, Options(asked.only), rules)
    explores = (asked.explore or profile.control) and not asked.fast
    requests = requests_of_checking(contract, profile, tasks)
    if explores and explorable(rules):
        requests += requests_of_exploring(contract, profile, asked.examples, len(SCHEMES))
    most = profile.max_requests
    about = "about" if most is None or most > requests else f"at most {most:,} of about"
    announce(
        f"{plural(len(rules), 'rule')} on {plural(len(contract), 'operation')} of {profile.base_url}:"
        f" {about} {plural(requests, 'request')}, each of which uses a credit unless it is refused with 401 or 429."
    )
    begun, ledger, target = time.monotonic(), Ledger(rules), Target(profile)
    pace, inferred = target.pace, inferred_operations(contract)

    def check() -> None:
        with progress_of("checking", len(tasks)) as advance:
            run(contract, target, tasks, ledger, advance)

    def explore() -> AbstractContextManager[Exploration]:
        return exploring(contract, target, rules, ledger, seed=asked.seed, examples=asked.examples)

    try:
        target.reach()
        require_control(target)
        _judge(target, ledger, check, explore if explores else None)
    except KeyboardInterrupt:
        ledger.ended = INTERRUPTED
    tell_lacks(contract, ledger)
    if not ledger.ended:
        ledger.notes += unused_control(target)
    if target.from_cache:
        ledger.notes.append(
            f"{plural(target.from_cache, 'answer')} came from a cache before the target, as Age says;"
            " what such an answer says of the windows is old"
        )
    if pace is not None and pace.waited:
        ledger.notes.append(
            f"waited {pace.waited:.0f} s for new minutes and after 429s, to use nothing up"
        )
    return Outcome(
        base_url=profile.base_url,
        spec=contract.source,
        operations=len(contract),
        requests=target.sent,
        seconds=time.monotonic() - begun,
        ledger=ledger,
        strict=asked.strict,
        inferred=inferred,
        require=_named(asked.require),
        baseline=judge(
            list(asked.gaps), ledger, profile.base_url, mild=() if asked.strict else inferred
        ),
    )


def _judge(
    target: Target,
    ledger: Ledger,
    check: Callable[[], None],
    explore: Callable[[], AbstractContextManager[Exploration]] | None,
) -> None:
    """Check the rules and explore: at the same time where each has organizations of its own."""
    if explore is None:
        check()
    elif target.profile.control and target.profile.max_requests is None:
        with explore() as exploration:
            check()
            if not ledger.ended:
                exploration.collect(target, ledger)
    else:
        check()
        if not ledger.ended:
            with explore() as exploration:
                exploration.collect(target, ledger)


def _named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the rules that are named by id or by area."""
    return tuple(rule.id for name in names for rule in chosen_rules([name]))
