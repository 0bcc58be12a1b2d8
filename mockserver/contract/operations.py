"""The records that the rest of the suite reads instead of the document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mockserver.rules import Level, Scope

JSON = Any
"""A JSON value; its shape is what the contract's schemas check."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path or query parameter with its references resolved."""

    name: str
    location: str
    required: bool
    schema: Mapping[str, JSON]
    """The JSON Schema of the decoded value, one level resolved."""
    reference: str
    """The URI of the schema inside the document, for compiling."""
    example: JSON = None

    @property
    def type(self) -> str:
        """The JSON type that the text of the request is decoded to."""
        return str(self.schema.get("type", "string"))

    @property
    def default(self) -> JSON:
        """The value of an absent parameter, or ``None``."""
        return self.schema.get("default")


@dataclass(frozen=True, slots=True)
class Pagination:
    """How an operation hands out its pages (`x-pagination`)."""

    style: str
    """``offset``, ``date``, ``marker``, ``last_id`` or ``id``."""
    size: int | None = None
    """Items on a page where no parameter says it."""
    cap: int | None = None
    """The largest page; a larger ``limit`` is clamped to it, as the page documents."""
    drops: tuple[str, ...] = ()
    """Parameters that the page's own example of `next_page` leaves out, so that a server may do so too."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What an operation does to the mock's world (`x-resource`); see ``docs/contract.md``."""

    action: str
    collection: str | None = None
    options: Mapping[str, JSON] = None  # type: ignore[assignment]  # always set by the loader


@dataclass(frozen=True)
class Operation:
    """One method on one path, with everything the contract says about it."""

    id: str
    method: str
    path: str
    tag: str
    summary: str
    permission: str | None
    """The permission that a key's role must grant; ``None`` where no key is needed."""
    level: Level
    source: str
    upstream: bool
    charges: int
    pagination: Pagination | None
    exclusive: tuple[tuple[str, ...], ...]
    resource: Resource
    parameters: tuple[Parameter, ...]
    body: str | None
    """The URI of the request body's schema, or ``None``."""
    body_members: frozenset[str]
    """The members that the body's schema names; others are ignored."""
    body_required: bool
    body_example: JSON
    data_schema: Mapping[str, JSON]
    """The schema of a success's ``data``, one level resolved; empty where there is no envelope."""
    success: str
    """The URI of the schema of the whole successful answer."""
    success_example: JSON
    statuses: tuple[int, ...]
    """Every status that the contract lists for this operation."""

    @cached_property
    def authenticated(self) -> bool:
        """Whether a key is needed."""
        return self.permission is not None

    @property
    def label(self) -> str:
        """The method and the path, as people write them."""
        return f"{self.method} {self.path}"

    @cached_property
    def writes(self) -> bool:
        """Whether the operation changes something."""
        return self.method != "GET"

    @property
    def on_account(self) -> bool:
        """Whether the operation is scoped to one connected account."""
        return "{account_id}" in self.path

    @cached_property
    def path_parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the path."""
        return tuple(p for p in self.parameters if p.location == "path")

    @cached_property
    def query_parameters(self) -> tuple[Parameter, ...]:
        """The parameters in the query string."""
        return tuple(p for p in self.parameters if p.location == "query")

    @property
    def looks_up(self) -> bool:
        """Whether the operation names one record of an account in its path."""
        return any(p.name != "account_id" and "enum" not in p.schema for p in self.path_parameters)

    def in_scope(self, scope: Scope) -> bool:
        """Whether a rule of this scope applies to the operation."""
        return {
            Scope.ANY: True,
            Scope.OPEN: not self.authenticated,
            Scope.AUTHENTICATED: self.authenticated,
            Scope.WRITES: self.authenticated and self.writes,
            Scope.ACCOUNT: self.on_account,
            Scope.UPSTREAM: self.upstream,
            Scope.UPSTREAM_ACCOUNT: self.upstream and self.on_account,
            Scope.LOCAL_ACCOUNT: self.on_account and not self.upstream,
            Scope.LOOKUP: self.looks_up,
            Scope.QUERY: any(
                p.type != "string" or "pattern" in p.schema for p in self.query_parameters
            ),
            Scope.ENUM: any("enum" in p.schema for p in self.parameters),
            Scope.BODY: self.body is not None,
            Scope.PAGED: self.pagination is not None,
        }[scope]


@dataclass(frozen=True)
class Contract:
    """The whole contract: its operations by id, and the document they came from."""

    document: Mapping[str, JSON]
    source: str
    """The file that the document was read from."""
    operations: Mapping[str, Operation]

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations.values())

    def __len__(self) -> int:
        return len(self.operations)

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Every permission that an operation needs."""
        return frozenset(op.permission for op in self if op.permission)

    def in_scope(self, scope: Scope) -> list[Operation]:
        """Return the operations that a rule of this scope applies to."""
        return [op for op in self if op.in_scope(scope)]
