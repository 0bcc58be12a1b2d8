"""An organization's state is written down while others are answered, and while the control API changes it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.organizations import Account, Organization
from mockserver.population import Population
from mockserver.seeds import AccountSeed, OrganizationSeed
from mockserver.state import dump, read
from mockserver.store import Collection


@pytest.fixture(scope="module")
def own_app() -> MockFlask:
    """Return an application none of whose records were made yet."""
    return create_app()


@pytest.fixture
def organization(own_app: MockFlask) -> Organization:
    accounts = (AccountSeed(7_001), AccountSeed(7_002))
    world = own_app.mock.world
    return world.add_organization(OrganizationSeed(id=world.mint_id(), accounts=accounts))


def test_making_records_holds_up_nobody(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes seconds where there are many accounts; a request of the organization would stop all clients."""
    real = Population.collection
    free: list[bool] = []

    def made(population: Population, name: str) -> Collection:
        if name not in population._made:
            free.append(others.submit(is_free, organization).result())
        return real(population, name)

    monkeypatch.setattr(Population, "collection", made)
    with ThreadPoolExecutor(1) as others:
        document = dump(organization, whole=True)

    assert {"7001", "7002", "shared"} == set(document["records"])
    assert len(free) > 10
    assert all(free)


def is_free(organization: Organization) -> bool:
    """Whether another thread gets the lock at once."""
    if not organization.lock.acquire(blocking=False):
        return False
    organization.lock.release()
    return True


@pytest.mark.parametrize("change", ["more", "less"])
def test_accounts_may_come_and_go(
    change: str, organization: Organization, own_app: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written down is what there was when it began, and can be loaded."""
    real = Account.records
    accounts = organization.accounts
    changed = threading.Event()

    def records(account: Account, *, whole: bool = False) -> Mapping[str, Any]:
        if not changed.is_set():
            changed.set()
            if change == "more":
                own_app.mock.world.add_account(organization, AccountSeed(7_003))
            else:
                del accounts[7_002]
        return real(account, whole=whole)

    for account in accounts.values():
        account.load("tags", ())
    monkeypatch.setattr(Account, "records", records)
    document = dump(organization)

    assert [7_001, 7_002] == [account["id"] for account in document["organization"]["accounts"]]
    assert {"7001", "7002"} <= set(document["records"])
    read(document, own_app.mock.contract)
