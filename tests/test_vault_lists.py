"""The vault's lists in the order that was asked for, also after they have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Tenant


def shown(tenant: Tenant) -> list[int]:
    """Return the ids of the lists in the order in which they are listed."""
    return [row["id"] for row in tenant.data("listVaultLists", query={"limit": 100})["list"]]


@pytest.mark.parametrize("sort", ["media", "recent", "name", "default"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_vault_lists_are_sorted(sort: str, order: str, tenant: Tenant) -> None:
    """By the number of items, the last change, the name; by age where OnlyFans decides."""
    lists = tenant.organization.accounts[1001].collection("vault_lists")
    keys = {"media": "mediaIds", "recent": "changedAt", "name": "name", "default": "id"}

    def key(record: Any) -> Any:
        value = record[keys[sort]]
        return len(value) if sort == "media" else value

    lists.change(lists.rows()[2:3], {"changedAt": "2026-01-31T12:00:00+00:00"})
    tenant.data("sortVaultLists", body={"sort": sort, "order": order})
    ids = shown(tenant)
    sorted_keys = [key(lists.get(lists.find("id", id)[0])) for id in ids]

    assert len(set(sorted_keys)) > 2
    assert sorted(sorted_keys, reverse=order == "desc") == sorted_keys


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("renameVaultList", {"name": "Espresso at home"}),
        ("addVaultListMedia", {"mediaIds": [30020]}),
        ("removeVaultListMedia", None),
    ],
)
def test_a_changed_vault_list_is_the_most_recent(operation: str, body: Any, tenant: Tenant) -> None:
    """Where the lists are kept in the order of their last change, the one that has just been changed leads."""
    tenant.data("sortVaultLists", body={"sort": "recent", "order": "desc"})
    before = shown(tenant)[0]
    tenant.data(operation, body=body, path_arguments={"list_id": 901, "media_id": 30001})
    after = shown(tenant)[0]

    assert before != 901
    assert 901 == after


@pytest.mark.parametrize(
    ("order", "place"),
    [
        pytest.param({"sort": "name", "order": "asc"}, -1, id="name"),
        pytest.param({"sort": "default", "order": "desc"}, 0, id="default"),
        pytest.param({"sort": "media", "order": "asc"}, 0, id="media"),
        pytest.param({"sort": "custom", "customOrder": [*range(926, 900, -1)]}, 0, id="custom"),
    ],
)
def test_a_new_vault_list_takes_its_place(order: Any, place: int, tenant: Tenant) -> None:
    """The order is stored, not applied once."""
    tenant.data("sortVaultLists", body=order)
    before = shown(tenant)
    new = tenant.data("createVaultList", body={"name": "Zest"})["id"]
    after = shown(tenant)

    assert new == after.pop(place)
    assert before == after


def test_vault_lists_are_sorted_as_they_are_named(tenant: Tenant) -> None:
    """A custom order names each list once; another one is refused, and changes nothing."""
    ids = shown(tenant)
    own = [*ids[1::2], *ids[::2]]
    tenant.data("sortVaultLists", body={"sort": "custom", "customOrder": own})
    wrong = [ids[1:], [*ids, ids[0]], [*ids[1:], 987_654], []]
    statuses = [
        tenant.call("sortVaultLists", body={"sort": "custom", "customOrder": order}).status_code
        for order in wrong
    ]

    assert [400] * 4 == statuses
    assert own != ids
    assert own == shown(tenant)
