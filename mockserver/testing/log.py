"""What a client asked: the organization's journal, as a sequence to look through and to assert on."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, overload
from urllib.parse import parse_qs

from mockserver.testing.frames import says_all
from mockserver.words import plural

__tracebackhide__ = says_all

ALL = 100_000
"""More requests than a journal ever holds."""

SHOWN = 40
"""Requests that a message shows at most."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that reached the organization, and how it was answered."""

    at: float
    """When it came, in seconds since the epoch of the organization's clock."""
    method: str
    path: str
    query: str
    """The raw query string."""
    headers: Mapping[str, str]
    """Lower-case names; never the ones that carry the key."""
    body: str
    operation: str | None
    """The operation's id, or ``None`` when no route matched."""
    status: int
    rule: str | None
    """The rule that refused, if one did."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the journal of this mock records."""

    @classmethod
    def of(cls, exchange: Mapping[str, Any]) -> Self:
        """Return the request that an entry of the control API's journal describes."""
        known = {name: exchange[name] for name in _FIELDS}
        return cls(**known, more={k: v for k, v in exchange.items() if k not in _FIELDS})

    @property
    def params(self) -> dict[str, list[str]]:
        """The decoded query parameters."""
        return parse_qs(self.query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The decoded body. Raises ``ValueError`` when it is no JSON."""
        return json.loads(self.body)

    def is_surprise(self, expected: Collection[int | str]) -> bool:
        """Whether it was refused, and neither a planted fault nor what is ``expected`` (statuses, rules) said so."""
        known = self.status in expected or self.rule in expected
        return self.status >= 400 and not known and not self.more.get("fault")

    def __str__(self) -> str:
        target = f"{self.path}?{self.query}" if self.query else self.path
        return f"{self.method} {target} -> {self.status}" + (f" ({self.rule})" if self.rule else "")


_FIELDS = ("at", "method", "path", "query", "headers", "body", "operation", "status", "rule")


class Requests(Sequence[Request]):
    """Requests in the order they came. It stands still: ask the organization again for newer ones."""

    def __init__(
        self,
        requests: Iterable[Request],
        resolve: Callable[[str], str],
        what: tuple[str, str] = ("request", ""),
        among: Requests | None = None,
        *,
        lost: int = 0,
    ) -> None:
        """Hold ``requests``, some of those ``among``; ``resolve`` finds an operation's id.

        ``what`` is the noun that messages count, and what follows it; ``lost`` counts the earlier
        requests that the journal didn't keep.
        """
        self._requests = tuple(requests)
        self._resolve = resolve
        self._what = what
        self._among = self if among is None else among
        self._lost = lost

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> Requests: ...
    def __getitem__(self, index: int | slice) -> Request | Requests:
        if isinstance(index, slice):
            return self._narrowed(self._requests[index], self._what)
        return self._requests[index]

    def __repr__(self) -> str:
        return f"<{self._counted(len(self))}>"

    def __str__(self) -> str:
        return table(self, self._lost)

    @property
    def lost(self) -> int:
        """How many came before these and were not kept: the journal was full, see ``journal_size``."""
        return self._lost

    @property
    def last(self) -> Request:
        """The latest request. Raises ``AssertionError`` when there is none."""
        if not self._requests:
            noun, rest = self._what
            raise AssertionError(f"there are no {noun}s{rest}\n{self._seen()}")
        return self._requests[-1]

    @property
    def statuses(self) -> list[int]:
        """The status of each answer."""
        return [request.status for request in self]

    @property
    def refused(self) -> Requests:
        """The ones that were answered with an error."""
        return self.where(lambda request: request.status >= 400)

    def to(self, operation: str) -> Requests:
        """Return those to one operation: ``GET /v1/{account_id}/chats``, or its id.

        Raises ``Misuse``, which names the nearest one, when the contract has no such operation.
        """
        id = self._resolve(operation)
        found = (r for r in self if r.operation == id)
        return self._narrowed(found, ("request", f" to {operation}"))

    def where(
        self,
        matches: Callable[[Request], bool] | None = None,
        *,
        status: int | None = None,
        header: tuple[str, str] | None = None,
        param: tuple[str, str] | None = None,
        body: str | None = None,
        since: datetime | None = None,
    ) -> Requests:
        """Return those that meet every condition.

        Conditions are a function, the status, a header or a query parameter with its value, a part of
        the body, and the time at which it came or before it. That is the organization's time, which may
        be ahead of this machine's, and whose ``clock.now`` is a whole second: to tell apart what came
        within one, take a slice, as ``org.requests[seen:]``.
        """
        tests: list[Callable[[Request], bool]] = [matches] if matches else []
        if status is not None:
            tests.append(lambda r: r.status == status)
        if header is not None:
            tests.append(lambda r: r.headers.get(header[0].lower()) == header[1])
        if param is not None:
            tests.append(lambda r: param[1] in r.params.get(param[0], ()))
        if body is not None:
            tests.append(lambda r: body in r.body)
        if since is not None:
            tests.append(lambda r: r.at >= since.timestamp())
        found = (r for r in self if all(test(r) for test in tests))
        noun, rest = self._what
        return self._narrowed(found, (f"matching {noun}", rest))

    def once(self) -> Request:
        """Return the one request. Raises ``AssertionError`` as ``times`` does."""
        return self.times(1)[0]

    def never(self) -> None:
        """Raise ``AssertionError`` when there are any, or when nobody can say; see ``times``."""
        self.times(0)

    def times(self, count: int) -> Requests:
        """Return these requests. Raises ``AssertionError`` unless there are exactly ``count``.

        It is also raised when some were ``lost``, for then nobody can say how many there were.
        """
        if len(self) != count:
            due = self._counted(count)
            raise AssertionError(f"expected {due}, got {len(self)}\n{self._seen()}")
        if self._lost:
            raise AssertionError(not_kept(self._lost))
        return self

    def _counted(self, count: int) -> str:
        noun, rest = self._what
        return plural(count, noun) + rest

    def _narrowed(self, requests: Iterable[Request], what: tuple[str, str]) -> Requests:
        return Requests(requests, self._resolve, what, self._among, lost=self._lost)

    def _seen(self) -> str:
        return f"the client asked:\n{self._among}"


def table(requests: Sequence[Request], lost: int = 0) -> str:
    """Return the last requests as lines, for messages, after what was left out or ``lost``."""
    left_out = len(requests) - SHOWN
    head = [f"  ... {left_out} before these"] if left_out > 0 else []
    if lost:
        head.insert(0, f"  ... {lost} that the journal didn't keep")
    return "\n".join([*head, *(f"  {request}" for request in requests[-SHOWN:])]) or "  nothing"


def not_kept(lost: int) -> str:
    """Return why nothing can be asserted of all requests, and what to do about it."""
    return (
        f"the journal didn't keep the first {plural(lost, 'request')}, so nobody can say what they were;"
        " make the organization with a larger journal_size, or assert earlier"
    )
