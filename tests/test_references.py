"""Records refer to each other by id: what is named must be there, and what goes leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.conftest import Tenant

TAG: dict[str, Any] = {"path_arguments": {"tag_id": 35}}
LAST_LIST: dict[str, Any] = {"path_arguments": {"list_id": 832}}


def test_a_deleted_id_is_not_given_out_again(tenant: Tenant) -> None:
    """Also where the delete is the first write there is."""
    tenant.data("deleteTag", **TAG)
    tenant.data("deleteUserList", **LAST_LIST)

    assert 36 == tenant.data("createTag")["id"]
    assert 833 == tenant.data("createUserList")["id"]


def test_a_deleted_tag_leaves_the_links_of_every_account(tenant: Tenant) -> None:
    """Tags are the organization's, so they leave the links of accounts that the path doesn't name too."""

    def tagged() -> list[int]:
        return [
            len(account.collection(links).records())
            for account in tenant.organization.accounts.values()
            for links in ("tracking_links", "trial_links")
            if any(11 in link["fmTags"] for link in account.collection(links).records())
        ]

    before = tagged()
    tenant.data("deleteTag", path_arguments={"tag_id": 11})

    assert [36, 34] * 3 == before
    assert [] == tagged()
    assert [12] == tenant.data("getTrackingLink", path_arguments={"link_id": 4001})["fmTags"]


MASS: dict[str, Any] = {"text": "Hello.", "userLists": [801]}
QUEUED: dict[str, Any] = {"path_arguments": {"queue_id": 70001}}
UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("createTrackingLink", {"body": {"name": "n", "tags": [99999]}}, "There is no tag 99999."),
    ("createTrialLink", {"body": {"name": "n", "subscribeDays": 7, "tags": [9]}}, "There is no tag 9."),
    ("sendMessage", {"body": {"text": "t", "mediaFiles": [9]}}, "There is no vault media 9."),
    ("sendMessage", {"body": {"text": "t", "previews": [9]}}, "There is no vault media 9."),
    ("createPost", {"body": {"text": "t", "mediaFiles": [9]}}, "There is no vault media 9."),
    ("createPost", {"body": {"text": "t", "preview": [9]}}, "There is no vault media 9."),
    ("sendMassMessage", {"body": {**MASS, "userLists": [9]}}, "There is no user list 9."),
    ("sendMassMessage", {"body": {**MASS, "userLists": ["all"]}}, "There is no user list 'all'."),
    ("sendMassMessage", {"body": {**MASS, "userIds": [9]}}, "There is no fan 9."),
    ("sendMassMessage", {"body": {**MASS, "excludedLists": ["9"]}}, "There is no user list 9."),
    ("sendMassMessage", {"body": {**MASS, "mediaFiles": [9]}}, "There is no vault media 9."),
    ("updateMassMessage", {**QUEUED, "body": {"userLists": [9]}}, "There is no user list 9."),
    ("addUserListMembers", {"body": {"userIds": [9]}}, "There is no fan 9."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "changes", "sentence"),
    UNKNOWN,
    ids=[f"{operation}-{list(changes['body'])[-1]}-{n}" for n, (operation, changes, _) in enumerate(UNKNOWN)],
)  # fmt: skip
def test_what_is_named_must_be_there(
    operation: str, changes: dict[str, Any], sentence: str, tenant: Tenant
) -> None:
    """A body that names a record which isn't there is a 404 and writes nothing."""
    before = tenant.records()
    answer = tenant.call(operation, **changes)

    assert (404, sentence) == (answer.status_code, answer.get_json()["error"])
    assert before == tenant.records()


def test_an_id_that_is_sent_twice_counts_once(tenant: Tenant) -> None:
    twice = {"text": "Hello.", "mediaFiles": [30001, 30001]}
    link = tenant.data("createTrackingLink", body={"name": "n", "tags": [12, 11, 12]})
    message = tenant.data("sendMessage", body=twice)
    sent = tenant.data("sendMassMessage", body={**twice, "userIds": [50001, 50001]})

    assert [12, 11] == link["fmTags"]
    assert 1 == message["mediaCount"]
    assert 1 == sent["queue"]["sentCount"]


@pytest.mark.parametrize("lists", [["801"], [801], ["recent"], ["fans", 801]], ids=str)
def test_lists_go_by_number_text_or_slug(lists: list[Any], tenant: Tenant) -> None:
    assert tenant.data("sendMassMessage", body={"text": "Hello.", "userLists": lists})["success"]


@pytest.mark.parametrize(
    "recipients",
    [{}, {"userLists": []}, {"userIds": []}, {"userLists": [], "userIds": [], "excludedLists": [801]}],
    ids=str,
)  # fmt: skip
def test_a_mass_message_needs_a_recipient(recipients: dict[str, Any], tenant: Tenant) -> None:
    answer = tenant.call("sendMassMessage", body={"text": "Hello.", **recipients})

    assert 400 == answer.status_code
    assert "userLists" in answer.get_json()["error"]


def test_a_queued_message_keeps_a_recipient(tenant: Tenant) -> None:
    """The lists may go if fans are named instead."""
    nobody = tenant.call("updateMassMessage", **QUEUED, body={"userLists": []})
    instead = {"userLists": [], "userIds": [50001]}

    assert 400 == nobody.status_code
    assert "at least one recipient" in nobody.get_json()["error"]
    assert 200 == tenant.call("updateMassMessage", **QUEUED, body=instead).status_code
