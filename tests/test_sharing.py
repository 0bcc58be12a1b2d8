"""Records that are equal are held once, and never taken for others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from mockserver.sharing import held_once

if TYPE_CHECKING:
    from mockserver.app import MockFlask


def fresh(value: Any) -> Any:
    """Return an equal value that shares no part with ``value``."""
    return orjson.loads(orjson.dumps(value))


TEA = {"name": "Assam leaves", "origin": {"country": "India"}, "tags": ["black"]}


def test_records_share_their_parts() -> None:
    first, second = held_once([fresh({"id": id, **TEA}) for id in (1, 2)], [])

    assert [{"id": 1, **TEA}, {"id": 2, **TEA}] == [first, second]
    assert all(first[field] is second[field] for field in TEA)


def test_a_record_is_that_of_another_account() -> None:
    """Of whichever has an equal one in its place."""
    mine, theirs, others = ([fresh({"id": id, **TEA})] for id in (1, 2, 1))

    assert others[0] is held_once(mine, [theirs, others])[0]


def test_a_record_of_its_own_shares_what_is_equal() -> None:
    theirs = fresh({"id": 1, **TEA})
    (mine,) = held_once([fresh({"id": 2, **TEA})], [[theirs]])

    assert {"id": 2, **TEA} == mine
    assert all(mine[field] is theirs[field] for field in TEA)


@pytest.mark.parametrize("wrapped", [lambda v: v, lambda v: [v], lambda v: {"a": v}])
@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), ("1", 1)])
def test_tells_kinds_apart(wrapped: Any, one: Any, other: Any) -> None:
    """To Python they are equal, to whoever reads the JSON they aren't."""
    rows = [{"value": wrapped(one)}, {"value": wrapped(other)}]
    due = orjson.dumps(rows)

    assert due == orjson.dumps(held_once(fresh(rows), []))
    assert due == orjson.dumps(held_once(fresh(rows), [list(reversed(fresh(rows)))]))


def test_the_seeded_world_is_held_once(own_app: MockFlask) -> None:
    """Its accounts are made from the same plans; a third of their records differ in nothing."""
    organizations = own_app.mock.world.organizations.values()
    made = [
        (name, record)
        for organization in organizations
        for account in organization.accounts.values()
        for name, records in account.records(whole=True).items()
        for record in records
    ]
    distinct = {(name, orjson.dumps(record)) for name, record in made}

    assert len(distinct) < 0.7 * len(made)
    assert len(distinct) == len({id(record) for _, record in made})
