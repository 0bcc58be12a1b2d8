"""A deleted fan list leaves the queued mass messages of its account, and no others."""

from __future__ import annotations

from tests.conftest import Tenant


def naming(tenant: Tenant, account: int) -> int:
    """Return how many items of an account's queue name the list 801, as a number or as text."""
    queue = tenant.records()[f"{account}/mass_message_queue"]
    return sum("801" in map(str, item["userLists"]) for item in queue)


def test_a_deleted_list_leaves_the_queue_of_its_account(tenant: Tenant) -> None:
    """Another account has a list of the same id, which is another list."""
    body = {"text": "Hello.", "userLists": [801, 802], "scheduledDate": "2030-01-31T10:20:30Z"}
    sent = tenant.data("sendMassMessage", body=body)["queue"]["id"]
    before = [naming(tenant, account) for account in (1001, 1002)]
    tenant.data("deleteUserList", path_arguments={"list_id": 801})

    assert min(before) > 0
    assert [0, before[1]] == [naming(tenant, account) for account in (1001, 1002)]
    queue = tenant.records()["1001/mass_message_queue"]
    assert [[802]] == [item["userLists"] for item in queue if item["id"] == sent]
