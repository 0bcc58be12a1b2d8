"""The last step: a success is `data` and `_meta`, and `data` is what the contract describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver import rules
from mockserver.contract import Schemas
from mockserver.envelope import JSON_TYPE

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation
    from tests.conftest import NewTenant, Tenant


@pytest.mark.shows(rules.ENVELOPE, rules.DATA_SCHEMA, rules.LIMITS)
def test_success(operation: Operation, contract: Contract, tenant: Tenant) -> None:
    """The example request succeeds, on every operation, in the one envelope."""
    response = tenant.call(operation)
    body = response.get_json()
    Schemas(contract.document).check(operation.success, body)

    assert (200, JSON_TYPE) == (response.status_code, response.headers["Content-Type"])
    assert {"data", "_meta"} == set(body) - {"_pagination"}
    assert ["_credits", "_rate_limits"] == sorted(body["_meta"])
    assert operation.pagination or "_pagination" not in body
    assert "X-Mock-Rule" not in response.headers


@pytest.mark.shows(rules.HEALTH_OPEN)
def test_open_routes_have_no_envelope(operation: Operation, tenant: Tenant) -> None:
    assert operation.success_example == tenant.call(operation, key=None).get_json()


@pytest.mark.shows(rules.DATA_SCHEMA)
def test_answers_show_what_the_schema_names(operation: Operation, tenant: Tenant) -> None:
    """Fields that only the mock's world needs stay inside, on the answer's first level."""
    data = tenant.data(operation)
    named = operation.data_schema.get("properties")
    if isinstance(data, dict) and named and "allOf" not in operation.data_schema:
        assert set(data) <= set(named)


@pytest.mark.shows(rules.DATA_SCHEMA)
def test_same_request_same_answer(operation: Operation, new_tenant: NewTenant) -> None:
    """In two organizations alike, at the same time, the answers are the same to the byte."""
    assert new_tenant().call(operation).text == new_tenant().call(operation).text
