"""The seeded records of an account, made from the plans in `fixtures/collections/`.

A plan describes one record with verbs (`{$sequence: 4001}`), compiled once into small functions.
The same seed, account and day give the same records; a collection is made when it is first asked for.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from mockserver.clock import DAY, isoformat
from mockserver.errors import FixtureError
from mockserver.sharing import held_once
from mockserver.store import Collection, Record, dig

ACCOUNT = "$account"

_UNUSABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What Python raises where a verb gets something that it can't work with."""

_MOST_IDS = 1_000
"""Ids that `$ids` takes."""

_MOST_SIBLINGS = 8
"""Populations whose records are compared: each costs time, and finds less than the one before."""

_PLAIN_FORM = re.compile(r"[<>^]?[0-9]{0,3}[dx]?")
"""How `$text` may write a number; wider ones would fill the memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one collection is filled: records as written, then ``count`` made from ``record``."""

    collection: str
    file: str
    count: int
    records: tuple[Any, ...]
    record: Any
    shared: bool = False
    """Whether all accounts of an organization share the collection."""


@dataclass(slots=True)
class _Row:
    """What a verb may look at while it makes a value."""

    index: int
    count: int
    chance: random.Random
    record: dict[str, Any]
    population: Population


_Make = Callable[[_Row], Any]


class Population:
    """The seeded collections of one account, each made on demand and shared by all who fork it."""

    def __init__(
        self,
        plans: Mapping[str, Plan],
        account: int,
        seed: int,
        day: float,
        siblings: Callable[[], list[Population]] = list,
    ) -> None:
        """Take the plans; ``siblings`` gives those of the same day, which share what is equal in them."""
        self.account = account
        self.day = day
        self.shared_names = frozenset(name for name, plan in plans.items() if plan.shared)
        """The collections that all accounts of an organization share."""
        self._plans = plans
        self._seed = seed
        self._siblings = siblings
        self._made: dict[str, Collection] = {}
        self._lock = threading.RLock()

    def collection(self, name: str) -> Collection:
        """Return the seeded collection ``name``; empty where no plan fills it."""
        made = self._made.get(name)
        if made is not None:
            return made
        with self._lock:
            if name not in self._made:
                plan = self._plans.get(name)
                self._made[name] = Collection(self._shared(plan) if plan else ())
            return self._made[name]

    def names(self, *, shared: bool) -> list[str]:
        """Return the collections that a plan fills, those that accounts share or the others."""
        return [name for name, plan in self._plans.items() if plan.shared is shared]

    def _shared(self, plan: Plan) -> list[Record]:
        """Return the records of ``plan``, which hold once what is equal in them and their siblings."""
        made = (sibling._made.get(plan.collection) for sibling in self._siblings())
        others = [collection.records() for collection in made if collection is not None]
        return held_once(self._records(plan), others[:_MOST_SIBLINGS])

    def _records(self, plan: Plan) -> list[dict[str, Any]]:
        # Chance without secrets: the same world for the same seed is the point.
        chance = random.Random(f"{self._seed}:{self.account}:{plan.collection}")  # noqa: S311
        records = []
        for index, template in enumerate(plan.records):
            row = _Row(index, len(plan.records), chance, {}, self)
            records.append(_fill(compile_record(template, plan.file), row, plan.file))
        makers = compile_record(plan.record, plan.file) if plan.count else {}
        for index in range(plan.count):
            records.append(_fill(makers, _Row(index, plan.count, chance, {}, self), plan.file))
        return records


def _fill(makers: Mapping[str, _Make], row: _Row, place: str) -> dict[str, Any]:
    for field, make in makers.items():
        try:
            row.record[field] = make(row)
        except (*_UNUSABLE, FixtureError) as error:
            raise FixtureError(f"{place}: {field}: can't be made: {error}") from None
        except RecursionError:
            raise FixtureError(f"{place}: {field}: the collection takes from itself") from None
    return row.record


def compile_record(template: Any, place: str) -> dict[str, _Make]:
    """Return the maker of each field of ``template``.

    Raises ``FixtureError`` at an unknown verb or a verb with the wrong kind of argument.
    """
    if not isinstance(template, dict):
        raise FixtureError(f"{place}: a record must be a mapping of fields, found {template!r}")
    return {field: _compile(value, f"{place}: {field}") for field, value in template.items()}


def _compile(value: Any, place: str) -> _Make:
    if value == ACCOUNT:
        return lambda row: row.population.account
    if not _varies(value):
        return lambda row: value  # one for all records, which never change what they hold
    if isinstance(value, list):
        items = [_compile(item, f"{place}[{index}]") for index, item in enumerate(value)]
        return lambda row: [make(row) for make in items]
    verb = next((key for key in value if str(key).startswith("$")), None)
    if verb is None:
        fields = {key: _compile(item, f"{place}.{key}") for key, item in value.items()}
        return lambda row: {key: make(row) for key, make in fields.items()}
    if len(value) != 1 or verb not in _VERBS:
        known = ", ".join(sorted(_VERBS))
        raise FixtureError(
            f"{place}: {verb} is no verb that can stand alone here; known are {known}"
        )
    try:
        return _VERBS[verb](value[verb])
    except FixtureError as error:  # of a verb inside this one
        raise FixtureError(f"{place}: {error}") from None
    except _UNUSABLE:
        raise FixtureError(f"{place}: {verb} can't work with {value[verb]!r}") from None


def _varies(value: Any) -> bool:
    """Whether ``value`` has a verb in it, or the account."""
    if isinstance(value, list):
        return any(map(_varies, value))
    if isinstance(value, dict):
        return any(str(key).startswith("$") or _varies(item) for key, item in value.items())
    return bool(value == ACCOUNT)


def _sequence(first: Any) -> _Make:
    start = int(first)
    return lambda row: start + row.index


def _makers(verb: str, values: Any) -> list[_Make]:
    """Return the maker of each value. Raises ``ValueError`` when there is none to take."""
    makers = [_compile(value, verb) for value in values]
    if not makers:
        raise ValueError("an empty list")
    return makers


def _cycle(values: Any) -> _Make:
    makers = _makers("$cycle", values)
    return lambda row: makers[row.index % len(makers)](row)


def _choose(values: Any) -> _Make:
    makers = _makers("$choose", values)
    return lambda row: row.chance.choice(makers)(row)


def _ordered(low: int, high: int) -> tuple[int, int]:
    """Return the bounds. Raises ``ValueError`` when the first is above the second."""
    if low > high:
        raise ValueError("the bounds are reversed")
    return low, high


def _number(bounds: Any) -> _Make:
    low, high = _ordered(*map(int, bounds))
    return lambda row: row.chance.randint(low, high)


def _amount(bounds: Any) -> _Make:
    low, high = _ordered(*(round(float(bound) * 100) for bound in bounds))
    return lambda row: row.chance.randint(low, high) / 100


def _chance(share: Any) -> _Make:
    limit = float(share)
    return lambda row: row.chance.random() < limit


def _day_offset(sign: int) -> Callable[[Any], _Make]:
    def compiled(days: Any) -> _Make:
        first, last = (float(day) for day in days)

        def moment(row: _Row) -> str:
            done = row.index / (row.count - 1) if row.count > 1 else 0.0
            offset = first + (last - first) * done
            return isoformat(row.population.day + sign * offset * DAY)

        return moment

    return compiled


def _text(pattern: Any) -> _Make:
    text = str(pattern)
    for _, name, form, _ in Formatter().parse(text):
        if name is not None and (
            name not in ("n", "id", "account") or not _PLAIN_FORM.fullmatch(form or "")
        ):
            raise ValueError("a name or a form that it doesn't know")
    text.format(n=1, id=1, account=1)  # raises on a broken pattern or an unknown name
    return lambda row: text.format(
        n=row.index + 1, id=row.record.get("id"), account=row.population.account
    )


def _source(row: _Row, name: str) -> Collection:
    """Return a collection to take from. Raises ``FixtureError`` when it is empty."""
    source = row.population.collection(name)
    if not len(source):
        raise FixtureError(
            f"$from: the collection {name} is empty, so nothing can be taken from it"
        )
    return source


def _from(reference: Any) -> _Make:
    collection, _, field = str(reference).partition(".")
    value_of = _reaching(field)

    def taken(row: _Row) -> Any:
        source = _source(row, collection)
        return value_of(source.get(row.index % len(source)))

    return taken


def _same(field: Any) -> _Make:
    value_of = _reaching(str(field))
    return lambda row: value_of(row.record)


def _reaching(field: str) -> Callable[[Record], Any]:
    """Return what ``dig`` does for one field, without splitting its name for each record."""
    if "." in field:
        return lambda record: dig(record, field)
    return lambda record: record.get(field)


def _ids(options: Any) -> _Make:
    collection, _, field = options["from"].partition(".")
    count = int(options["count"])
    if count > _MOST_IDS:
        raise ValueError("more than anybody needs")

    def ids(row: _Row) -> list[Any]:
        source = _source(row, collection)
        first = row.index * count
        return [dig(source.get((first + step) % len(source)), field) for step in range(count)]

    return ids


def _every(options: Any) -> _Make:
    collection, _, field = options["from"].partition(".")
    step = int(options["step"])
    if step < 1:
        raise ValueError("a step below 1")

    def ids(row: _Row) -> list[Any]:
        source = _source(row, collection)
        return [dig(source.get(at), field) for at in range(row.index % step, len(source), step)]

    return ids


_VERBS: dict[str, Callable[[Any], _Make]] = {
    "$sequence": _sequence,
    "$cycle": _cycle,
    "$choose": _choose,
    "$number": _number,
    "$amount": _amount,
    "$chance": _chance,
    "$past": _day_offset(-1),
    "$future": _day_offset(1),
    "$text": _text,
    "$from": _from,
    "$same": _same,
    "$ids": _ids,
    "$every": _every,
}


def references(template: Any) -> set[str]:
    """Return the names of the collections that ``template`` takes values from."""
    if isinstance(template, list):
        return {name for item in template for name in references(item)}
    if not isinstance(template, dict):
        return set()
    found = {name for value in template.values() for name in references(value)}
    if "$from" in template:
        found.add(str(template["$from"]).partition(".")[0])
    for verb in ("$ids", "$every"):
        if verb in template:
            found.add(str(template[verb]["from"]).partition(".")[0])
    return found
