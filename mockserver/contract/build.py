"""From a checked document to operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.contract.operations import Contract, Operation, Pagination, Parameter, Resource
from mockserver.rules import Level

METHODS = ("get", "put", "post", "delete", "patch")


def build_contract(document: Mapping[str, Any], source: str) -> Contract:
    """Return the operations of ``document``, which must have passed the checks of its form."""
    operations = {
        spec["operationId"]: build_operation(document, path, method, spec)
        for path, method, spec in each_operation(document)
    }
    return Contract(document, source, operations)


def each_operation(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield the path, the method and the operation object of every operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def escape(step: str) -> str:
    """Return ``step`` as a part of a JSON pointer in a URI fragment."""
    return step.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


def resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what ``node`` refers to, or itself; raises ``KeyError`` when nothing is there."""
    followed = set()
    while "$ref" in node:
        if node["$ref"] in followed:
            raise KeyError(node["$ref"])
        followed.add(node["$ref"])
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def properties(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return every property that ``schema`` or one of its parts or alternatives names."""
    schema = resolve(document, schema)
    found: dict[str, Any] = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            found |= properties(document, part)
    return found | dict(schema.get("properties", {}))


def build_operation(
    document: Mapping[str, Any], path: str, method: str, spec: Mapping[str, Any]
) -> Operation:
    """Return the operation that ``spec`` describes."""
    at = f"#/paths/{escape(path)}/{method}"
    body = spec.get("requestBody", {})
    body_content = body.get("content", {}).get("application/json", {})
    success_ref = spec["responses"]["200"]
    success = resolve(document, success_ref)["content"]["application/json"]
    success_at = success_ref.get("$ref", f"{at}/responses/200")
    paging = spec.get("x-pagination")
    options = dict(spec["x-resource"])
    return Operation(
        id=spec["operationId"],
        method=method.upper(),
        path=path,
        tag=spec["tags"][0],
        summary=spec["summary"],
        permission=spec.get("x-permission"),
        level=Level(spec["x-level"]),
        source=spec["x-source"],
        upstream=spec["x-upstream"],
        charges=spec.get("x-charges", 1),
        pagination=_pagination(paging) if paging else None,
        exclusive=tuple(tuple(names) for names in spec.get("x-exclusive", ())),
        resource=Resource(options.pop("action"), options.pop("collection", None), options),
        parameters=tuple(
            _parameter(document, parameter, f"{at}/parameters/{index}")
            for index, parameter in enumerate(spec.get("parameters", ()))
        ),
        body=f"{at}/requestBody/content/application~1json/schema" if body_content else None,
        body_members=frozenset(properties(document, body_content.get("schema", {}))),
        body_required=bool(body.get("required", False)),
        body_example=body_content.get("example"),
        data_schema=_data_schema(document, success["schema"]),
        success=f"{success_at}/content/application~1json/schema",
        success_example=success.get("example"),
        statuses=tuple(int(status) for status in spec["responses"]),
    )


def _pagination(paging: Mapping[str, Any]) -> Pagination:
    return Pagination(**{**paging, "drops": tuple(paging.get("drops", ()))})


def _parameter(document: Mapping[str, Any], node: Mapping[str, Any], at: str) -> Parameter:
    parameter = resolve(document, node)
    return Parameter(
        name=parameter["name"],
        location=parameter["in"],
        required=bool(parameter.get("required", False)),
        schema=resolve(document, parameter["schema"]),
        reference=f"{node.get('$ref', at)}/schema",
        example=parameter.get("example"),
    )


def _data_schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of ``data``: the last part of the envelope's `allOf` that describes it."""
    for part in reversed(schema.get("allOf", ())):
        data = part.get("properties", {}).get("data")
        if data is not None:
            return resolve(document, data)
    return {}
