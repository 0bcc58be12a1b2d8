"""Which requests a page calls bad, beside those that only we do, which a server may clamp or read in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from contract_tests.exchange import Request
from mockserver.contract import Operation, Parameter, Schemas
from mockserver.contract.doubts import is_doubtful, is_doubtful_in_body


def is_certainly_bad(
    request: Request, path: Mapping[str, Any], operation: Operation, schemas: Schemas
) -> bool:
    """Whether a page calls something in ``request`` bad; ``path`` holds its path arguments."""
    query = parse_qs(urlsplit(request.path).query, keep_blank_values=True)
    sent = query | {name: [str(value)] for name, value in path.items()}
    lacking = any(p.required and p.name not in sent for p in operation.parameters)
    both = any(all(name in query for name in names) for names in operation.exclusive)
    bad = any(
        _is_value_bad(p, sent[p.name], schemas) for p in operation.parameters if p.name in sent
    )
    return lacking or both or bad or _is_sent_body_bad(request, operation, schemas)


def _is_value_bad(parameter: Parameter, texts: list[str], schemas: Schemas) -> bool:
    """Whether a page calls ``texts`` bad in the place of a parameter."""
    if is_doubtful(parameter, texts):
        return False
    items = [item for text in texts for item in text.split(",")]
    # No text is an integer, and one that stands for an integer is doubtful at most.
    value = items if parameter.type == "array" else texts[0]
    return not schemas.validator(parameter.reference).is_valid(value)


def _is_sent_body_bad(request: Request, operation: Operation, schemas: Schemas) -> bool:
    if operation.body is None:
        return False
    if not request.body:
        return operation.body_required
    sent_as = dict(request.headers).get("Content-Type", "")
    if not sent_as.startswith("application/json"):
        return False  # no page says what becomes of another type
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        return True
    return is_body_bad(operation.body, body, schemas)


def is_body_bad(pointer: str, body: Any, schemas: Schemas) -> bool:
    """Whether a page calls ``body`` bad, by its schema at ``pointer``."""
    if not isinstance(body, dict):
        return True
    try:
        errors = list(schemas.validator(pointer).iter_errors(body))
    except ValueError:  # deeper than the validator follows
        return False
    return not all(is_doubtful_in_body(schemas.document, error) for error in errors)
