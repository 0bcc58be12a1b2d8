"""What a request costs: one unit of both windows, on success and on every refusal but 401 and 429."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockserver import rules
from mockserver.faults import Fault
from mockserver.seeds import Subscription

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from tests.conftest import Tenant

HEALTHY, SYNC_LOST = 1001, 1003


def refused_requests(operation: Operation, tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Return the changes to a valid request that make each refusal the operation can give."""
    upstream_on_account = operation.upstream and operation.on_account
    query_or_body = [p.name for p in operation.query_parameters if p.type == "integer"]
    cases: dict[str, dict[str, Any]] = {
        "401": {"key": "fm_api_nobody"},
        "403": {"key": tenant.mint_without(operation)},
        "413": {"data": b"x" * 1_048_577},
    }
    if operation.on_account:
        cases["404"] = {"path_arguments": {"account_id": 999_999}}
        cases["400"] = {"path_arguments": {"account_id": "x"}}
    elif query_or_body:
        cases["400"] = {"query": {query_or_body[0]: "x"}}
    if upstream_on_account:
        cases["424"] = {"path_arguments": {"account_id": SYNC_LOST}}
    return cases


@pytest.mark.shows(rules.CREDIT_ERRORS, rules.NO_CREDIT_401)
def test_refusals(operation: Operation, tenant: Tenant) -> None:
    """400, 403, 404, 413 and 424 take exactly one from both windows, 401 takes nothing."""
    due, found = {}, {}
    for status, changes in refused_requests(operation, tenant).items():
        minute, day = tenant.left
        answer = tenant.call(operation, **changes)
        cost = 0 if status == "401" else 1
        due[status] = (int(status), (minute - cost, day - cost))
        found[status] = (answer.status_code, tenant.left)

    assert due == found


@pytest.mark.shows(rules.CREDIT_ERRORS)
def test_billing_refusals(operation: Operation, tenant: Tenant) -> None:
    """402 takes one from both windows; the next success reports it."""
    statuses = []
    for subscription in (Subscription.NONE, Subscription.PAST_DUE):
        tenant.organization.subscription = subscription
        statuses.append(tenant.call(operation).status_code)
    tenant.organization.subscription = Subscription.ACTIVE
    limits = tenant.call(operation).get_json()["_meta"]["_rate_limits"]

    assert [402, 402] == statuses
    assert (997, 49_997) == (limits["remaining_minute"], limits["remaining_day"])


@pytest.mark.shows(rules.CREDIT_ERRORS, rules.UPSTREAM_FAILED)
def test_upstream_failures(operation: Operation, tenant: Tenant) -> None:
    """A failure of upstream takes one from both windows; the next success reports it."""
    statuses = []
    for status in (500, 502, 503):
        tenant.organization.faults.plant(Fault(status, operation.id))
        statuses.append(tenant.call(operation).status_code)
    limits = tenant.call(operation).get_json()["_meta"]["_rate_limits"]

    assert [500, 502, 503] == statuses
    assert (996, 49_996) == (limits["remaining_minute"], limits["remaining_day"])


@pytest.mark.shows(rules.CREDIT_ERRORS, rules.NOT_FOUND)
def test_missing_records(operation: Operation, tenant: Tenant) -> None:
    """The 404 of a record takes one from both windows too."""
    assert 404 == tenant.call(operation, path_arguments=missing(operation)).status_code
    assert (999, 49_999) == tenant.left


def missing(operation: Operation) -> dict[str, Any]:
    """Return path arguments for the account that exists and for records that don't."""
    return {
        p.name: 999_999_999
        for p in operation.path_parameters
        if p.name != "account_id" and "enum" not in p.schema
    }


@pytest.mark.shows(rules.CREDIT_SUCCESS, rules.COUNTS_DOWN)
def test_success(operation: Operation, tenant: Tenant) -> None:
    """A success says what it used, and both windows are one lower."""
    meta = tenant.call(operation).get_json()["_meta"]

    assert {"used": operation.charges} == meta["_credits"]
    assert (999, 49_999) == tenant.left


def test_routes_without_key_are_free(tenant: Tenant) -> None:
    """Unknown routes, unknown methods and the open route belong to nobody."""
    headers = {"Authorization": f"Bearer {tenant.key}"}
    statuses = [
        tenant.client.get("/v1/1001/nowhere", headers=headers).status_code,
        tenant.client.put("/v1/1001/tags", headers=headers).status_code,
        tenant.client.get("/health", headers=headers).status_code,
    ]

    assert [404, 405, 200] == statuses
    assert (1_000, 50_000) == tenant.left
