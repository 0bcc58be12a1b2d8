"""Reading `collections/*.yaml`: how each collection is filled, checked against what the mock needs of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mockserver.contract import Contract
from mockserver.data import default_fixtures
from mockserver.errors import FixtureError
from mockserver.needs import completed, lack_of, repeated_id
from mockserver.packaged import Read
from mockserver.population import Plan, compile_record, references
from mockserver.shapes import COUNT, TEXT, closed

COLLECTIONS = "collections"
"""The folder of the plans."""

_MOST_RECORDS = 10_000
"""Records of one collection; more would take longer to make than anybody waits."""

_PLAN_FILE = closed(
    {
        "collection": TEXT,
        "scope": {"enum": ["account", "organization"]},
        "count": {**COUNT, "maximum": _MOST_RECORDS},
        "records": {"type": "array", "items": {"type": "object"}},
        "record": {"type": "object"},
    },
    "collection",
)

_LISTS = "user_lists"
_SLUGS = ("fans", "following", "friends", "muted", "recent", "tagged")
"""The built-in lists, which every account has (user-lists/list-members)."""


def plan_files(root: Path) -> list[Path]:
    """Return the files of the plans in the fixture directory ``root``."""
    return sorted((root / COLLECTIONS).glob("*.yaml"))


def read_plans(root: Path, contract: Contract, read: Read) -> dict[str, Plan]:
    """Return the plans in the fixture directory ``root`` by the collection that each fills.

    Raises ``FixtureError``, whose one line names the file and the key.
    """
    plans: dict[str, Plan] = {}
    for file in plan_files(root):
        plan = _read_plan(file, read)
        if plan.collection in plans:
            raise FixtureError(
                f"{file}: collection: {plan.collection} is filled by {plans[plan.collection].file} already"
            )
        plans[plan.collection] = plan
    for plan in plans.values():
        _refuse_dangling(plan, plans)
    _refuse_unknown(plans, contract)
    if _LISTS in collections_of(contract):
        plans[_LISTS] = _with_built_in(plans.get(_LISTS), plans)
    return plans


def collections_of(contract: Contract) -> set[str]:
    """Return the collections that the contract's operations work on."""
    found = set()
    for operation in contract:
        options = operation.resource.options
        found |= {operation.resource.collection, options.get("parent", {}).get("collection")}
        found |= {*options.get("cascade", ()), *options.get("withdraw", ())}
        found |= {*options.get("known", {}).values(), *options.get("reads", ())}
    return {name for name in found if name is not None}


def known_collections(contract: Contract) -> set[str]:
    """Return the collections that fixtures may fill: the contract's, and those of the packaged fixtures.

    So a smaller contract goes with a copy of the whole fixtures.
    """
    packaged = (default_fixtures() / COLLECTIONS).glob("*.yaml")
    return collections_of(contract) | {file.stem for file in packaged}


def nearest_collection(name: str, known: Iterable[str]) -> str:
    """Return the sentence that refuses an unknown collection and names the one that is most like it."""
    near = get_close_matches(name, sorted(known), 1, 0)
    hint = f"; the nearest is {near[0]}" if near else ""
    return f"no operation of the contract works on a collection {ascii(name)[:60]}{hint}"


def _read_plan(file: Path, read: Read) -> Plan:
    value = read(file, _PLAN_FILE)
    name, count = value["collection"], value.get("count", 0)
    records, record = value.get("records", []), value.get("record", {})
    places = [(f"records.{index}", template) for index, template in enumerate(records)]
    for place, template in places + [("record", record)] * (count > 0):
        lack = lack_of(name, template)
        if lack is not None:
            raise FixtureError(f"{file}: {place}: {lack}")
    twice = repeated_id(name, _ids(records, record, count))
    if twice is not None:
        raise FixtureError(f"{file}: records: the id {twice!r} stands there twice")
    plan = Plan(
        collection=name,
        file=str(file),
        count=count,
        records=tuple(completed(name, template) for template in records),
        record=completed(name, record),
        shared=value.get("scope") == "organization",
    )
    for template in (*plan.records, plan.record):
        compile_record(template, plan.file)
    return plan


def _ids(records: list[Any], record: Mapping[str, Any], count: int) -> Iterator[Any]:
    """Yield the ids that can be told before the records are made."""
    for index, template in enumerate(records):
        yield _id(template, index)
    for index in range(count):
        yield _id(record, index)


def _id(template: Mapping[str, Any], index: int) -> Any:
    value = template.get("id")
    if not isinstance(value, Mapping):
        return value
    first = value.get("$sequence")
    return first + index if isinstance(first, int) else None


def _refuse_dangling(plan: Plan, plans: Mapping[str, Plan]) -> None:
    for template in (*plan.records, plan.record):
        for field, value in template.items():
            for name in sorted(references(value) - set(plans)):
                raise FixtureError(f"{plan.file}: {field}: there is no collection {name}")


def _refuse_unknown(plans: Mapping[str, Plan], contract: Contract) -> None:
    """Refuse what is filled for nobody: neither an operation nor another collection takes from it."""
    known = known_collections(contract)
    templates = [t for plan in plans.values() for t in (*plan.records, plan.record)]
    taken = {name for t in templates for value in t.values() for name in references(value)}
    for name, plan in plans.items():
        if name not in known | taken:
            raise FixtureError(f"{plan.file}: collection: {nearest_collection(name, known)}")


def _with_built_in(plan: Plan | None, plans: Mapping[str, Plan]) -> Plan:
    """Return the plan of the lists with each built-in one that it leaves out; all fans are on theirs."""
    present = {record.get("id") for record in plan.records} if plan else set()
    fans = plans.get("fans")
    has_fans = fans is not None and (fans.records or fans.count)
    everyone: Any = {"$every": {"from": "fans.id", "step": 1}} if has_fans else []
    added = [
        completed(
            _LISTS,
            {
                "id": slug,
                "type": slug,
                "name": slug.title(),
                "memberIds": everyone if slug == "fans" else [],
            },
        )
        for slug in _SLUGS
        if slug not in present
    ]
    if plan is None:
        return Plan(_LISTS, "the built-in lists", 0, tuple(added), {})
    return Plan(
        plan.collection,
        plan.file,
        plan.count,
        (*plan.records, *added),
        plan.record,
        plan.shared,
    )
