"""Shapes of what people write for us (fixtures, control bodies): closed objects, first breach in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs

from mockserver.errors import SuiteError

Shape = dict[str, Any]
"""A JSON Schema."""

TEXT: Shape = {"type": "string", "minLength": 1}
COUNT: Shape = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
FLAG: Shape = {"type": "boolean"}
_LONGEST = 400
"""Characters of a breach that are shown; it may quote a whole document."""

ID: Shape = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


def closed(properties: dict[str, Shape], *required: str) -> Shape:
    """Return the shape of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def one_of(values: type[Any]) -> Shape:
    """Return the shape of one value of an enumeration."""
    return {"enum": [str(value) for value in values]}


def breach(shape: Shape, value: Any, root: str = "the value") -> str | None:
    """Return where and how ``value`` breaks ``shape``, or ``None``; ``root`` names the value itself."""
    try:
        for error in jsonschema_rs.Draft202012Validator(shape).iter_errors(value):
            place = ".".join(str(step) for step in error.instance_path) or root
            return f"{place}: {error.message[:_LONGEST]}"
    except ValueError as error:  # JSON deeper than the validator follows
        return f"{root}: can't be read ({error})"
    return None


def refuse_breach(
    file: Path, shape: Shape, value: Any, error: type[SuiteError], root: str = "the file"
) -> None:
    """Raise ``error``, in one line with the file and the key, unless its ``value`` has ``shape``."""
    problem = breach(shape, value, root)
    if problem is not None:
        raise error(f"{file}: {problem}")
