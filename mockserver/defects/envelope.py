"""Defects of what a success looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver import rules
from mockserver.defects.site import Defect, Site
from mockserver.envelope import Reply


class MetaMissing(Defect):
    """A success has no `_meta`."""

    rule = rules.ENVELOPE

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: {k: v for k, v in body.items() if k != "_meta"})


class EnvelopeMissing(Defect):
    """A success is the bare data."""

    rule = rules.ENVELOPE

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: body["data"])


class StatusBesideData(Defect):
    """A success has a further member, `status`."""

    rule = rules.ENVELOPE

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: body.update(status="ok"))


class ErrorNullOnSuccess(Defect):
    """A success of a write has `error: null`."""

    rule = rules.ENVELOPE

    def plant(self, site: Site) -> None:
        site.rewrite_json(
            lambda body: body.update(error=None), when=lambda: site.here.operation.writes
        )


class ValidRequestFails(Defect):
    """A valid request for the lists of chats is answered with a flat 500."""

    rule = rules.ENVELOPE
    operation = "listChatLists"

    def plant(self, site: Site) -> None:
        def failing(reply: Reply) -> Reply:
            here = site.here.operation.id == self.operation and reply.status == 200
            return replace(reply, status=500, body=b'{"error":"Not now."}') if here else reply

        site.rewrite(failing)


class CreatedOnPosts(Defect):
    """A success of a POST is a 201."""

    rule = rules.ENVELOPE

    def plant(self, site: Site) -> None:
        def created(reply: Reply) -> Reply:
            here = site.here.method == "POST" and reply.status == 200
            return replace(reply, status=201) if here else reply

        site.rewrite(created)


class _OnMe(Defect):
    """Base of defects in the data of one operation, the current account."""

    rule = rules.DATA_SCHEMA
    operation = "getCurrentAccount"

    def spoil(self, body: Any) -> None:
        """Change the answer's ``data``."""
        raise NotImplementedError

    def plant(self, site: Site) -> None:
        site.rewrite_json(self.spoil, when=lambda: site.here.operation.id == self.operation)


class MemberMissing(_OnMe):
    """The current account lacks its id."""

    def spoil(self, body: Any) -> None:
        del body["data"]["id"]


class NumberAsText(_OnMe):
    """The current account's id is a string."""

    def spoil(self, body: Any) -> None:
        body["data"]["id"] = str(body["data"]["id"])


class DataIsNull(_OnMe):
    """The current account is `null`."""

    def spoil(self, body: Any) -> None:
        body["data"] = None


class ListIsWrapped(Defect):
    """The list of tags is an object with the list in it."""

    rule = rules.DATA_SCHEMA
    operation = "listTags"

    def plant(self, site: Site) -> None:
        site.rewrite_json(
            lambda body: body.update(data={"tags": body["data"]}),
            when=lambda: site.here.operation.id == self.operation,
        )
