"""What an action or a handler gets to work with, and what it gives back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mockserver import rules
from mockserver.contract import Operation
from mockserver.envelope import Refused
from mockserver.organizations import Account, Organization
from mockserver.resources.projection import Shape
from mockserver.resources.records import Form
from mockserver.store import Collection, Version
from mockserver.validation import Arguments


@dataclass(slots=True)  # not frozen: making one is a part of many requests
class Scene:
    """One valid, permitted request and the part of the world that it may touch."""

    operation: Operation
    arguments: Arguments
    shape: Shape
    form: Form
    """How the operation's requests become records."""
    _organization: Organization
    account: Account | None
    at: float
    """The organization's time, in seconds since the epoch, for writes: who asks for it here is not noted."""
    seen: dict[str, Version] = field(default_factory=dict)
    """The collections that it looked at by name, each in the version that was first looked at."""
    sees_more: bool = False
    """Whether it looked at something else: the very time, the account, the organization."""
    since: float = -math.inf
    until: float = math.inf
    """The stretch of time in which it sees the same, in seconds since the epoch; the end isn't in it."""

    @property
    def now(self) -> float:
        """The organization's time, in seconds since the epoch."""
        self.sees_more = True
        return self.at

    def seconds_until(self, end: float) -> int:
        """Return how many seconds are left until ``end``, rounded up; 0 once it has passed."""
        left = max(math.ceil(end - self.at), 0)
        self.since = self.at
        if left:
            self.until = min(self.until, end - left + 1)
        return left

    @property
    def organization(self) -> Organization:
        """The organization that asks."""
        self.sees_more = True
        return self._organization

    def collection(self, name: str) -> Collection:
        """Return the collection ``name`` of the account, or of the organization where accounts share it."""
        found = (self.account or self._organization).collections[name]
        self.seen.setdefault(name, found.version)
        return found

    def collections(self, name: str) -> list[Collection]:
        """Return the collection ``name`` of every account of the organization."""
        accounts = self.organization.accounts.values()
        return [account.collections[name] for account in accounts]

    @property
    def account_id(self) -> int | None:
        """The id of the account that the path names, if it names one."""
        self.sees_more = True
        return None if self.account is None else self.account.id

    @property
    def owner(self) -> Account:
        """The account that the path names, for its id and names only: remembered answers are told apart by these.

        Raises ``LookupError`` where it names none.
        """
        if self.account is None:
            raise LookupError(f"{self.operation.id} is not scoped to an account")
        return self.account

    @property
    def named_account(self) -> Account:
        """The account that the path names. Raises ``LookupError`` where it names none."""
        self.sees_more = True
        return self.owner

    def find(self, collection: str, field: str, value: Any) -> int:
        """Return the row whose ``field`` equals ``value``.

        Raises ``Refused`` (404) when there is none.
        """
        rows = self.collection(collection).find(field, value)
        if not rows:
            what = collection.rstrip("s").replace("_", " ")
            raise Refused(rules.NOT_FOUND, f"There is no {what} {ascii(value)[:40]}.")
        return rows[0]


@dataclass(slots=True)  # not frozen: making one is a part of many requests
class Result:
    """What an operation answers: ``data``, and the query of the next page if there is one."""

    data: Any
    next_query: Mapping[str, Any] | None = None


DONE = Result({"success": True})
"""The answer of a write that has nothing to tell."""
