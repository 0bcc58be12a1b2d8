"""Collections of records that are cheap to fork: a write replaces the table, it never changes it in place.

So a thousand organizations share one seeded table until they write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Record = Mapping[str, Any]
"""One stored JSON object; replaced as a whole, never changed."""

Table = dict[int, Record]
"""The records of a collection by row; a write puts a new one in its place."""

_MEMO_LIMIT = 64


class Collection:
    """An ordered table of records, each under a row number that is never reused.

    Whoever reads or writes the collections of an organization must hold its lock; forks share no lock,
    and what they share is never written to.
    """

    __slots__ = ("_memo", "_next_row", "_rows")

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._rows: Table = dict(enumerate(records))
        self._next_row = len(self._rows)
        self._memo: dict[Any, Any] = {}

    def fork(self) -> Collection:
        """Return a collection with the same records that goes its own way from here."""
        twin = Collection.__new__(Collection)
        twin._rows, twin._next_row, twin._memo = self._rows, self._next_row, self._memo
        return twin

    def is_fork_of(self, other: Collection) -> bool:
        """Whether nothing has been written since this one was forked from ``other``."""
        return self._rows is other._rows

    def __len__(self) -> int:
        return len(self._rows)

    def records(self) -> Iterable[Record]:
        """Return the records in the order in which they came."""
        return self._rows.values()

    def find(self, field: str, value: Any) -> list[int]:
        """Return the rows whose ``field`` (dots reach into it) equals ``value``."""
        rows: list[int] = self.memo(("index", field), self._index_by(field)).get(value, [])
        return rows

    def get(self, row: int) -> Record:
        """Return the record in ``row``; raises ``KeyError`` when it is gone."""
        return self._rows[row]

    def rows(self) -> list[int]:
        """Return every row number, in order."""
        return list(self._rows)

    @property
    def table(self) -> Table:
        """The present table, to tell later whether something was written since."""
        return self._rows

    def recalled(self, key: Any) -> Any:
        """Return what ``memo`` remembers under ``key``, or ``None``."""
        return self._memo.get(key)

    def memo(self, key: Any, compute: Callable[[], Any]) -> Any:
        """Return ``compute()``, remembered under ``key`` until the next write."""
        memo = self._memo
        if key not in memo:
            if len(memo) >= _MEMO_LIMIT:
                memo = self._memo = {}
            memo[key] = compute()
        return memo[key]

    def add(self, record: Record) -> int:
        """Append ``record`` and return its row."""
        row = self._next_row
        self._replace({**self._rows, row: record})
        self._next_row += 1
        return row

    def change(self, rows: Iterable[int], changes: Record) -> None:
        """Put ``changes`` over the fields of the records in ``rows``."""
        table = dict(self._rows)
        for row in rows:
            table[row] = {**table[row], **changes}
        self._replace(table)

    def remove(self, rows: Iterable[int]) -> None:
        """Take the records in ``rows`` away."""
        gone = set(rows)
        self._replace({row: record for row, record in self._rows.items() if row not in gone})

    def next_id(self) -> int:
        """Return an id above every integer ``id`` in the collection."""
        ids = [r["id"] for r in self._rows.values() if isinstance(r.get("id"), int)]
        return max(ids, default=0) + 1

    def _replace(self, table: Table) -> None:
        self._rows, self._memo = table, {}

    def _index_by(self, field: str) -> Callable[[], dict[Any, list[int]]]:
        def index() -> dict[Any, list[int]]:
            found: dict[Any, list[int]] = {}
            for row, record in self._rows.items():
                value = dig(record, field)
                if not isinstance(value, (list, dict)):
                    found.setdefault(value, []).append(row)
            return found

        return index


def dig(record: Record, field: str) -> Any:
    """Return the value at ``field``, where dots reach into nested objects; ``None`` when absent."""
    value: Any = record
    for step in field.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value
