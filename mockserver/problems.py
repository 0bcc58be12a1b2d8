"""What is wrong with a body, in one sentence that says what came and what is due."""

from __future__ import annotations

from typing import Any

import orjson
from jsonschema_rs import ValidationError, ValidationErrorKind

_CHOICES = ("anyOf", "oneOf")
_MARKS = ("enum", "const")


def keyword_of(error: ValidationError) -> str:
    """Return the schema's keyword that the value breaks."""
    return error.kind.name if hasattr(error.kind, "name") else ""


def sentence_of(error: ValidationError) -> str:
    """Return where the body breaks its schema, and how."""
    place = ".".join(map(str, error.instance_path)) or "The body"
    return f"{place}: {in_one_line(message_of(error))}."


def in_one_line(text: str) -> str:
    """Return the beginning of ``text`` without its line breaks."""
    return " ".join(text.split())[:200]


def message_of(error: ValidationError) -> str:
    """Return what is wrong; where a value fits none of several forms, what it lacks of those it may mean."""
    if isinstance(error.kind, ValidationErrorKind.Enum):
        options = ", ".join(map(_quoted, error.kind.options))
        return f"{_quoted(error.instance)} is none of {options}"
    forms: list[list[ValidationError]] = getattr(error.kind, "context", [])
    if keyword_of(error) not in _CHOICES or not forms:
        return error.message
    meant, others = [], []
    for form in forms:
        # A form of another mark, as `custom` marks one order of the lists, isn't the one meant.
        marks = [part for part in form if keyword_of(part) in _MARKS]
        others += marks
        if not marks:
            meant.append(_within(error, form[0]))
    if not meant:
        return " or ".join(dict.fromkeys(_within(error, mark) for mark in others))
    given = [
        f"{mark.instance_path[-1]} is {mark.instance!r}"
        for mark in others[:1]
        if mark.instance_path
    ]
    return " where ".join([", or ".join(dict.fromkeys(meant)), *given])


def _within(outer: ValidationError, part: ValidationError) -> str:
    inner = ".".join(map(str, part.instance_path[len(outer.instance_path) :]))
    return f"{inner}: {message_of(part)}" if inner else message_of(part)


def _quoted(value: Any) -> str:
    return orjson.dumps(value).decode()[:60]
