"""Defects of which refusal wins: for every pair of the catalogue, one in which the second wins over the first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockserver import rules
from mockserver.call import Call
from mockserver.contract import Operation
from mockserver.defects.site import Defect, Site, Step
from mockserver.envelope import Refused
from mockserver.organizations import Account, Organization
from mockserver.roles import Key
from mockserver.rules import Rule
from mockserver.seeds import AccountState, Subscription
from mockserver.validation import Arguments

_STAGES: dict[str, frozenset[Rule]] = {
    "401": frozenset({rules.KEY_REVOKED}),
    "429": frozenset({rules.MINUTE, rules.DAY}),
    "413": frozenset({rules.TOO_LARGE}),
    "402": frozenset({rules.NO_SUBSCRIPTION, rules.PAST_DUE}),
    "403": frozenset({rules.PERMISSION_REQUIRED}),
    "400": frozenset({rules.BAD_QUERY, rules.BAD_BODY, rules.BAD_ENUM, rules.DOUBTFUL}),
    "404": frozenset({rules.ORG_BOUNDARY}),
    "424": frozenset({rules.SYNC_LOST}),
}
"""The rules by which the first of a pair refuses."""


class SecondWins(Defect):
    """When two refusals apply, the later one of the contract's order wins."""

    def __init__(self, first: str, second: str, rule: Rule) -> None:
        self.first, self.second = first, second
        self.rule = rule  # type: ignore[misc]  # of this pair, where other defects have one per class

    @property
    def name(self) -> str:
        """The pair, such as ``402-after-403``."""
        return f"{self.first}-after-{self.second}"

    @property
    def sentence(self) -> str:
        """What is wrong with the pair."""
        return f"When both apply, {self.second} wins over {self.first}."

    def plant(self, site: Site) -> None:
        applies = _APPLIES[self.second]

        def make(original: Step) -> Step:
            def run(call: Call, operation: Operation) -> Any:
                try:
                    return original(call, operation)
                except Refused as refused:
                    if refused.rule in _STAGES[self.first]:
                        applies(_Attempt(site, call, operation))
                    raise

            return run

        site.step("run", make)


class _Attempt:
    """A refused request, to find out what else is wrong with it."""

    def __init__(self, site: Site, call: Call, operation: Operation) -> None:
        self.pipeline = site.pipeline
        self.call, self.operation = call, operation
        self.key: Key = site.mock.world.keys[call.request.secrets[0]]

    @property
    def organization(self) -> Organization:
        return self.key.organization

    def arguments(self) -> Arguments:
        """Return the arguments with what is wrong in the query left out. Raises ``Refused`` for the rest."""
        try:
            return self.pipeline.validate(self.call, self.operation)
        except Refused:
            path = {
                p.name: int(text) if p.type == "integer" and text.isdecimal() else text
                for p in self.operation.path_parameters
                for text in [self.call.request.path_arguments[p.name]]
            }
            return Arguments(path, {}, {})

    def account(self) -> Account | None:
        """Return the organization's account that the path names, if it has one."""
        id: Any = self.arguments().path.get("account_id")
        return self.organization.accounts.get(id)


def _limited(attempt: _Attempt) -> None:
    windows = attempt.organization.windows
    if any(w.used >= w.limit for w in (windows.minute, windows.day)):
        raise Refused(rules.MINUTE, "The organization's limit is used up.")


def _oversized(attempt: _Attempt) -> None:
    attempt.pipeline.check_body_size(attempt.call)


def _unpaid(attempt: _Attempt) -> None:
    if attempt.organization.subscription is not Subscription.ACTIVE:
        raise Refused(rules.PAST_DUE, "The organization's subscription is past due.")


def _forbidden(attempt: _Attempt) -> None:
    if not attempt.key.role.grants(attempt.operation.permission or ""):
        raise Refused(rules.PERMISSION_REQUIRED, "The key's role lacks the permission.")


def _malformed(attempt: _Attempt) -> None:
    attempt.pipeline.validate(attempt.call, attempt.operation)


def _no_account(attempt: _Attempt) -> None:
    id = attempt.arguments().path.get("account_id")
    if isinstance(id, int) and id > 0 and id not in attempt.organization.accounts:
        raise Refused(rules.ORG_BOUNDARY, "The organization has no such account.")


def _session_lost(attempt: _Attempt) -> None:
    account = attempt.account()
    lost = account is not None and account.state is AccountState.SYNC_LOST
    if lost and attempt.operation.upstream:
        raise Refused(rules.SYNC_LOST, "The account is in sync_lost.")


def _no_record(attempt: _Attempt) -> None:
    """Look for the records that the path names, without doing anything to them."""
    path = attempt.arguments().path
    ids = [v for n, v in path.items() if n != "account_id" and isinstance(v, int)]
    if attempt.account() is not None and any(id > _LARGEST_ID for id in ids):
        raise Refused(rules.NOT_FOUND, "There is no such record.")


_LARGEST_ID = 10**11
"""No record of the seeded world has a larger id."""

_APPLIES: dict[str, Callable[[_Attempt], None]] = {
    "429": _limited,
    "413": _oversized,
    "402": _unpaid,
    "403": _forbidden,
    "400": _malformed,
    "404": _no_account,
    "424": _session_lost,
    "404-record": _no_record,
}

ORDER_DEFECTS = [SecondWins(first, second, rule) for (first, second), rule in rules.ORDER.items()]
"""One defect for each pair."""
