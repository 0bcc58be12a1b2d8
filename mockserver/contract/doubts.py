"""Bad values that are bad by our decision alone: no page says whether they are refused, clamped or ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.contract.operations import Parameter

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_INTEGER = re.compile(r"-?[0-9]+")
_BOUNDS = frozenset({"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"})


def is_doubtful(parameter: Parameter, texts: Sequence[str]) -> bool:
    """Whether no page says that ``texts`` are bad, which the parameter's schema refuses.

    So it is with an empty one, one that is sent twice, a number out of its bounds, a listed value
    in another case, and whatever stands in the place of an id in the path.
    """
    if parameter.type == "array":
        items = [item for text in texts for item in text.split(",")]
        return all(_is_known(item, parameter.schema["items"].get("enum", ())) for item in items)
    if len(texts) != 1 or not texts[0]:
        return True
    if "enum" in parameter.schema:
        return _is_known(texts[0], parameter.schema["enum"])
    number = parameter.type == "integer" and _INTEGER.fullmatch(texts[0]) is not None
    return number or parameter.location == "path"


def is_doubtful_in_body(document: Mapping[str, Any], error: ValidationError) -> bool:
    """Whether no page says that a member is bad, which its schema in ``document`` refuses with ``error``.

    So it is where the bounds are ours (`x-bounds`), and with a listed value in another case.
    """
    *steps, keyword = error.schema_path
    schema: Any = document
    for step in steps:
        schema = schema[step]
    if keyword == "enum":
        return _is_known(error.instance, schema["enum"])
    return keyword in _BOUNDS and schema.get("x-bounds") == "inferred"


def _is_known(value: Any, listed: Iterable[Any]) -> bool:
    """Whether a value is empty, or listed but for its case."""
    return value == "" or str(value).casefold() in {str(one).casefold() for one in listed}
