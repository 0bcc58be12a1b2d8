"""The contract as the servers read it: whole, grown to a number of operations, and as OpenAPI 3.0."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from mockserver.contract import load_contract

Document = dict[str, Any]

_METHODS = ("get", "put", "post", "delete", "patch")
_CHATS = "/v1/{account_id}/chats"
_MESSAGES = "/v1/{account_id}/chats/{user_id}/messages"
_FIRST = ((_CHATS, "get"), (_MESSAGES, "get"), (_MESSAGES, "post"))
"""In every grown document: what is asked for, and what the seeded roles name."""


def whole() -> Document:
    """Return the contract's document."""
    document: Document = copy.deepcopy(dict(load_contract().document))
    return document


def grown(operations: int) -> Document:
    """Return a valid contract of so many operations: some of ours, or ours and copies under other paths."""
    document = whole()
    source = document["paths"]
    paths: Document = {}
    for number, (path, method) in enumerate(_order(source, operations)):
        copied = number // _count(source) + 1
        operation = copy.deepcopy(source[path][method])
        if copied > 1:
            path = f"/v1/copy{copied}" + path.removeprefix("/v1")  # noqa: PLW2901  # the same operation, elsewhere
            operation["operationId"] += str(copied)
        paths.setdefault(path, {})[method] = operation
    document["paths"] = paths
    document["components"] = _used(document)
    return document


def _order(source: Document, operations: int) -> list[tuple[str, str]]:
    """Return the paths and methods to take, beginning again once all are taken."""
    ours = [
        (path, method) for path, item in source.items() for method in _METHODS if method in item
    ]
    ordered = [*_FIRST, *(place for place in ours if place not in _FIRST)]
    return [ordered[number % len(ordered)] for number in range(operations)]


def _count(source: Document) -> int:
    return sum(method in item for item in source.values() for method in _METHODS)


def _used(document: Document) -> Document:
    """Return the components that the document's paths lead to, and its security schemes."""
    components = document["components"]
    found: dict[str, Document] = {"securitySchemes": components["securitySchemes"]}
    waiting = [document["paths"]]
    while waiting:
        for reference in _references(waiting.pop()):
            kind, name = reference.removeprefix("#/components/").split("/")
            if name not in found.setdefault(kind, {}):
                found[kind][name] = components[kind][name]
                waiting.append(components[kind][name])
    return found


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if not isinstance(node, dict):
        return []
    here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return here + [found for value in node.values() for found in _references(value)]


def as_openapi_3_0() -> Document:
    """Return the two operations that are asked for, in OpenAPI 3.0.3: parameters, body and example."""
    document = grown(3)
    components = document["components"]
    paths = {
        _CHATS: {"get": _plain(document["paths"][_CHATS]["get"], components)},
        _MESSAGES: {"post": _plain(document["paths"][_MESSAGES]["post"], components)},
    }
    scheme = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Two operations", "version": "1"},
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {**scheme, "x-apikeyInfoFunc": "any_key.let_in"}}
        },
    }


def _plain(operation: Document, components: Document) -> Document:
    """Return ``operation`` without references and without what OpenAPI 3.0 doesn't know."""
    success = operation["responses"]["200"]["content"]["application/json"]
    answer = {"schema": {"type": "object"}, "example": success["example"]}
    plain: Document = {
        "operationId": operation["operationId"],
        "parameters": _inlined(operation["parameters"], components),
        "responses": {"200": {"description": "Done.", "content": {"application/json": answer}}},
    }
    if "requestBody" in operation:
        plain["requestBody"] = _inlined(operation["requestBody"], components)
    return plain


def _inlined(node: Any, components: Document) -> Any:
    if isinstance(node, list):
        return [_inlined(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        kind, name = node["$ref"].removeprefix("#/components/").split("/")
        return _inlined(components[kind][name], components)
    return {key: _inlined(value, components) for key, value in node.items()}


def page_of_ten() -> str:
    """Return the contract's example of the list with ten entries, for servers that are told what to say."""
    success = whole()["paths"][_CHATS]["get"]["responses"]["200"]
    page = success["content"]["application/json"]["example"]
    page["data"]["list"] *= 10
    return json.dumps(page, separators=(",", ":"))


def write(document: Document, file: Path) -> Path:
    """Write ``document`` as JSON, which every server reads faster than YAML."""
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
