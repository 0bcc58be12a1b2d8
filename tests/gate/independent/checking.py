"""Text to values, and values against the few JSON Schema keywords that requests use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

Schema = dict[str, Any]
Follow = Callable[[Schema], Schema]

_INTEGER = re.compile(r"-?[0-9]{1,19}")


def value_of(texts: list[str], schema: Schema) -> Any:
    """Return the value that the texts of a parameter stand for. Raises ``ValueError``."""
    kind = schema.get("type")
    if kind == "array":
        return [part for text in texts for part in text.split(",")]
    text = texts[-1]
    if kind != "integer":
        return text
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is not an integer")
    return int(text)


def complaints(value: Any, schema: Schema, follow: Follow) -> Iterator[str]:
    """Yield what is wrong with a value."""
    schema = follow(schema)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        yield f"is no {' or '.join(kinds)}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"is none of {schema['enum']}"
    yield from _of_size(value, schema)
    if isinstance(value, dict):
        yield from _of_members(value, schema, follow)
    for item in value if isinstance(value, list) and "items" in schema else ():
        yield from complaints(item, schema["items"], follow)
    yield from _of_choices(value, schema, follow)


def _is(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and not isinstance(value, bool)
    plain = {"string": str, "boolean": bool, "array": list, "object": dict, "null": type(None)}
    return isinstance(value, plain[kind])


def _of_size(value: Any, schema: Schema) -> Iterator[str]:
    if _is(value, "number"):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield "is out of bounds"
    elif isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield "has the wrong length"
        if not re.search(schema.get("pattern", ""), value):
            yield "has the wrong form"
        if schema.get("format") == "date-time" and not _is_instant(value):
            yield "is no date and time"
    elif isinstance(value, list) and len(value) < schema.get("minItems", 0):
        yield "has too few items"


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _of_members(value: dict[str, Any], schema: Schema, follow: Follow) -> Iterator[str]:
    named = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"lacks {name}"
    for name, member in value.items():
        inner = named.get(name, schema.get("additionalProperties"))
        if isinstance(inner, dict):
            yield from (f"{name} {text}" for text in complaints(member, inner, follow))


def _of_choices(value: Any, schema: Schema, follow: Follow) -> Iterator[str]:
    for part in schema.get("allOf", ()):
        yield from complaints(value, part, follow)
    choices = schema.get("oneOf")
    if choices:
        fitting = [part for part in choices if not any(complaints(value, part, follow))]
        if len(fitting) != 1:
            yield f"fits {len(fitting)} of the forms"
