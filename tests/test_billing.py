"""The fourth step: no active subscription, no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockserver import rules
from mockserver.seeds import Subscription

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from tests.conftest import NewTenant, Tenant


@pytest.mark.shows(rules.NO_SUBSCRIPTION, rules.PAST_DUE)
def test_refuses_without_an_active_subscription(operation: Operation, tenant: Tenant) -> None:
    """402 on every authenticated operation, charged, and nothing changes."""
    records, found = tenant.records(), []
    for subscription in (Subscription.NONE, Subscription.PAST_DUE):
        tenant.organization.subscription = subscription
        response = tenant.call(operation)
        found.append((response.status_code, response.headers["X-Mock-Rule"]))

    assert [(402, rules.NO_SUBSCRIPTION.id), (402, rules.PAST_DUE.id)] == found
    assert (998, 49_998) == tenant.left
    assert records == tenant.records()


def test_follows_the_subscription(tenant: Tenant) -> None:
    """Billing that lapses and is repaired shows at once, for every key of the organization."""
    keys = [tenant.key, tenant.mint("api_accounts_list")]
    statuses = []
    for subscription in (Subscription.PAST_DUE, Subscription.NONE, Subscription.ACTIVE):
        tenant.organization.subscription = subscription
        statuses += [tenant.call("listAccounts", key=key).status_code for key in keys]

    assert [402, 402, 402, 402, 200, 200] == statuses


def test_concerns_one_organization(new_tenant: NewTenant) -> None:
    """What one organization owes is no other's trouble; the open route answers anyway."""
    debtor, payer = new_tenant(subscription=Subscription.PAST_DUE), new_tenant()

    assert 402 == debtor.call("listAccounts").status_code
    assert 200 == payer.call("listAccounts").status_code
    assert 200 == debtor.call("getHealth").status_code
