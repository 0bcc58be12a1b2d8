"""Collections of records that are cheap to fork: what two of them share is never changed.

So a thousand organizations share one seeded table until they write; the first write takes a copy.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

Record = Mapping[str, Any]
"""One stored JSON object; replaced as a whole, never changed."""

Version = object
"""Stands for the contents of a collection: a write puts another one in its place."""

_Index = dict[Any, list[int]]
"""Rows or ids, in their order, by the value of a field."""

_MEMO_LIMIT = 64

_numbers: tuple[int, ...] = ()
"""The numbers of rows, up to the longest collection that there was."""


class Collection:
    """An ordered table of records, each under a row number that is never reused.

    Whoever reads or writes the collections of an organization must hold its lock; forks share no lock,
    and what they share is never written to.
    """

    __slots__ = (
        "_ids",
        "_indexes",
        "_is_shared",
        "_next_row",
        "_rows",
        "_top_id",
        "memory",
        "version",
    )

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._rows: dict[int, Record] = _numbered(list(records))
        self._next_row = len(self._rows)
        self.memory: dict[Any, Any] = {}
        """What is remembered until the next write; ``remember`` bounds it."""
        self._indexes: dict[str, _Index] = {}
        self._ids: dict[tuple[str, str | None], _Index] = {}
        self._top_id: int | None = None
        """The largest id that there ever was, once it had to be known: for the next id, or at a removal."""
        self.version: Version = object()
        """Stands for the present contents, to tell later whether something was written since."""
        self._is_shared = False

    def fork(self) -> Collection:
        """Return a collection with the same records that goes its own way from here."""
        twin = Collection.__new__(Collection)
        twin._rows, twin._next_row, twin.memory = self._rows, self._next_row, self.memory
        twin._indexes, twin._ids = self._indexes, self._ids
        twin._top_id, twin.version = self._top_id, self.version
        self._is_shared = twin._is_shared = True
        return twin

    def is_fork_of(self, other: Collection) -> bool:
        """Whether nothing has been written since this one was forked from ``other``."""
        return self.version is other.version

    def __len__(self) -> int:
        return len(self._rows)

    def records(self) -> list[Record]:
        """Return the records in the order in which they came."""
        return list(self._rows.values())

    def find(self, field: str, value: Any) -> list[int]:
        """Return the rows whose ``field`` (dots reach into it) equals ``value``, in order."""
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = _index(field, self._rows.items())
        return list(index.get(value, ()))

    def found(self, field: str, value: Any) -> Iterable[Record]:
        """Yield the records whose ``field`` equals ``value``, in order; for as long as nothing is written."""
        return map(self._rows.__getitem__, self.find(field, value))

    def ids(self, field: str, flag: str | None = None) -> Mapping[Any, Sequence[int]]:
        """Return the whole-numbered ids, smallest first, by the value of ``field``, for as long as nothing is written.

        Where ``flag`` names a field, they are those of the records in which it is true.
        """
        index = self._ids.get((field, flag))
        if index is None:
            found = (record for record in self._rows.values() if _has_id(record, flag))
            in_order = sorted(found, key=itemgetter("id"))
            index = self._ids[field, flag] = _index(field, ((r["id"], r) for r in in_order))
        return index

    def get(self, row: int) -> Record:
        """Return the record in ``row``; raises ``KeyError`` when it is gone."""
        return self._rows[row]

    def rows(self) -> list[int]:
        """Return every row number, in order."""
        return list(self._rows)

    def memo(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return ``compute()``, remembered under ``key`` until the next write."""
        if key not in self.memory:
            self.remember(key, compute())
        return self.memory[key]

    def remember(self, key: Any, value: Any) -> None:
        """Remember ``value`` under ``key`` until the next write, in the place of what was there."""
        if len(self.memory) >= _MEMO_LIMIT:
            self.memory = {}
        self.memory[key] = value

    def add(self, record: Record) -> int:
        """Append ``record`` and return its row."""
        self._begin_write()
        row = self._next_row
        self._next_row = row + 1
        self._rows[row] = record
        if self._indexes or self._ids:
            self._list(row, record)
        top = self._top_id
        if top is not None:
            self._top_id = max(top, _id_of(record))
        return row

    def change(self, rows: Iterable[int], changes: Record) -> None:
        """Put ``changes`` over the fields of the records in ``rows``."""
        fields = changes.items()
        changed = [row for row in rows if not fields <= self._rows[row].items()]
        if not changed:
            return
        self._begin_write()
        for row in changed:
            self._unlist(row)
            record = self._rows[row] = {**self._rows[row], **changes}
            self._list(row, record)

    def remove(self, rows: Iterable[int]) -> None:
        """Take the records in ``rows`` away."""
        gone = set(rows) & self._rows.keys()
        if not gone:
            return
        self._know_top_id()  # or the id of what goes away would be given out again
        self._begin_write()
        for row in gone:
            self._unlist(row)
            del self._rows[row]

    def next_id(self) -> int:
        """Return an id above every integer ``id`` that there ever was in the collection."""
        top = self._top_id
        return (self._know_top_id() if top is None else top) + 1

    def _know_top_id(self) -> int:
        if self._top_id is None:
            self._top_id = max(map(_id_of, self._rows.values()), default=0)
        return self._top_id

    def _begin_write(self) -> None:
        """Forget what was computed, and take a copy of what is shared."""
        self.memory, self.version = {}, object()
        if self._is_shared:
            self._rows, self._indexes, self._ids = dict(self._rows), {}, {}
            self._is_shared = False

    def _list(self, row: int, record: Record) -> None:
        """Put the record in ``row`` into the indexes."""
        for index, value, entry in self._entries(row, record):
            _list(index, value, entry)

    def _unlist(self, row: int) -> None:
        """Take the record in ``row`` out of the indexes."""
        for index, value, entry in self._entries(row, self._rows[row]):
            _unlist(index, value, entry)

    def _entries(self, row: int, record: Record) -> Iterator[tuple[_Index, Any, int]]:
        """Yield each index that lists the record in ``row``, under which value, and as what."""
        for field, index in self._indexes.items():
            yield index, dig(record, field), row
        for (field, flag), index in self._ids.items():
            if _has_id(record, flag):
                yield index, dig(record, field), record["id"]


def _numbered(records: list[Record]) -> dict[int, Record]:
    """Return ``records`` by row, with the same numbers as all collections: each weighs 28 bytes."""
    global _numbers  # noqa: PLW0603 - only ever replaced by a longer one, whoever comes first
    if len(_numbers) < len(records):
        _numbers = tuple(range(2 * len(records)))
    return dict(zip(_numbers, records, strict=False))


def _index(field: str, entries: Iterable[tuple[int, Record]]) -> _Index:
    """Return the index of ``field`` that holds ``entries``, rows or ids with their records, in their order."""
    index: _Index = {}
    for entry, record in entries:
        value = dig(record, field)
        if _is_listed(value):
            index.setdefault(value, []).append(entry)
    return index


def _list(index: _Index, value: Any, entry: int) -> None:
    if _is_listed(value):
        insort(index.setdefault(value, []), entry)


def _unlist(index: _Index, value: Any, entry: int) -> None:
    if not _is_listed(value):
        return
    entries = index[value]
    del entries[bisect_left(entries, entry)]
    if not entries:
        del index[value]


def _has_id(record: Record, flag: str | None) -> bool:
    """Whether ``record`` has a whole-numbered id, and what ``flag`` asks for."""
    return isinstance(record.get("id"), int) and (flag is None or bool(record.get(flag)))


def _is_listed(value: Any) -> bool:
    """Whether an index has ``value``; lists and objects can't be looked up."""
    return not isinstance(value, (list, dict))


def _id_of(record: Record) -> int:
    id = record.get("id")
    return id if isinstance(id, int) else 0


def dig(record: Record, field: str) -> Any:
    """Return the value at ``field``, where dots reach into nested objects; ``None`` when absent."""
    if "." not in field:
        return record.get(field)
    value: Any = record
    for step in field.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value
