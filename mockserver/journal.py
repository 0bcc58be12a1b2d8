"""What was asked and what was answered: bounded rings of exchanges, oldest first out.

Each organization has a journal, and the world has one for requests that named none.
All journals of a world stand on one shelf, which bounds what they hold together:
an exchange is kept while it is among the last ones of its journal, and the shelf has room.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mockserver.call import Wire

CAPACITY = 1_000
"""Exchanges kept in one journal, unless its organization asks for another number."""

BUDGET = 64 * 1_048_576
"""Bytes that all journals of a world hold together, by the weight of their exchanges."""

BODY_KEPT = 4_096
"""Bytes of a request's body that are kept."""

TEXT_KEPT = 1_024
"""Characters of a path, a query or a header's value that are kept."""

HEADERS_KEPT = 64
"""Headers of a request that are kept."""

OVERHEAD = 700
"""Bytes of an exchange beside its texts, roughly."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a journal shows of a request whatever its body and its answer are, with keys masked."""

    method: str
    path: str
    query: str
    """The query as sent."""
    headers: Mapping[str, str]
    """The headers, lower-case names, without the ones that carry the key."""
    key_places: tuple[str, ...] = ()
    """Where keys stood: ``authorization``, ``x-api-key``, ``query``."""
    weight: int = OVERHEAD
    """The bytes that it takes in a journal, roughly: its path, query and headers, and ``OVERHEAD``."""


@dataclass(slots=True)  # not frozen: making one is a part of every request
class Exchange:
    """One request and its answer, not to be changed; the key itself is never kept."""

    at: float
    """When it was answered, in seconds since the epoch of the organization's clock."""
    clocked: float
    """The same in real time, on a stopwatch that no clock's mode moves."""
    took: float
    """Seconds of real time that the answer took."""
    seen: int
    """The exchanges that the journal had when this request began: none of them was in flight with it."""
    organization: str | None
    shown: Shown
    """What was asked; requests that repeat each other share it."""
    body: bytes
    """The first bytes of the body, as far as it was read."""
    body_size: int
    operation: str | None
    status: int
    rule: str | None = None
    """The rule that refused, if one did."""
    fault: str | None = None
    """The planted fault that it met, if it met one."""
    key: str | None = None
    """The id of the key; of an unknown key a mark that tells it from others of this process."""
    recovers: float | None = None
    """After a 429: when the window that refused begins anew."""
    next_page: str | None = None
    """The next page that the answer named."""
    nearest: str | None = None
    """Of an unknown route: the route of the contract that is most like it."""
    wire: Wire | None = None
    """The connection that it came over, where the mock's own server took it."""
    weight: int = 0
    """The bytes that it takes, roughly."""
    number: int = 0
    """Its place among all exchanges of its journal, from 1; given by the journal."""

    @property
    def method(self) -> str:
        """The method that was sent."""
        return self.shown.method

    @property
    def path(self) -> str:
        """The path, decoded."""
        return self.shown.path

    @property
    def query(self) -> str:
        """The query as sent, with keys masked."""
        return self.shown.query

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, lower-case names, without the ones that carry the key."""
        return self.shown.headers

    @property
    def key_places(self) -> tuple[str, ...]:
        """Where keys stood: ``authorization``, ``x-api-key``, ``query``."""
        return self.shown.key_places

    @property
    def url(self) -> str:
        """The path and the query."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Shelf:
    """Holds the journals of one world to a number of bytes, by letting go of the oldest exchange of all."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.weight = 0
        """Bytes that are held now."""
        self.lock = threading.RLock()
        """Held while a journal of the shelf changes."""
        self._order: deque[tuple[Journal, int]] = deque()
        self._live = 0

    def __len__(self) -> int:
        """Exchanges that are held now."""
        return self._live

    @property
    def entries(self) -> int:
        """Entries of the order, those of exchanges that are gone already included."""
        return len(self._order)

    def put(
        self, journal: Journal, place: int, exchange: Exchange, gone: Exchange | None = None
    ) -> None:
        """Count the ``exchange`` that ``journal`` took at ``place``, instead of the oldest one that is ``gone``."""
        order = self._order
        order.append((journal, place))
        self.weight += exchange.weight
        if gone is None:
            self._live += 1
        else:
            self.weight -= gone.weight
            owner, first = order[0]
            if owner is journal and first == place - exchange.number + gone.number:
                order.popleft()
        while self.weight > self.budget:
            owner, oldest = order.popleft()
            owner.let_go(oldest)
        if len(order) > 2 * self._live + CAPACITY:
            self._order = deque(entry for entry in order if entry[0].holds(entry[1]))

    def give_up(self, exchange: Exchange) -> None:
        """Count ``exchange`` as held no more."""
        self._live -= 1
        self.weight -= exchange.weight


class Journal:
    """The last exchanges of one organization, or those that named none."""

    __slots__ = ("_cleared", "_exchanges", "_restored", "_shelf", "capacity", "total")

    def __init__(self, capacity: int = CAPACITY, shelf: Shelf | None = None) -> None:
        self._exchanges: deque[Exchange] = deque()
        self._restored: deque[int] = deque(maxlen=64)
        self._shelf = Shelf() if shelf is None else shelf  # an empty one is falsy
        self._cleared = 0
        """Exchanges that were recorded before it was cleared: numbers begin anew, places on the shelf don't."""
        self.capacity = capacity
        self.total = 0
        """Exchanges recorded since it was cleared, kept or not."""

    def record(self, exchange: Exchange) -> Exchange:
        """Record ``exchange`` under the next number, and return it."""
        shelf, kept = self._shelf, self._exchanges
        shelf.lock.acquire()  # `with` takes twice as long, at every request
        try:
            number = self.total = exchange.number = self.total + 1
            kept.append(exchange)
            gone = kept.popleft() if len(kept) > self.capacity else None
            shelf.put(self, self._cleared + number, exchange, gone)
        finally:
            shelf.lock.release()
        return exchange

    def __iter__(self) -> Iterator[Exchange]:
        """Yield the exchanges that are kept, oldest first."""
        with self._shelf.lock:
            return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    @property
    def last(self) -> Exchange | None:
        """The latest exchange, or ``None``."""
        with self._shelf.lock:
            return self._exchanges[-1] if self._exchanges else None

    def find(self, query: Query) -> list[Exchange]:
        """Return the exchanges that ``query`` matches, oldest first."""
        return [exchange for exchange in self if query.matches(exchange)]

    def clear(self) -> None:
        """Forget every exchange, and begin to count anew."""
        with self._shelf.lock:
            while self._exchanges:
                self._drop()
            self._restored.clear()
            self._cleared += self.total
            self.total = 0

    def restored(self) -> None:
        """Note that somebody gave the windows room by hand: a 429 before this binds nobody any more."""
        with self._shelf.lock:
            self._restored.append(self.total)

    @property
    def restorations(self) -> Sequence[int]:
        """The numbers of the exchanges after which the windows were given room by hand."""
        return tuple(self._restored)

    @property
    def was_used(self) -> bool:
        """Whether anything was ever recorded, also if it was cleared since."""
        return self._cleared + self.total > 0

    def holds(self, place: int) -> bool:
        """Whether the exchange at ``place`` is still kept."""
        number = place - self._cleared
        return bool(self._exchanges) and self._exchanges[0].number <= number <= self.total

    def let_go(self, place: int) -> None:
        """Forget the exchange at ``place``, if it is the oldest that is kept."""
        if self._exchanges and self._exchanges[0].number == place - self._cleared:
            self._drop()

    def _drop(self) -> None:
        self._shelf.give_up(self._exchanges.popleft())


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for in a journal; each part that is given must match."""

    operation: str | None = None
    """An operation's id."""
    method: str | None = None
    status: str | None = None
    """One status, a class or several: ``429``, ``5xx``, ``401,403``."""
    path: str | None = None
    """A glob, such as ``/v1/*/chats``."""
    header: str | None = None
    """A header's name, or ``name:part of the value``; both whatever their case."""
    body: str | None = None
    """A part of the body that was kept."""
    rule: str | None = None
    fault: str | None = None
    key: str | None = None
    since: float | None = None
    """The first instant, in seconds since the epoch of the organization's clock."""
    until: float | None = None
    """The instant before which it must be."""
    after: int = 0
    """The number above which an exchange's own must be."""

    def matches(self, exchange: Exchange) -> bool:
        """Whether ``exchange`` has all that is asked for."""
        return (
            exchange.number > self.after
            and self._equals(exchange)
            and (self.since is None or exchange.at >= self.since)
            and (self.until is None or exchange.at < self.until)
            and (self.path is None or fnmatchcase(exchange.path, self.path))
            and (self.status is None or _has_status(exchange.status, self.status))
            and (self.header is None or _has_header(exchange.headers, self.header))
            and (self.body is None or self.body.encode() in exchange.body)
        )

    def _equals(self, exchange: Exchange) -> bool:
        names = ("operation", "method", "rule", "fault", "key")
        wanted = ((name, getattr(self, name)) for name in names)
        return all(value is None or getattr(exchange, name) == value for name, value in wanted)


def _has_status(status: int, wanted: str) -> bool:
    forms = (str(status), f"{status // 100}xx")
    return any(part.strip().lower() in forms for part in wanted.split(","))


def _has_header(headers: Mapping[str, str], wanted: str) -> bool:
    name, _, part = wanted.partition(":")
    value = headers.get(name.strip().lower())
    return value is not None and part.strip().lower() in value.lower()
