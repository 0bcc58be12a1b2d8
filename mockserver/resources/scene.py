"""What an action or a handler gets to work with, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver import rules
from mockserver.contract import Operation
from mockserver.envelope import Refused
from mockserver.organizations import Account, Organization
from mockserver.resources.projection import Shape
from mockserver.store import Collection
from mockserver.validation import Arguments


@dataclass(frozen=True, slots=True)
class Scene:
    """One valid, permitted request and the part of the world that it may touch."""

    operation: Operation
    arguments: Arguments
    organization: Organization
    account: Account | None
    now: float
    shape: Shape

    def collection(self, name: str) -> Collection:
        """Return the collection ``name`` of the account, or of the organization where accounts share it."""
        if self.account is None or self.organization.shared.is_shared(name):
            return self.organization.collection(name)
        return self.account.collection(name)

    @property
    def named_account(self) -> Account:
        """The account that the path names. Raises ``LookupError`` where it names none."""
        if self.account is None:
            raise LookupError(f"{self.operation.id} is not scoped to an account")
        return self.account

    def find(self, collection: str, field: str, value: Any) -> int:
        """Return the row whose ``field`` equals ``value``.

        Raises ``Refused`` (404) when there is none.
        """
        rows = self.collection(collection).find(field, value)
        if not rows:
            what = collection.rstrip("s").replace("_", " ")
            raise Refused(rules.NOT_FOUND, f"There is no {what} {ascii(value)[:40]}.")
        return rows[0]


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation answers: ``data``, and the query of the next page if there is one."""

    data: Any
    next_query: Mapping[str, Any] | None = None


DONE = Result({"success": True})
"""The answer of a write that has nothing to tell."""
