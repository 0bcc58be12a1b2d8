"""Values that a parameter or a body must not have, made from the contract's schemas.

Whatever is made is shown to the schema once more, so nothing is called wrong that the contract allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from contract_tests.certainty import is_body_bad
from contract_tests.samples import Sample
from mockserver.contract import Operation, Parameter, Schemas
from mockserver.contract.build import properties, resolve

NONSENSE = "no_such_value"
_TEXTS = (NONSENSE, "2026-13-45", "-1")
"""Texts that a pattern may refuse: a word, a day that no calendar has, a number where digits are due."""
_TEXTS_EACH = 2
_MOST_BODIES = 24
"""Wrong bodies that are sent to one operation at most."""


@dataclass(frozen=True, slots=True)
class WrongBody:
    """A body with one mistake."""

    what: str
    """The mistake in words."""
    body: bytes
    doubtful: bool = False
    """Whether it is one by our decision only."""


def wrong_values(parameter: Parameter, schemas: Schemas) -> Iterator[Any]:
    """Yield values that a parameter's type, bounds or pattern forbid."""
    if parameter.type == "integer":
        yield from _wrong_numbers(parameter)
    elif parameter.type == "string" and "pattern" in parameter.schema:
        validator = schemas.validator(parameter.reference)
        yield from islice((t for t in _TEXTS if not validator.is_valid(t)), _TEXTS_EACH)


def _wrong_numbers(parameter: Parameter) -> Iterator[Any]:
    yield "x"
    if parameter.location == "query":
        yield ""
        yield "1.5"
    if "minimum" in parameter.schema:
        yield parameter.schema["minimum"] - 1
    if "maximum" in parameter.schema and parameter.location == "query":
        yield parameter.schema["maximum"] + 1


def unlisted_values(document: Mapping[str, Any], parameter: Parameter) -> Iterator[Any]:
    """Yield values that aren't in a parameter's list, or in that of its items: a word, and another case."""
    listed = parameter.schema.get("enum") or _listed_items(document, parameter.schema)
    yield from _unlisted(listed)


def _unlisted(listed: list[Any]) -> Iterator[str]:
    for value in (NONSENSE, str(listed[0]).swapcase()) if listed else ():
        if value not in listed:
            yield value


def _listed_items(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Any]:
    items = schema.get("items")
    found: list[Any] = resolve(document, items).get("enum", []) if items else []
    return found


def lists_items(document: Mapping[str, Any], operation: Operation) -> bool:
    """Whether a parameter of the operation is an array whose items are enumerated."""
    return any(_listed_items(document, p.schema) for p in operation.parameters)


def lists_members(document: Mapping[str, Any], operation: Operation) -> bool:
    """Whether a member of the operation's body is enumerated."""
    return any("enum" in schema for schema in _members(document, operation).values())


def unlisted_members(document: Mapping[str, Any], sample: Sample) -> Iterator[WrongBody]:
    """Yield bodies in which one enumerated member has a value that isn't in its list."""
    for name, schema in _members(document, sample.operation).items():
        for value in _unlisted(schema.get("enum", [])):
            body = orjson.dumps({**sample.body, name: value})
            yield WrongBody(f"{name}={value}", body, doubtful=value != NONSENSE)


def wrong_bodies(
    document: Mapping[str, Any], schemas: Schemas, sample: Sample
) -> Iterator[WrongBody]:
    """Yield bodies that are no JSON, no object, or wrong in one member."""
    yield WrongBody("a body that is no JSON", b'{"text": ')
    yield WrongBody("a list", b"[]")
    reference = sample.operation.body
    if reference is None or not isinstance(sample.body, dict):
        return
    validator = schemas.validator(reference)
    wrong = (
        found for found in _wrong_members(document, sample) if not validator.is_valid(found[1])
    )
    for what, body in islice(wrong, _MOST_BODIES):
        doubtful = not is_body_bad(reference, body, schemas)
        yield WrongBody(what, orjson.dumps(body), doubtful)


def _wrong_members(
    document: Mapping[str, Any], sample: Sample
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what may be a mistake: first what is required and isn't there, then one wrong member each."""
    members = _members(document, sample.operation)
    for name in _body_schema(document, sample.operation).get("required", ()):
        rest = {member: value for member, value in sample.body.items() if member != name}
        yield f"a body without {name}", rest
        yield from _with_wrong(name, members[name], sample.body)
        members.pop(name)
    for name, schema in members.items():
        # What nobody documented can't make a body invalid by the documentation.
        if schema.get("x-level") != "inferred":
            yield from _with_wrong(name, schema, sample.body)


def _with_wrong(
    name: str, schema: Mapping[str, Any], body: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    wrong: Any = [] if schema.get("type") != "array" else {}
    yield f"{name} of the wrong type", {**body, name: wrong}
    if schema.get("x-level") != "inferred":
        for what, value in _over_its_bounds(schema):
            yield f"{name} {what}", {**body, name: value}


def _over_its_bounds(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "minimum" in schema:
        yield "under its minimum", schema["minimum"] - 1
    if "maximum" in schema:
        yield "over its maximum", schema["maximum"] + 1
    if schema.get("minLength"):
        yield "empty", ""
    if "maxLength" in schema:
        yield "too long", "x" * (schema["maxLength"] + 1)
    if schema.get("minItems"):
        yield "empty", []
    if "format" in schema and schema.get("type") == "string":
        yield "of no known form", NONSENSE
    if schema.get("type") == "array":
        yield "with a wrong item", [{}]


def _members(document: Mapping[str, Any], operation: Operation) -> dict[str, Mapping[str, Any]]:
    """Return the schema of each member that the operation's body may have."""
    if operation.body is None:
        return {}
    named = properties(document, _body_schema(document, operation))
    return {name: resolve(document, schema) for name, schema in named.items()}


def _body_schema(document: Mapping[str, Any], operation: Operation) -> Mapping[str, Any]:
    spec = document["paths"][operation.path][operation.method.lower()]
    return resolve(document, spec["requestBody"]["content"]["application/json"]["schema"])
