"""What an organization asked and what it was answered: a bounded ring, oldest first out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

CAPACITY = 1_000
"""Exchanges kept per organization."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer; the key itself is never kept."""

    at: float
    """When it came, in seconds since the epoch of the organization's clock."""
    method: str
    path: str
    query: str
    headers: dict[str, str]
    """The request's headers, lower-case names, without the ones that carry the key."""
    body: bytes
    operation: str | None
    status: int
    rule: str | None
    """The rule that refused, if one did."""


class Journal:
    """The last exchanges of one organization."""

    __slots__ = ("_exchanges", "total")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=capacity)
        self.total = 0
        """Exchanges ever recorded, kept or not."""

    def append(self, exchange: Exchange) -> None:
        """Record ``exchange``."""
        self._exchanges.append(exchange)
        self.total += 1

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def clear(self) -> None:
        """Forget every exchange."""
        self._exchanges.clear()
        self.total = 0
