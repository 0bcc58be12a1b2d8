"""The first step: a key in one of two headers, or 401 and nothing spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockserver import rules

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from mockserver.rules import Rule
    from tests.conftest import NewTenant, Tenant

REFUSED: dict[str, tuple[dict[str, str], Rule]] = {
    "nothing": ({}, rules.KEY_MISSING),
    "empty-headers": ({"Authorization": "", "X-API-Key": " "}, rules.KEY_MISSING),
    "scheme-alone": ({"Authorization": "Bearer"}, rules.KEY_MISSING),
    "scheme-and-space": ({"Authorization": "Bearer  "}, rules.KEY_MISSING),
    "key-alone": ({"Authorization": "{key}"}, rules.KEY_MISSING),
    "basic": ({"Authorization": "Basic {key}"}, rules.KEY_MISSING),
    "token": ({"Authorization": "Token {key}"}, rules.KEY_MISSING),
    "other-header": ({"API-Key": "{key}"}, rules.KEY_MISSING),
    "unknown": ({"Authorization": "Bearer fm_api_nobody"}, rules.KEY_INVALID),
    "unknown-x": ({"X-API-Key": "fm_api_nobody"}, rules.KEY_INVALID),
    "shortened": ({"Authorization": "Bearer fm_api_test"}, rules.KEY_INVALID),
    "other-case": ({"Authorization": "Bearer {upper}"}, rules.KEY_INVALID),
    "no-ascii": ({"Authorization": "Bearer fm_api_\xe9"}, rules.KEY_INVALID),
    "revoked": ({"Authorization": "Bearer {revoked}"}, rules.KEY_REVOKED),
    "revoked-x": ({"X-API-Key": "{revoked}"}, rules.KEY_REVOKED),
    "expired": ({"Authorization": "Bearer {expired}"}, rules.KEY_EXPIRED),
    "expired-x": ({"X-API-Key": "{expired}"}, rules.KEY_EXPIRED),
    "two-keys": ({"Authorization": "Bearer {key}", "X-API-Key": "{second}"}, rules.TWO_KEYS),
    "two-keys-one-bad": ({"Authorization": "Bearer x", "X-API-Key": "{key}"}, rules.TWO_KEYS),
}


def keys_of(tenant: Tenant) -> dict[str, str]:
    return {
        "key": tenant.key,
        "upper": tenant.key.upper(),
        "second": tenant.mint(),
        "revoked": tenant.mint(revoked=True),
        "expired": tenant.mint(expires=tenant.organization.clock.now() - 1),
    }


@pytest.mark.shows(
    rules.KEY_MISSING, rules.KEY_INVALID, rules.KEY_REVOKED, rules.KEY_EXPIRED,
    rules.OTHER_SCHEME, rules.TWO_KEYS, rules.NO_CREDIT_401,
)  # fmt: skip
def test_refuses_without_spending(operation: Operation, tenant: Tenant) -> None:
    """Every form of a bad key is 401 for the reason it is bad, and no window moves."""
    keys, left = keys_of(tenant), tenant.left
    wrong: dict[str, Any] = {}
    for case, (headers, rule) in REFUSED.items():
        sent = {name: value.format(**keys) for name, value in headers.items()}
        response = tenant.call(operation, key=None, headers=sent)
        if (response.status_code, response.headers["X-Mock-Rule"]) != (401, rule.id):
            wrong[case] = (response.status_code, response.headers.get("X-Mock-Rule"), response.text)

    assert {} == wrong
    assert left == tenant.left


ACCEPTED: dict[str, dict[str, str]] = {
    "bearer": {"Authorization": "Bearer {key}"},
    "lower": {"Authorization": "bearer {key}"},
    "upper": {"Authorization": "BEARER {key}"},
    "spaces": {"Authorization": "Bearer   {key}  "},
    "x-api-key": {"X-API-Key": "{key}"},
    "same-twice": {"Authorization": "Bearer {key}", "X-API-Key": "{key}"},
    "beside-basic": {"Authorization": "Basic eDp5", "X-API-Key": "{key}"},
}


@pytest.mark.shows(rules.BEARER, rules.X_API_KEY, rules.SCHEME_CASE, rules.TWO_KEYS)
def test_accepts(operation: Operation, new_tenant: NewTenant) -> None:
    """A key authenticates in either header, however the scheme is spelled."""
    statuses = {}
    for case, headers in ACCEPTED.items():
        tenant = new_tenant()
        sent = {name: value.format(key=tenant.key) for name, value in headers.items()}
        statuses[case] = tenant.call(operation, key=None, headers=sent).status_code

    assert dict.fromkeys(ACCEPTED, 200) == statuses


@pytest.mark.shows(rules.HEADERS_EQUIVALENT)
def test_headers_are_equivalent(operation: Operation, new_tenant: NewTenant) -> None:
    """In two organizations alike, both forms give the same answer and leave the same headroom."""
    one, two = new_tenant(), new_tenant()
    bearer = one.call(operation)
    header = two.call(operation, key=None, headers={"X-API-Key": two.key})

    assert 200 == bearer.status_code == header.status_code
    assert bearer.get_json() == header.get_json()
    assert one.headroom == two.headroom


@pytest.mark.shows(rules.HEADERS_EQUIVALENT, rules.SHARED_BY_ORG)
def test_headers_draw_on_the_same_windows(tenant: Tenant) -> None:
    """The second form reports the headroom that the first one left."""
    first = tenant.call("listAccounts").get_json()["_meta"]["_rate_limits"]
    second = tenant.call("listAccounts", key=None, headers={"X-API-Key": tenant.mint()})

    assert first["remaining_minute"] - 1 == tenant.headroom.remaining_minute
    assert (
        first | {"remaining_minute": 998, "remaining_day": 49_998}
        == (second.get_json()["_meta"]["_rate_limits"])
    )


@pytest.mark.shows(rules.EXPIRY_INSTANT)
@pytest.mark.parametrize(
    ("seconds", "status"),
    [(-86_400, 200), (-0.001, 200), (0, 401), (0.001, 401), (86_400, 401)],
    ids=["a-day-before", "just-before", "at", "just-after", "a-day-after"],
)
def test_expires_at_its_instant(seconds: float, status: int, tenant: Tenant) -> None:
    """A key is valid strictly before its expiry instant."""
    clock = tenant.organization.clock
    instant = clock.now() + 100_000
    key = tenant.mint(expires=instant)
    clock.freeze(instant + seconds)

    assert status == tenant.call("listAccounts", key=key).status_code


@pytest.mark.shows(rules.KEY_REVOKED)
def test_revoked_while_in_use(tenant: Tenant) -> None:
    """A key works until it is revoked, and its organization's other keys go on working."""
    second = tenant.mint()
    before = tenant.call("listAccounts", key=second).status_code
    tenant.world.keys[second].revoke()

    assert 200 == before
    assert 401 == tenant.call("listAccounts", key=second).status_code
    assert 200 == tenant.call("listAccounts").status_code


@pytest.mark.shows(rules.HEALTH_OPEN)
@pytest.mark.parametrize("header", ["", "Bearer fm_api_nobody", "Basic x"])
def test_health_is_open(operation: Operation, header: str, tenant: Tenant) -> None:
    """No key is needed, a bad one doesn't matter, and nothing is spent."""
    left = tenant.left
    headers = {"Authorization": header} if header else {}
    response = tenant.call(operation, key=None, headers=headers)

    assert 200 == response.status_code
    assert operation.success_example == response.get_json()
    assert left == tenant.left


def test_key_in_the_query_is_no_key(tenant: Tenant) -> None:
    """Keys belong into headers: one in the URL would end up in logs."""
    response = tenant.client.get(f"/v1/accounts?api_key={tenant.key}&key={tenant.key}")

    assert 401 == response.status_code
    assert rules.KEY_MISSING.id == response.headers["X-Mock-Rule"]
