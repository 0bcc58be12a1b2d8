"""Collections: cheap to fork, and never half written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.store import Collection, dig

SAME = settings(max_examples=200, derandomize=True, database=None, deadline=None)
TEAS = ({"id": 1, "name": "Assam"}, {"id": 2, "name": "Sencha"}, {"id": 5, "name": "Assam"})


@pytest.fixture
def teas() -> Collection:
    return Collection(TEAS)


def names(collection: Collection) -> list[Any]:
    return [record["name"] for record in collection.records()]


@pytest.mark.parametrize("written", ["fork", "origin"])
def test_forks_go_their_own_way(written: str, teas: Collection) -> None:
    """A write to either side is not seen by the other, in records and in indexes."""
    fork = teas.fork()
    teas.find("name", "Sencha")
    one, other = (fork, teas) if written == "fork" else (teas, fork)
    one.add({"id": 6, "name": "Oolong"})
    one.change(one.find("name", "Sencha"), {"name": "Gyokuro"})
    one.remove(one.find("name", "Assam"))

    assert ["Gyokuro", "Oolong"] == names(one)
    assert ["Assam", "Sencha", "Assam"] == names(other)
    assert ([1], []) == (other.find("name", "Sencha"), one.find("name", "Sencha"))


def test_readers_keep_what_they_began_with(teas: Collection) -> None:
    """Whoever iterates over the records sees them as they were, whatever is written meanwhile."""
    reader = iter(teas.records())
    first = next(reader)
    teas.remove([0, 1])

    assert ["Assam", "Sencha", "Assam"] == [first["name"], *(record["name"] for record in reader)]


def test_records_are_replaced_not_changed(teas: Collection) -> None:
    before = teas.get(0)
    teas.change([0], {"name": "Darjeeling", "leaf": "whole"})

    assert {"id": 1, "name": "Assam"} == before
    assert {"id": 1, "name": "Darjeeling", "leaf": "whole"} == teas.get(0)


def test_rows_are_never_reused(teas: Collection) -> None:
    """What was removed stays gone, whatever comes after it."""
    teas.remove([2])
    row = teas.add({"id": 9, "name": "Pu-erh"})

    assert (3, [0, 1, 3]) == (row, teas.rows())
    with pytest.raises(KeyError):
        teas.get(2)


@pytest.mark.parametrize(
    ("records", "id"),
    [
        pytest.param(TEAS, 6, id="above-the-largest"),
        pytest.param((), 1, id="empty"),
        pytest.param(({"id": "fans"}, {"id": 7}), 8, id="beside-names"),
        pytest.param(({"name": "Assam"},), 1, id="none"),
    ],
)
def test_next_id(records: tuple[dict[str, Any], ...], id: int) -> None:
    assert id == Collection(records).next_id()


@pytest.mark.parametrize(
    ("field", "value", "rows"),
    [
        ("name", "Assam", [0, 2]),
        ("name", "assam", []),
        ("id", 5, [2]),
        ("id", "5", []),
        ("nothing", None, [0, 1, 2]),
    ],
)
def test_finds_by_equality(field: str, value: Any, rows: list[int], teas: Collection) -> None:
    assert rows == teas.find(field, value)


@pytest.mark.parametrize("is_fork", [False, True], ids=["own", "fork"])
def test_an_id_is_never_given_out_again(is_fork: bool, teas: Collection) -> None:
    """Not even where the largest one goes before anybody asked for the next."""
    own = teas.fork() if is_fork else teas
    own.remove([2])
    heir = own.fork()

    assert (6, 6) == (own.next_id(), heir.next_id())


def test_finds_nested_fields_and_ignores_lists() -> None:
    """Dots reach into a record; a list can't be looked up."""
    collection = Collection([{"user": {"id": 7}, "tags": [1]}, {"user": {"id": 8}}])

    assert [1] == collection.find("user.id", 8)
    assert [1] == collection.find("tags", None)


def test_ids_come_in_their_order_by_a_field() -> None:
    """However the records came; a flag leaves those out that lack it, and names are no numbers."""
    kinds = [(5, "green"), (2, "black"), ("x", "black"), (1, "green")]
    teas = Collection({"id": id, "kind": kind, "isLoose": id == 5} for id, kind in kinds)
    before = {kind: list(ids) for kind, ids in teas.ids("kind").items()}
    teas.add({"id": 3, "kind": "green"})

    assert {"green": [1, 5], "black": [2]} == before
    assert {"green": [1, 3, 5], "black": [2]} == teas.ids("kind")
    assert {"green": [5]} == teas.ids("kind", "isLoose")


changes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Assam", "Sencha", "Oolong", ["Assam"]]),
        "isLoose": st.booleans(),
    },
)
writes = st.tuples(
    st.sampled_from(["add", "change", "remove"]), st.integers(0, 1), st.integers(0, 6), changes
)


def put(teas: Collection, what: str, row: int, fields: dict[str, Any]) -> None:
    rows = [row] if row in teas.rows() else []
    if what == "add":
        teas.add({"id": 9 - row, **fields})
    elif what == "change":
        teas.change(rows, fields)
    else:
        teas.remove(rows)


def indexed(teas: Collection) -> tuple[Any, ...]:
    """Return what the indexes say."""
    found = [list(teas.found("name", name)) for name in ("Assam", "Sencha", "Oolong")]
    return found, teas.ids("name"), teas.ids("name", "isLoose")


@SAME
@given(st.lists(writes, max_size=12))
def test_indexes_agree_with_the_records(written: list[Any]) -> None:
    """After each write to one of two that began as one, indexes say what new ones would say."""
    teas = Collection(TEAS)
    twins = [teas, teas.fork()]
    for what, which, row, fields in written:
        put(twins[which], what, row, fields)

        for twin in twins:
            assert indexed(Collection(twin.records())) == indexed(twin)


def test_remembers_until_the_next_write(teas: Collection) -> None:
    """Computed answers are kept, bounded in number, and dropped when something changes."""
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(teas)

    first, second = teas.memo("count", count), teas.memo("count", count)
    teas.add({"id": 6, "name": "Oolong"})
    third = teas.memo("count", count)

    assert (3, 3, 4, 2) == (first, second, third, len(calls))


@pytest.mark.parametrize(
    ("field", "value"),
    [("a", {"b": {"c": 1}}), ("a.b.c", 1), ("a.x", None), ("a.b.c.d", None), ("z", None)],
)
def test_dig(field: str, value: Any) -> None:
    assert value == dig({"a": {"b": {"c": 1}}}, field)
