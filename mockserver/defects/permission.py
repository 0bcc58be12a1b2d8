"""Defects of what a key may do, and of whose accounts it sees."""

from __future__ import annotations

from typing import Any

from mockserver import rules
from mockserver.contract import Operation
from mockserver.defects.site import Defect, Site, Step
from mockserver.envelope import Refused
from mockserver.organizations import Account, Organization
from mockserver.roles import ALL, Key


def _checking(site: Site, refuses: Any) -> None:
    """Let ``refuses(key, operation, original verdict)`` decide who is refused for permission."""

    def make(original: Step) -> Step:
        def check(caller: Key, operation: Operation) -> None:
            granted = caller.role.grants(operation.permission or "")
            if refuses(caller, operation, not granted):
                raise Refused(
                    rules.PERMISSION_REQUIRED,
                    f"The key's role lacks the permission {operation.permission}.",
                )

        return check

    site.step("check_permission", make)


class PermissionNotChecked(Defect):
    """Any key may do anything."""

    rule = rules.PERMISSION_REQUIRED

    def plant(self, site: Site) -> None:
        _checking(site, lambda key, operation, lacks: False)


class PermissionNotCheckedOnMute(Defect):
    """One operation, muting a chat, forgot its permission."""

    rule = rules.PERMISSION_REQUIRED
    operation = "muteChat"

    def plant(self, site: Site) -> None:
        _checking(site, lambda key, operation, lacks: lacks and operation.id != self.operation)


class PermissionNotCheckedOnPatch(Defect):
    """PATCH doesn't ask for a permission."""

    rule = rules.PERMISSION_REQUIRED

    def plant(self, site: Site) -> None:
        _checking(site, lambda key, operation, lacks: lacks and operation.method != "PATCH")


class NeighboursPermission(Defect):
    """Unpinning a message asks for the permission to pin one."""

    rule = rules.PERMISSION_REQUIRED
    operation = "unpinMessage"

    def plant(self, site: Site) -> None:
        def refuses(key: Key, operation: Operation, lacks: bool) -> bool:
            if operation.id != self.operation:
                return lacks
            return not key.role.grants("api_messages_pin")

        _checking(site, refuses)


class SectionsPermissionSuffices(Defect):
    """Any permission of the same section will do: who may read tags may delete them."""

    rule = rules.PERMISSION_REQUIRED

    def plant(self, site: Site) -> None:
        def refuses(key: Key, operation: Operation, lacks: bool) -> bool:
            section = "_".join((operation.permission or "").split("_")[:2])
            return lacks and not any(p.startswith(section) for p in key.role.permissions)

        _checking(site, refuses)


class OnlyFullKeysPass(Defect):
    """Only a key with every permission is let through."""

    rule = rules.PERMISSION_GRANTED

    def plant(self, site: Site) -> None:
        _checking(site, lambda key, operation, lacks: ALL not in key.role.permissions)


class OneOperationWantsMore(Defect):
    """Creating a tag asks for the permission to list tags too."""

    rule = rules.PERMISSION_GRANTED
    operation = "createTag"

    def plant(self, site: Site) -> None:
        _checking(
            site,
            lambda key, operation, lacks: (
                lacks or (operation.id == self.operation and not key.role.grants("api_tags_list"))
            ),
        )


class RefusedWriteWrites(Defect):
    """A write that is refused with 403 is carried out all the same."""

    rule = rules.PERMISSION_NO_EFFECT
    methods = frozenset({"POST", "PUT", "PATCH", "DELETE"})

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def check(caller: Key, operation: Operation) -> None:
                try:
                    original(caller, operation)
                except Refused:
                    if operation.writes and operation.method in self.methods:
                        _carry_out(site, caller.organization, operation)
                    raise

            return check

        site.step("check_permission", make)


class RefusedDeleteDeletes(RefusedWriteWrites):
    """A DELETE that is refused with 403 is carried out all the same."""

    methods = frozenset({"DELETE"})


def _carry_out(site: Site, organization: Organization, operation: Operation) -> None:
    """Do what the present request asks for. Raises ``Refused`` where the request is wrong besides."""
    pipeline = site.pipeline
    arguments = pipeline.validate(site.here.call, operation)
    account = pipeline.find_account(arguments, organization)
    pipeline.engine.carry_out(operation, arguments, organization, account)


class ForeignAccountsOpen(Defect):
    """A key sees and changes every organization's accounts."""

    rule = rules.ORG_BOUNDARY
    writes = frozenset({True, False})

    def plant(self, site: Site) -> None:
        site.pass_over(
            "find_account",
            rules.ORG_BOUNDARY,
            when=lambda: site.here.operation.writes in self.writes,
            instead=lambda arguments, _: _anyones(site, arguments),
        )


class ForeignAccountsWritable(ForeignAccountsOpen):
    """A key changes every organization's accounts, though it doesn't see them."""

    writes = frozenset({True})


class ForeignAccountIs403(Defect):
    """Another organization's account is refused with 403, so that a caller learns that it exists."""

    rule = rules.ORG_BOUNDARY

    def plant(self, site: Site) -> None:
        def forbid(arguments: Any, _: Organization) -> None:
            _anyones(site, arguments)
            raise Refused(rules.ORG_BOUNDARY, "The account isn't yours.", status=403)

        site.pass_over("find_account", rules.ORG_BOUNDARY, instead=forbid)


def _anyones(site: Site, arguments: Any) -> Account:
    """Return the account, whoever owns it. Raises ``Refused`` when nobody does."""
    wanted = arguments.path["account_id"]
    for organization in list(site.mock.world.organizations.values()):
        if wanted in organization.accounts:
            return organization.accounts[wanted]
    raise Refused(rules.ORG_BOUNDARY, "There is no such account.")
