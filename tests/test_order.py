"""Which refusal wins when two apply: every pair of the gate, on every operation that can give both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import rules
from mockserver.rules import GATE_ORDER, ORDER
from mockserver.seeds import Subscription

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.contract import Contract, Operation
    from tests.conftest import NewTenant, Tenant

Changes = dict[str, Any]
RULES = {
    "401": {rules.KEY_REVOKED.id},
    "429": {rules.MINUTE.id},
    "413": {rules.TOO_LARGE.id},
    "402": {rules.PAST_DUE.id},
    "403": {rules.PERMISSION_REQUIRED.id},
    "400": {rules.BAD_QUERY.id, rules.BAD_ENUM.id, rules.BAD_BODY.id, rules.DOUBTFUL.id},
    "404": {rules.ORG_BOUNDARY.id},
    "424": {rules.SYNC_LOST.id},
    "404-record": {rules.NOT_FOUND.id},
}
"""How each refusal of the gate names itself here, where the 404 of account and record must differ."""


def record_parameters(operation: Operation) -> list[str]:
    return [
        p.name
        for p in operation.path_parameters
        if p.name != "account_id" and "enum" not in p.schema
    ]


def can_give(operation: Operation, refusal: str) -> bool:
    """Whether there is a request to ``operation`` that deserves the refusal."""
    return {
        "404": operation.on_account,
        "424": operation.upstream and operation.on_account,
        "404-record": operation.looks_up,
    }.get(refusal, True)


def bad_value(operation: Operation, kept: Iterable[str]) -> Changes | None:
    """Return what makes the request malformed without touching the parameters in ``kept``."""
    for p in operation.parameters:
        if p.name not in kept and (p.type == "integer" or "enum" in p.schema):
            where = "query" if p.location == "query" else "path_arguments"
            return {where: {p.name: "no_such"}}
    return {"data": b"no JSON"} if operation.body else None


def set_up(tenant: Tenant, operation: Operation, refusals: tuple[str, str]) -> str:
    """Bring about the refusals that are no fault of the request's; return the key to send."""
    organization = tenant.organization
    key = tenant.world.keys[tenant.mint_without(operation) if "403" in refusals else tenant.key]
    key.revoked = "401" in refusals
    if "402" in refusals:
        organization.subscription = Subscription.PAST_DUE
    if "429" in refusals:
        organization.windows.set_remaining(organization.clock.now(), minute=0)
    return key.secret


def spoiled(operation: Operation, refusals: tuple[str, str]) -> Changes | None:
    """Return the request's changes that bring about the others; ``None`` where both can't apply."""
    changes: Changes = {}
    path: Changes = {}
    if "404" in refusals or "424" in refusals:
        path["account_id"] = 999_999 if "404" in refusals else 1003
    if "404-record" in refusals:
        path |= dict.fromkeys(record_parameters(operation), 999_999_999)
    if "400" in refusals:
        bad = bad_value(operation, {"account_id", *path})
        if bad is None:
            return None
        path |= bad.pop("path_arguments", {})
        changes |= bad
    if "413" in refusals:
        changes["data"] = b"x" * 1_048_577
    return changes | {"path_arguments": path}


def answer(tenant: Tenant, operation: Operation, refusals: tuple[str, str]) -> TestResponse | None:
    """Ask with both refusals deserved; return ``None`` where they can't be."""
    changes = spoiled(operation, refusals)
    if changes is None or not all(can_give(operation, refusal) for refusal in refusals):
        return None
    return tenant.call(operation, key=set_up(tenant, operation, refusals), **changes)


@pytest.mark.parametrize("pair", ORDER, ids=[rule.id for rule in ORDER.values()])
def test_first_refusal_wins(
    pair: tuple[str, str], contract: Contract, new_tenant: NewTenant
) -> None:
    """On every operation that can give both, the answer is the first one's."""
    operations = contract.in_scope(ORDER[pair].applies)
    answers = {op.id: answer(new_tenant(), op, pair) for op in operations}
    given = {id: found.headers.get("X-Mock-Rule") for id, found in answers.items() if found}

    assert given
    assert {} == {id: rule for id, rule in given.items() if rule not in RULES[pair[0]]}


@pytest.mark.parametrize("refusal", GATE_ORDER)
def test_each_refusal_applies_alone(
    refusal: str, contract: Contract, new_tenant: NewTenant
) -> None:
    """What the pairs are made of refuses by itself: otherwise they would show nothing."""
    operations = contract.in_scope(rules.Scope.AUTHENTICATED)
    answers = {op.id: answer(new_tenant(), op, (refusal, refusal)) for op in operations}
    given = {id: found.headers.get("X-Mock-Rule") for id, found in answers.items() if found}

    assert given
    assert {} == {id: rule for id, rule in given.items() if rule not in RULES[refusal]}


@pytest.mark.shows(rules.ROUTE_BEFORE_KEY)
@pytest.mark.parametrize("key", ["", "fm_api_nobody", "{revoked}"], ids=["none", "bad", "revoked"])
def test_unknown_route_wins_over_the_key(key: str, tenant: Tenant) -> None:
    headers = {"X-API-Key": key.format(revoked=tenant.mint(revoked=True))}
    response = tenant.client.get("/v1/1001/nowhere", headers=headers)

    assert (404, rules.UNKNOWN_ROUTE.id) == (
        response.status_code,
        response.headers["X-Mock-Rule"],
    )


@pytest.mark.shows(rules.METHOD_BEFORE_KEY)
@pytest.mark.parametrize("key", ["", "fm_api_nobody", "{revoked}"], ids=["none", "bad", "revoked"])
def test_unknown_method_wins_over_the_key(key: str, contract: Contract, tenant: Tenant) -> None:
    """On every route, whatever the key: TRACE is nobody's method."""
    headers = {"X-API-Key": key.format(revoked=tenant.mint(revoked=True))}
    statuses = {
        path: tenant.client.open(path, method="TRACE", headers=headers).status_code
        for path in {op.path for op in contract}
    }

    assert {405} == set(statuses.values())


def test_both_windows_exhausted_names_the_minute(new_tenant: NewTenant) -> None:
    """The minute is looked at first: it recovers sooner."""
    response = new_tenant(limit_minute=0, limit_day=0).call("listAccounts")

    assert (429, rules.MINUTE.id) == (response.status_code, response.headers["X-Mock-Rule"])
