"""The steps about the account: it must be the organization's, and connected where upstream is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver import rules
from mockserver.seeds import AccountSeed

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from tests.conftest import NewTenant, Tenant

HEALTHY, SYNC_LOST = 1001, 1003


@pytest.mark.shows(rules.ORG_BOUNDARY)
def test_refuses_an_account_of_another_organization(
    operation: Operation, new_tenant: NewTenant
) -> None:
    """404 whether the account is somebody else's or nobody's, and its owner's records stay."""
    tenant, owner = new_tenant(), new_tenant(accounts=(AccountSeed(7_001),))
    records = owner.records()
    answers = {
        account: tenant.call(operation, path_arguments={"account_id": account})
        for account in (7_001, 999_999, 2**62)
    }

    assert {7_001: 404, 999_999: 404, 2**62: 404} == {
        account: answer.status_code for account, answer in answers.items()
    }
    assert {rules.ORG_BOUNDARY.id} == {a.headers["X-Mock-Rule"] for a in answers.values()}
    assert records == owner.records()
    assert (1_000, 50_000) == owner.left


@pytest.mark.shows(rules.SYNC_LOST)
def test_upstream_needs_the_session(operation: Operation, tenant: Tenant) -> None:
    """424 while the session is lost, without effect; once it is restored the answer comes."""
    account = tenant.organization.accounts[HEALTHY]
    records = tenant.records()
    account.lose_sync()
    refused = tenant.call(operation)
    untouched = tenant.records()
    account.restore_sync()
    accepted = tenant.call(operation)

    assert (424, rules.SYNC_LOST.id) == (refused.status_code, refused.headers["X-Mock-Rule"])
    assert records == untouched
    assert 200 == accepted.status_code, accepted.text


@pytest.mark.shows(rules.SYNC_LOST_LOCAL)
def test_own_data_needs_no_session(operation: Operation, tenant: Tenant) -> None:
    """FansMetric's own data is answered for an account in sync_lost too."""
    response = tenant.call(operation, path_arguments={"account_id": SYNC_LOST})

    assert 200 == response.status_code, response.text


def test_a_lost_session_concerns_one_account(tenant: Tenant) -> None:
    """The organization's other accounts, and its list of accounts, go on working."""
    statuses = {
        account: tenant.call("listChats", path_arguments={"account_id": account}).status_code
        for account in tenant.organization.accounts
    }
    states = {account["id"]: account["state"] for account in tenant.data("listAccounts")["list"]}

    assert {1001: 200, 1002: 200, 1003: 424} == statuses
    assert {1001: "connected", 1002: "connected", 1003: "sync_lost"} == states


def test_an_account_has_one_username(new_tenant: NewTenant) -> None:
    """Links name the account as it names itself, also where another organization has one with its id."""
    for username in ("heron", "wren"):
        tenant = new_tenant(accounts=(AccountSeed(HEALTHY, username=username),))
        # Read first: until they write, both look at one collection, which remembers answers.
        listed = tenant.data("listTrialLinks", query={"limit": 100})["list"]
        one = tenant.data("getTrialLink")
        made = tenant.data("createTrialLink")

        assert username == tenant.data("getCurrentAccount")["username"]
        assert {username} == {link["user"]["username"] for link in (made, one, *listed)}


def test_same_account_id_in_two_organizations(new_tenant: NewTenant) -> None:
    """Two organizations may have an account 1001: each sees its own."""
    one, two = new_tenant(), new_tenant()
    one.organization.accounts[HEALTHY].lose_sync()

    assert 424 == one.call("listChats").status_code
    assert 200 == two.call("listChats").status_code
