"""Arguments of an operation: decoded from path, query and body, and checked against the contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
import orjson

from mockserver import rules
from mockserver.call import Call
from mockserver.contract import Operation, Parameter, Schemas
from mockserver.contract.doubts import is_doubtful, is_doubtful_in_body
from mockserver.envelope import JSON_TYPE, Refused
from mockserver.integers import with_integers
from mockserver.problems import in_one_line, keyword_of, sentence_of
from mockserver.request import Request
from mockserver.rules import Rule

_INTEGER = re.compile(r"-?[0-9]{1,400}")
_UNDECODABLE = object()


@dataclass(slots=True)  # not frozen: making one is a part of many requests
class Arguments:
    """The decoded values of a valid request, with the contract's defaults filled in."""

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """Return the value named ``name`` from path, query or body; ``None`` when absent."""
        for part in (self.path, self.query, self.body):
            if name in part:
                return part[name]
        return None


def validate_address(request: Request, operation: Operation, schemas: Schemas) -> Arguments:
    """Return the arguments that path and query carry; they depend on nothing else.

    Raises ``Refused`` (400) with a sentence that says which value is wrong, what came and what is allowed.
    """
    path = {
        parameter.name: _value(parameter, [request.path_arguments[parameter.name]], schemas)
        for parameter in operation.path_parameters
    }
    return Arguments(path, _query(request, operation, schemas), {})


def _query(request: Request, operation: Operation, schemas: Schemas) -> dict[str, Any]:
    sent = request.query
    values: dict[str, Any] = {}
    for parameter in operation.query_parameters:
        texts = sent.get(parameter.name)
        if texts is not None:
            values[parameter.name] = _value(parameter, texts, schemas)
        elif parameter.required:
            raise Refused(rules.BAD_QUERY, f"{parameter.name} is required.")
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
    for names in operation.exclusive:
        if all(name in sent for name in names):
            raise Refused(
                rules.BAD_QUERY, f"{' and '.join(names)} exclude each other; send only one."
            )
    return values


def _value(parameter: Parameter, texts: list[str], schemas: Schemas) -> Any:
    value = _decode(parameter, texts)
    if value is _UNDECODABLE or not schemas.validator(parameter.reference).is_valid(value):
        allowed = _allowed(parameter.schema)
        raise Refused(
            _rule_of(parameter, texts), f"{parameter.name} must be {allowed}, got {_shown(texts)}."
        )
    return value


def _rule_of(parameter: Parameter, texts: list[str]) -> Rule:
    """Return the rule by which ``texts`` are refused."""
    if is_doubtful(parameter, texts):
        return rules.DOUBTFUL
    return rules.BAD_ENUM if "enum" in parameter.schema else rules.BAD_QUERY


def _decode(parameter: Parameter, texts: list[str]) -> Any:
    if parameter.type == "array":
        return [item for text in texts for item in text.split(",")]
    if len(texts) > 1:
        return _UNDECODABLE
    if parameter.type == "integer":
        return int(texts[0]) if _INTEGER.fullmatch(texts[0]) else _UNDECODABLE
    return texts[0]


def _allowed(schema: Mapping[str, Any]) -> str:
    """Say in words what a parameter's schema allows."""
    if schema.get("type") == "array":
        return "a list; each item " + _allowed(schema["items"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "integer":
        low, high = schema.get("minimum"), schema.get("maximum")
        if low is not None and high is not None:
            return f"an integer between {low} and {high}"
        return "an integer" + (f" of at least {low}" if low is not None else "")
    if "anyOf" in schema:
        return " or ".join(_allowed(option) for option in schema["anyOf"])
    return str(schema.get("description", "a single value")).rstrip(".")


def _shown(texts: list[str]) -> str:
    """Return what was sent, short enough for one line and safe to print."""
    text = ", ".join(texts)
    return ascii(text if len(text) <= 60 else text[:60] + "…")


def validate_body(call: Call, operation: Operation, schemas: Schemas) -> Mapping[str, Any]:
    """Return the decoded body, empty where none was sent. Raises ``Refused`` (400)."""
    if operation.body is None:
        return {}
    if not call.request.has_body:
        if operation.body_required:
            raise Refused(rules.BAD_BODY, "A JSON body is required; none was sent.")
        return {}
    if call.request.content_type != JSON_TYPE:
        sent = call.request.content_type or "nothing"
        raise Refused(rules.BAD_BODY, f"Content-Type must be {JSON_TYPE}, got {ascii(sent)[:80]}.")
    try:
        body = orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise Refused(
            rules.BAD_BODY, f"The body is not valid JSON: {in_one_line(str(error))}."
        ) from None
    body = with_integers(body)  # JSON Schema takes 3.0 for the same integer as 3
    problem = first_problem(schemas, operation.body, body)
    if problem is not None:
        rule, sentence = problem
        raise Refused(rule, sentence)
    if not isinstance(body, dict):
        raise Refused(rules.BAD_BODY, "The body must be a JSON object.")
    return body


def first_problem(schemas: Schemas, pointer: str, body: Any) -> tuple[Rule, str] | None:
    """Return the rule and the sentence of the first thing wrong with ``body``, or ``None``."""
    validator = schemas.validator(pointer)
    try:
        if validator.is_valid(body):
            return None
        error = next(iter(validator.iter_errors(body)))
    except ValueError:  # deeper than the validator follows
        return rules.BAD_BODY, "The body is nested too deeply."
    return _rule_in_body(schemas, error), sentence_of(error)


def _rule_in_body(schemas: Schemas, error: jsonschema_rs.ValidationError) -> Rule:
    if is_doubtful_in_body(schemas.document, error):
        return rules.DOUBTFUL
    return rules.BAD_ENUM if keyword_of(error) == "enum" else rules.BAD_BODY
