"""The fifth step: the key's role must grant the operation's permission."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver import rules
from mockserver.roles import Role

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.contract import Operation
    from tests.conftest import Tenant


@pytest.mark.shows(rules.PERMISSION_REQUIRED)
def test_refuses_without_the_permission(operation: Operation, tenant: Tenant) -> None:
    """All the other permissions together aren't enough; the error names the one that lacks."""
    response = tenant.call(operation, key=tenant.mint_without(operation))

    assert (403, rules.PERMISSION_REQUIRED.id) == (
        response.status_code,
        response.headers["X-Mock-Rule"],
    )
    assert str(operation.permission) in response.get_json()["error"]


@pytest.mark.shows(rules.PERMISSION_GRANTED)
def test_accepts_with_exactly_the_permission(operation: Operation, tenant: Tenant) -> None:
    response = tenant.call(operation, key=tenant.mint(str(operation.permission)))

    assert 200 == response.status_code, response.text


@pytest.mark.shows(rules.PERMISSION_NO_EFFECT)
def test_a_refused_write_changes_nothing(operation: Operation, tenant: Tenant) -> None:
    """Not a record of the organization is other than before."""
    records = tenant.records()
    refused = tenant.call(operation, key=tenant.mint_without(operation))
    untouched = tenant.records()
    accepted = tenant.call(operation)

    assert (403, 200) == (refused.status_code, accepted.status_code)
    assert records == untouched


@pytest.mark.shows(rules.PERMISSION_REQUIRED)
def test_a_role_without_permissions_opens_nothing(tenant: Tenant) -> None:
    """403 everywhere but on the open route."""
    tenant.world.keys[tenant.key].role = Role("nothing", frozenset())
    statuses = {op.id: tenant.call(op).status_code for op in tenant.contract}

    assert {op.id: 403 if op.authenticated else 200 for op in tenant.contract} == statuses


@pytest.mark.parametrize(
    ("key", "method", "path", "status"),
    [
        pytest.param("full", "GET", "/v1/1001/chats", 200, id="full-reads"),
        pytest.param("readonly", "GET", "/v1/1001/chats", 200, id="read-only-reads"),
        pytest.param("readonly", "DELETE", "/v1/1001/chats/50001", 403, id="read-only-writes-not"),
        pytest.param("chats", "GET", "/v1/1001/chats", 200, id="chats-lists-chats"),
        pytest.param("chats", "GET", "/v1/1001/tags", 403, id="chats-lists-no-tags"),
    ],
)
def test_seeded_roles(key: str, method: str, path: str, status: int, own_app: MockFlask) -> None:
    """The roles of the seeded world grant what their names say."""
    headers = {"Authorization": f"Bearer fm_api_test_{key}"}
    response = own_app.test_client().open(path, method=method, headers=headers)

    assert status == response.status_code, response.text
