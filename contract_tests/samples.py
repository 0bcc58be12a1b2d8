"""A valid request for each operation, made from the contract's examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from contract_tests.exchange import Request, Secret
from mockserver.contract import Operation

JSON_HEADERS = (("Content-Type", "application/json"),)
_PADDING = "padding"
NO_SUCH_ID = 987_654_321_012
"""An id that no example and no seeded record has."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A request for one operation, before it is given a key."""

    operation: Operation
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any = None

    def with_path(self, **values: Any) -> Sample:
        """Return the sample with other path arguments; names that the path doesn't have are ignored."""
        return replace(self, path={n: values.get(n, v) for n, v in self.path.items()})

    def with_query(self, **values: Any) -> Sample:
        """Return the sample with further query parameters."""
        return replace(self, query={**self.query, **values})

    def request(self, *credentials: tuple[str, str, Secret]) -> Request:
        """Return the request, with the headers that carry a key."""
        body = b"" if self.body is None else orjson.dumps(self.body)
        return Request(
            self.operation.method, self.url, JSON_HEADERS if body else (), credentials, body
        )

    def sized(
        self, size: int, *credentials: tuple[str, str, Secret], chunked: bool = False
    ) -> Request:
        """Return the request with a body of so many bytes, padded by a member that nobody knows.

        So its size is the only thing that can be wrong with it.
        """
        known = self.body if isinstance(self.body, dict) else {}
        body = _padded(orjson.dumps({**known, _PADDING: ""}), size)
        return Request(self.operation.method, self.url, JSON_HEADERS, credentials, body, chunked)

    @property
    def url(self) -> str:
        """The path and the query, encoded."""
        path = self.operation.path
        for name, value in self.path.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return f"{path}?{urlencode(self.query, doseq=True)}" if self.query else path


@lru_cache(maxsize=4)
def _padded(bare: bytes, size: int) -> bytes:
    """Return a body that ends in an empty padding, with as much as makes it so large.

    Most operations take none of their own, and their breaches share this one.
    """
    end = b'"}'
    return bare.removesuffix(end) + b"x" * (size - len(bare)) + end


def sample_of(operation: Operation, account: int | None, values: Mapping[str, Any]) -> Sample:
    """Return the example request of ``operation`` on ``account``, with ``values`` of the profile in it."""
    path = {p.name: values.get(p.name, p.example) for p in operation.path_parameters}
    if account is not None and "account_id" in path:
        path["account_id"] = account
    query = {
        p.name: values.get(p.name, p.example) for p in operation.query_parameters if p.required
    }
    return Sample(operation, path, query, operation.body_example)


def bearer(secret: Secret) -> tuple[str, str, Secret]:
    """Return the recommended header form of a key."""
    return ("Authorization", "Bearer ", secret)


def header_key(secret: Secret) -> tuple[str, str, Secret]:
    """Return the other header form of a key."""
    return ("X-API-Key", "", secret)


FORMS = {"Authorization: Bearer": bearer, "X-API-Key": header_key}
"""Both header forms by what they are called in reports."""
