"""What the contract's document must be; the first breach is reported with its file and key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from mockserver.contract.build import build_operation, each_operation, escape, resolve
from mockserver.contract.schemas import Schemas, SchemaViolation
from mockserver.errors import ContractError
from mockserver.rules import Level

_TEXT = {"type": "string", "minLength": 1}
_NAMES = {"type": "array", "items": _TEXT, "minItems": 1}
_MAP = {"type": "object"}

_ACTIONS = ("list", "get", "create", "update", "set", "delete", "add", "remove")
_RESOURCE = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "action": {"enum": [*_ACTIONS, "handler", "example"]},
        "collection": _TEXT,
        "handler": _TEXT,
        "where": _MAP,
        "match": _MAP,
        "key": {"type": "object", "minProperties": 1, "maxProperties": 1},
        "parent": {"type": "object", "required": ["collection", "key"]},
        "search": _MAP,
        "contains": _MAP,
        "filter": _MAP,
        "window": _TEXT,
        "order": _MAP,
        "wrap": _TEXT,
        "values": _MAP,
        "rename": _MAP,
        "cascade": _MAP,
        "withdraw": _MAP,
        "reads": {"type": "array", "items": _TEXT},
        "require": {"type": "object", "additionalProperties": _TEXT},
        "field": _TEXT,
        "from": _TEXT,
        "known": {"type": "object", "minProperties": 1, "additionalProperties": _TEXT},
    },
    "additionalProperties": False,
    "oneOf": [
        {"properties": {"action": {"enum": ["handler"]}}, "required": ["handler"]},
        {"properties": {"action": {"enum": ["example"]}}},
        {"properties": {"action": {"enum": ["add"]}}, "required": ["collection", "known"]},
        {
            "properties": {"action": {"enum": [name for name in _ACTIONS if name != "add"]}},
            "required": ["collection"],
        },
    ],
}
_OPERATION = {
    "type": "object",
    "required": ["operationId", "tags", "summary", "x-level", "x-source", "x-upstream", "x-resource", "responses"],
    "properties": {
        "operationId": {"type": "string", "pattern": "^[a-z][A-Za-z0-9]*$"},
        "tags": {**_NAMES, "maxItems": 1},
        "summary": _TEXT,
        "x-permission": {"type": "string", "pattern": "^api_[a-z_]+$"},
        "x-level": {"enum": [str(level) for level in Level]},
        "x-source": _TEXT,
        "x-upstream": {"type": "boolean"},
        "x-pagination": {
            "type": "object",
            "required": ["style"],
            "properties": {
                "style": {"enum": ["offset", "date", "marker", "last_id", "id"]},
                "size": {"type": "integer", "minimum": 1},
                "cap": {"type": "integer", "minimum": 1},
                "drops": _NAMES,
            },
            "additionalProperties": False,
        },
        "x-exclusive": {"type": "array", "items": {**_NAMES, "minItems": 2}},
        "x-charges": {"type": "integer", "minimum": 0},
        "x-resource": _RESOURCE,
        "responses": {
            "type": "object",
            "required": ["200"],
            "propertyNames": {"pattern": "^[1-5][0-9][0-9]$"},
        },
    },
}  # fmt: skip

_OF_SCHEMAS = frozenset({"x-bounds"})
EXTENSIONS = _OF_SCHEMAS.union(key for key in _OPERATION["properties"] if key.startswith("x-"))
"""Every extension that the document may use."""

_REFUSALS = {"400", "401", "402", "403", "413", "429", "500"}
_UPSTREAM_REFUSALS = {"502", "503"}

MISSHAPEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What Python raises where a member of the document is of another kind than OpenAPI says."""

_NOT_SCHEMA = {"example", "examples", "default", "enum", "x-resource"}
_NAMED = {"properties", "patternProperties", "schemas", "parameters", "responses", "paths"}


def check_document(document: Mapping[str, Any], file: str) -> None:
    """Raise ``ContractError`` at the first thing in ``document`` that the suite can't work with."""
    try:
        _check_head(document)
        _check_extensions(document, "")
        _check_references(document, document, "")
        _check_operations(document)
        _check_routes(document)
        _check_examples(document)
    except ContractError as error:
        raise ContractError(f"{file}: {error}") from None
    except MISSHAPEN as error:
        raise ContractError(f"{file}: {_misshapen(error)}") from None


def _misshapen(error: BaseException) -> str:
    return f"has another form than OpenAPI 3.1: {type(error).__name__} {error}"


def _check_head(document: Mapping[str, Any]) -> None:
    version = document.get("openapi")
    if not str(version).startswith("3.1."):
        raise ContractError(f"openapi: must be 3.1.x, found {version!r}")
    for key in ("paths", "components", "security"):
        if not document.get(key):
            raise ContractError(f"{key}: is missing or empty")
    if not isinstance(document["paths"], dict):
        raise ContractError("paths: must be a mapping of routes")
    for path, item in document["paths"].items():
        if not isinstance(item, dict):
            raise ContractError(f"paths.{path}: must be a mapping of methods")


def _check_extensions(node: Any, at: str, *, named: bool = False) -> None:
    """Refuse every extension that isn't listed; ``named``: the keys of ``node`` are names, not keywords."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            _check_extensions(item, f"{at}[{index}]")
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        place = f"{at}.{key}" if at else str(key)
        if not named and str(key).startswith("x-") and key not in EXTENSIONS:
            raise ContractError(
                f"{place}: unknown extension; known are {', '.join(sorted(EXTENSIONS))}"
            )
        if not named and key == "x-bounds" and value != Level.INFERRED:
            raise ContractError(
                f"{place}: must be {Level.INFERRED}; bounds without it are a page's"
            )
        if named or key not in _NOT_SCHEMA:
            _check_extensions(value, place, named=not named and key in _NAMED)


def _check_references(document: Mapping[str, Any], node: Any, at: str) -> None:
    if isinstance(node, list):
        for index, item in enumerate(node):
            _check_references(document, item, f"{at}[{index}]")
    if not isinstance(node, dict):
        return
    if isinstance(node.get("$ref"), str):
        try:
            resolve(document, {"$ref": node["$ref"]})
        except (KeyError, TypeError):
            raise ContractError(f"{at}.$ref: nothing stands at {node['$ref']}") from None
    for key, value in node.items():
        if key not in ("example", "examples"):
            _check_references(document, value, f"{at}.{key}" if at else str(key))


def _check_operations(document: Mapping[str, Any]) -> None:
    shape = jsonschema_rs.Draft202012Validator(_OPERATION)
    seen: dict[str, str] = {}
    for path, method, operation in each_operation(document):
        at = f"paths.{path}.{method}"
        for error in shape.iter_errors(operation):
            place = ".".join([at, *map(str, error.instance_path)])
            raise ContractError(f"{place}: {error.message}")
        if operation["operationId"] in seen:
            raise ContractError(
                f"{at}.operationId: already used by {seen[operation['operationId']]}"
            )
        seen[operation["operationId"]] = at
        _check_access(document, operation, at)
        try:
            _check_path_parameters(document, operation, path, at)
            _check_dropped(document, operation, at)
            build_operation(document, path, method, operation)
        except MISSHAPEN as error:
            raise ContractError(f"{at}: {_misshapen(error)}") from None


def _check_access(document: Mapping[str, Any], operation: Mapping[str, Any], at: str) -> None:
    is_open = operation.get("security") == []
    if is_open and "x-permission" in operation:
        raise ContractError(f"{at}.x-permission: stands on an operation that needs no key")
    if not is_open and "x-permission" not in operation:
        raise ContractError(
            f"{at}.x-permission: is missing; name the permission, or set `security: []`"
        )
    if not is_open:
        _check_refusals(operation, at)
        _check_example(document, operation, at)


def _check_refusals(operation: Mapping[str, Any], at: str) -> None:
    """Demand every refusal that the gate may give, and none that it can't."""
    upstream = operation["x-upstream"]
    on_account = "{account_id}" in at
    due = _REFUSALS | (_UPSTREAM_REFUSALS if upstream else set())
    due |= {"404"} if on_account else set()
    due |= {"424"} if upstream and on_account else set()
    missing = sorted(due - set(operation["responses"]))
    if missing:
        raise ContractError(f"{at}.responses: lacks {', '.join(missing)}")
    if "424" in set(operation["responses"]) - due:
        raise ContractError(
            f"{at}.responses.424: only an upstream operation on an account can give it"
        )


def _check_example(document: Mapping[str, Any], operation: Mapping[str, Any], at: str) -> None:
    """Demand what an operation answers that has nothing but its example."""
    if operation["x-resource"]["action"] != "example":
        return
    success = resolve(document, operation["responses"]["200"])
    content = success.get("content", {}).get("application/json", {})
    example = content.get("example")
    if not isinstance(example, dict) or "data" not in example:
        raise ContractError(
            f"{at}.responses.200.content.application/json.example: lacks `data`,"
            " which the action example answers"
        )


def _check_path_parameters(
    document: Mapping[str, Any], operation: Mapping[str, Any], path: str, at: str
) -> None:
    declared = set()
    for index, node in enumerate(operation.get("parameters", ())):
        parameter = resolve(document, node)
        missing = {"name", "in", "schema"} - set(parameter)
        if missing:
            raise ContractError(f"{at}.parameters[{index}]: lacks {', '.join(sorted(missing))}")
        if parameter["in"] == "path":
            declared.add(parameter["name"])
    in_path = set(re.findall(r"{(\w+)}", path))
    if declared != in_path:
        names = ", ".join(sorted(declared ^ in_path))
        raise ContractError(f"{at}.parameters: path and parameters disagree on {names}")


def _check_dropped(document: Mapping[str, Any], operation: Mapping[str, Any], at: str) -> None:
    """Demand that what a link may drop is a parameter."""
    names = {resolve(document, node)["name"] for node in operation.get("parameters", ())}
    for name in operation.get("x-pagination", {}).get("drops", ()):
        if name not in names:
            raise ContractError(f"{at}.x-pagination.drops: there is no parameter {name}")


def _check_routes(document: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for path in document["paths"]:
        route = re.sub(r"{\w+}", "{}", path)
        if route in seen:
            raise ContractError(f"paths.{path}: the same route as {seen[route]}")
        seen[route] = path


def _check_examples(document: Mapping[str, Any]) -> None:
    schemas = Schemas(document)
    for place, pointer, example in each_example(document):
        try:
            schemas.check(pointer, example)
        except SchemaViolation as violation:
            raise ContractError(f"{place}.example: {violation}") from None
        except ValueError as error:
            raise ContractError(f"{place}.schema: can't be compiled ({error})") from None


def each_example(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield the place, the pointer of the schema and the value of every example beside a schema."""
    yield from _examples(document, "", "#")


def _examples(node: Any, place: str, pointer: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _examples(item, f"{place}[{index}]", f"{pointer}/{index}")
    if not isinstance(node, dict):
        return
    if "schema" in node and "example" in node:
        yield place, f"{pointer}/schema", node["example"]
    for key, value in node.items():
        if key != "example":
            where = f"{place}.{key}" if place else str(key)
            yield from _examples(value, where, f"{pointer}/{escape(str(key))}")
