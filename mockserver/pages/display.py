"""Copies of the OpenAPI documents for the reference pages: they say in words what extensions say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def displayed(document: Document, server: str) -> Document:
    """Return a copy of ``document`` whose only server is ``server``, each operation with its facts."""
    paths = {path: _path(item, document) for path, item in document["paths"].items()}
    here = {"url": server, "description": "This mock."}
    return {**document, "servers": [here], "paths": paths}


def _path(item: Document, document: Document) -> Document:
    shown = {key: _operation(value) if key in _METHODS else value for key, value in item.items()}
    if "parameters" in item:
        # Swagger UI doesn't follow these when a link leads straight to an operation.
        shown["parameters"] = [_resolved(each, document) for each in item["parameters"]]
    return shown


def _resolved(value: Document, document: Document) -> Document:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return _resolved(found, document)


def _operation(operation: Document) -> Document:
    # Swagger UI takes an underscore in a link to an operation for a space, and complains.
    name = str(operation.get("operationId", "")).replace("_", "-")
    operation = {**operation, "operationId": name} if name else operation
    facts = facts_of(operation)
    if not facts:
        return operation
    texts = (operation.get("description", ""), facts)
    return {**operation, "description": "\n\n".join(text for text in texts if text)}


def facts_of(operation: Document) -> str:
    """Return a line of Markdown with the operation's permission, level and source."""
    if "x-level" not in operation:
        return ""
    permission = operation.get("x-permission")
    needs = f"Permission `{permission}`" if permission else "No key needed"
    return f"{needs} · {operation['x-level']} · source: `{operation['x-source']}`"
