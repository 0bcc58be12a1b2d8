"""JSON Schema validators over the contract's document, compiled once and only when needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from mockserver.problems import message_of

_ROOT = "urn:fansmetric:contract"
_SCHEMAS = ("schema", "schemas", "$defs", "definitions")
"""The members of a document that hold schemas."""


class SchemaViolation(ValueError):
    """Raised when a value doesn't match its schema; the text says where and why."""


class Schemas:
    """The validators of one document, by the JSON pointer of the schema in it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        """What the errors of the validators tell their places in."""
        self._registry = jsonschema_rs.Registry([(_ROOT, _leading_to_schemas(document) or {})])
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def validator(self, pointer: str) -> jsonschema_rs.Draft202012Validator:
        """Return the validator of the schema at ``pointer`` (``#/components/schemas/Chat``)."""
        compiled = self._compiled.get(pointer)
        if compiled is None:
            compiled = jsonschema_rs.Draft202012Validator(
                {"$ref": _ROOT + pointer}, registry=self._registry, validate_formats=True
            )
            self._compiled[pointer] = compiled
        return compiled

    def check(self, pointer: str, value: Any) -> None:
        """Raise ``SchemaViolation`` unless ``value`` matches the schema at ``pointer``."""
        try:
            validator = self._compiled.get(pointer) or self.validator(pointer)
            # Twice as fast as `validate`, which collects what it will say.
            if not validator.is_valid(value):
                validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            raise SchemaViolation(describe(error)) from None
        except ValueError as error:  # JSON deeper than the validator follows
            raise SchemaViolation(f"the value: can't be read ({error})") from None


def _leading_to_schemas(node: Any) -> Any:
    """Return what of ``node`` leads to a schema, in the same places; nothing where nothing does.

    The rest of a document, its texts and examples, takes the validators three times the memory of its schemas.
    """
    if isinstance(node, list):
        parts = [_leading_to_schemas(part) for part in node]
        return parts if any(parts) else None
    if not isinstance(node, Mapping):
        return None
    found = {
        key: part if key in _SCHEMAS else _leading_to_schemas(part) for key, part in node.items()
    }
    return {key: part for key, part in found.items() if part is not None} or None


def describe(error: jsonschema_rs.ValidationError) -> str:
    """Return one line that names the place in the value and what is wrong there."""
    place = ".".join(str(step) for step in error.instance_path) or "the value"
    return f"{place}: {message_of(error)}"
