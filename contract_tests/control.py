"""Whether a target has the mock's control API, beside what its profile says of that."""

from __future__ import annotations

from contract_tests.exchange import Exchange, Request
from contract_tests.plan import BudgetSpent
from contract_tests.target import Lost, Target, Unanswered
from mockserver.errors import SuiteError

UNUSED = "the target has the mock's control API: with --control every check gets an organization and keys of its own"


def require_control(target: Target) -> None:
    """Raise ``SuiteError`` where the profile promises a control API that the target doesn't have for us."""
    if not target.profile.control:
        return
    answer = _asked(target)
    if answer is None or not _is_ours(answer):
        came = "nothing" if answer is None else f"{answer.status}"
        raise SuiteError(
            f"{target.profile.base_url} has no control API for the gate: GET /_mock answers {came};"
            " leave out --control and `control: true`, or name a mock on this machine"
        )


def unused_control(target: Target) -> list[str]:
    """Return what to say of a control API that nothing was said of, where there is no key to check with either."""
    if target.profile.control or "full" in target.profile.keys:
        return []
    answer = _asked(target)
    return [UNUSED] if answer is not None and _is_ours(answer) else []


def _asked(target: Target) -> Exchange | None:
    try:
        return target.send(Request("GET", "/_mock"))
    except (BudgetSpent, Lost, Unanswered):
        return None


def _is_ours(answer: Exchange) -> bool:
    told = answer.json if isinstance(answer.json, dict) else {}
    return answer.is_success and {"version", "operations", "organizations"} <= told.keys()
