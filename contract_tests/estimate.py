"""About how many requests a run sends, told before the first one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from contract_tests.checks import Check
from contract_tests.plan import requests_per_operation
from contract_tests.profile import Profile
from contract_tests.run import Task
from mockserver import rules
from mockserver.contract import Contract, Operation
from mockserver.rules import Need
from mockserver.windows import DEFAULT_LIMIT_MINUTE

_KEYS = {
    Need.KEY: "full",
    Need.ROLES: "restricted",
    Need.SECOND_KEY: "second",
    Need.OTHER_KEY: "other",
    Need.REVOKED: "revoked",
    Need.EXPIRED: "expired",
    Need.UNSUBSCRIBED: "unsubscribed",
    Need.PAST_DUE: "past_due",
}
_ACCOUNTS = {Need.ACCOUNT: "healthy", Need.SYNC_LOST: "sync_lost"}
_WINDOWS = {Need.MINUTE: "minute", Need.DAY: "day"}


def requests_of_checking(contract: Contract, profile: Profile, tasks: Sequence[Task]) -> int:
    """Return about how many requests the tasks send to the profile's target, calls of its control API included."""
    return sum(_of_task(contract, profile, task) for task in tasks)


def requests_of_exploring(contract: Contract, profile: Profile, examples: int, forms: int) -> int:
    """Return about how many requests the explorations send, one with each of so many ``forms`` of the key."""
    if not profile.control and "full" not in profile.keys:
        return 0
    explored = [op for op in contract if profile.may_write or not op.writes]
    return len(explored) * requests_per_operation(examples) * forms


def _of_task(contract: Contract, profile: Profile, task: Task) -> int:
    check = task.check
    if not (_is_met(profile, check.rule.needs) and _may_send(profile, check, task.operation)):
        return 0
    if check.rule is rules.EXACT and not profile.control:
        # Nobody knows how much is left of a real minute; by default it is this much.
        return DEFAULT_LIMIT_MINUTE
    sends = check.sends if _goes_on(profile, task.operation) else _keyless(check)
    asked = sends if isinstance(sends, int) else sends(contract)
    return asked + (check.stages if profile.control else 0)


def _keyless(check: Check) -> int | Callable[[Contract], int]:
    return check.sends if check.keyless is None else check.keyless


def _goes_on(profile: Profile, operation: Operation | None) -> bool:
    """Whether a check can send a valid request, after those that are to be refused."""
    anywhere = operation is None or not operation.on_account
    return _has(profile, Need.KEY) and (anywhere or _has(profile, Need.ACCOUNT))


def _is_met(profile: Profile, needs: Iterable[Need]) -> bool:
    """Whether the profile has all that a check needs."""
    return all(_has(profile, need) for need in needs)


def _has(profile: Profile, need: Need) -> bool:
    if need is Need.WRITES:
        return profile.may_write
    if need in _KEYS:
        return profile.control or _KEYS[need] in profile.keys
    if need in _ACCOUNTS:
        return profile.control or _ACCOUNTS[need] in profile.accounts
    return profile.control or _WINDOWS.get(need) in profile.allow_exhaust


def _may_send(profile: Profile, check: Check, operation: Operation | None) -> bool:
    """Whether the check gets to the operation: a valid key may have to write, and needs an account to go on."""
    if operation is None or not check.rule.needs:
        return True
    if operation.writes and not profile.may_write:
        return False
    return not operation.on_account or _has(profile, Need.ACCOUNT)
