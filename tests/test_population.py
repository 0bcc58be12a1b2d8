"""The seeded records: made from plans, the same every time."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.clock import parse_time
from mockserver.errors import FixtureError
from mockserver.population import Plan, Population, compile_record

DAY = parse_time("2026-01-31")
FANS = {"id": {"$sequence": 501}, "name": {"$cycle": ["Robin", "Rowan"]}}


def plan(
    record: dict[str, Any], *, count: int = 4, collection: str = "links", **options: Any
) -> Plan:
    return Plan(collection, f"{collection}.yaml", count, options.get("records", ()), record)


def population(record: Any, *, account: int = 1001, seed: int = 1, **options: Any) -> Population:
    plans = {"fans": plan(FANS, collection="fans"), "links": plan(record, **options)}
    return Population(plans, account, seed, DAY)


def made(value: Any, **options: Any) -> list[Any]:
    """Return the values that a verb makes for four records."""
    records = population({"id": {"$sequence": 41}, "value": value}, **options)
    return [record["value"] for record in records.collection("links").records()]


@pytest.mark.parametrize(
    ("value", "due"),
    [
        pytest.param({"$sequence": 7}, [7, 8, 9, 10], id="sequence"),
        pytest.param({"$cycle": ["a", "b", "c"]}, ["a", "b", "c", "a"], id="cycle"),
        pytest.param({"$cycle": [{"$sequence": 1}, "b"]}, [1, "b", 3, "b"], id="cycle-of-verbs"),
        pytest.param({"$chance": 0}, [False] * 4, id="never"),
        pytest.param({"$chance": 1}, [True] * 4, id="always"),
        pytest.param({"$number": [5, 5]}, [5] * 4, id="number"),
        pytest.param({"$amount": [2.5, 2.5]}, [2.5] * 4, id="amount"),
        pytest.param({"$choose": ["a"]}, ["a"] * 4, id="choose"),
        pytest.param({"$text": "{n}/{id}/{account}"}, [f"{n}/{40 + n}/1001" for n in (1, 2, 3, 4)], id="text"),
        pytest.param({"$from": "fans.id"}, [501, 502, 503, 504], id="from"),
        pytest.param({"$same": "id"}, [41, 42, 43, 44], id="same"),
        pytest.param({"$ids": {"from": "fans.id", "count": 3}}, [[501, 502, 503], [504, 501, 502], [503, 504, 501], [502, 503, 504]], id="ids"),
        pytest.param({"$every": {"from": "fans.id", "step": 2}}, [[501, 503], [502, 504]] * 2, id="every"),
        pytest.param("$account", [1001] * 4, id="account"),
        pytest.param({"a": [{"$sequence": 1}, None]}, [{"a": [n, None]} for n in (1, 2, 3, 4)], id="nested"),
        pytest.param([], [[]] * 4, id="literal"),
    ],
)  # fmt: skip
def test_verbs(value: Any, due: list[Any]) -> None:
    assert due == made(value)


@pytest.mark.parametrize(
    ("value", "days"),
    [
        pytest.param({"$past": [3, 0]}, ["28", "29", "30", "31"], id="past"),
        pytest.param({"$past": [0, 3]}, ["31", "30", "29", "28"], id="past-backwards"),
        pytest.param({"$future": [0, 0]}, ["31"] * 4, id="today"),
    ],
)
def test_days_are_spread_evenly(value: Any, days: list[str]) -> None:
    """From the first record to the last, around the world's day."""
    assert [f"2026-01-{day}T00:00:00+00:00" for day in days] == made(value)


def test_one_record_needs_no_spreading() -> None:
    assert ["2026-01-28T00:00:00+00:00"] == made({"$past": [3, 0]}, count=1)


@pytest.mark.parametrize(
    "value", [{"$number": [1, 10**9]}, {"$amount": [1, 10**6]}, {"$choose": list(range(10**4))}]
)
def test_same_seed_same_records(value: Any) -> None:
    """Chance depends on the seed and the account, and on nothing else."""
    first = made(value)

    assert first == made(value)
    assert first != made(value, seed=2)
    assert first != made(value, account=1002)


def test_order_of_use_changes_nothing() -> None:
    """A collection is made when it is first asked for, and is the same whichever comes first."""
    record = {"id": {"$number": [1, 10**9]}, "fan": {"$from": "fans.name"}}
    one, two = population(record), population(record)
    one.collection("fans")

    assert list(one.collection("links").records()) == list(two.collection("links").records())
    assert one.collection("fans") is one.collection("fans")


def test_written_records_come_first() -> None:
    records = population(
        {"id": {"$sequence": 2}}, records=({"id": 1, "name": "Tip jar"},), count=2
    ).collection("links")

    assert [1, 2, 3] == [record["id"] for record in records.records()]


def test_collection_without_plan_is_empty() -> None:
    assert 0 == len(population({}).collection("nothing"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param({"$guess": 1}, r"links.yaml: value: \$guess is no verb", id="unknown"),
        pytest.param({"$cycle": ["a"], "b": 1}, r"\$cycle is no verb that can stand", id="not-alone"),
        pytest.param({"a": {"$guess": 1}}, r"links.yaml: value.a: \$guess", id="nested"),
        pytest.param([1, {"$guess": 1}], r"links.yaml: value\[1\]: \$guess", id="in-a-list"),
        pytest.param({"$sequence": "x"}, r"value: \$sequence can't work with 'x'", id="no-number"),
        pytest.param({"$number": 5}, r"\$number can't work with 5", id="no-bounds"),
        pytest.param({"$number": [1, 2, 3]}, r"\$number can't work with", id="three-bounds"),
        pytest.param({"$amount": ["a", "b"]}, r"\$amount can't work with", id="no-amount"),
        pytest.param({"$chance": None}, r"\$chance can't work with None", id="no-chance"),
        pytest.param({"$past": 3}, r"\$past can't work with 3", id="no-days"),
        pytest.param({"$ids": {"from": "fans.id"}}, r"\$ids can't work with", id="no-count"),
        pytest.param({"$every": 3}, r"\$every can't work with 3", id="no-step"),
        pytest.param({"$cycle": 5}, r"\$cycle can't work with 5", id="no-list"),
    ],
)  # fmt: skip
def test_refuses_bad_verbs(value: Any, message: str) -> None:
    """An error names the file, the field and the verb, when the plan is read."""
    with pytest.raises(FixtureError, match=message):
        compile_record({"value": value}, "links.yaml")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param({"$cycle": []}, "cycle", id="empty-cycle"),
        pytest.param({"$choose": []}, "choose", id="empty-choice"),
        pytest.param({"$number": [9, 1]}, "number", id="bounds-reversed"),
        pytest.param({"$text": "{nobody}"}, "text", id="unknown-name"),
        pytest.param({"$text": "{"}, "text", id="broken-text"),
        pytest.param({"$from": "nowhere.id"}, "from", id="no-collection"),
        pytest.param({"$every": {"from": "fans.id", "step": 0}}, "every", id="no-step"),
    ],
)
def test_refuses_verbs_that_could_make_nothing(value: Any, message: str) -> None:
    """What can't work is refused as a fixture error, not by an exception of Python's."""
    with pytest.raises(FixtureError, match=message):
        made(value)
