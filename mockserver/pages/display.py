"""Copies of the OpenAPI documents for the reference pages: they say in words what extensions say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def displayed(document: Document, server: str) -> Document:
    """Return a copy of ``document`` whose only server is ``server``, each operation with its facts."""
    paths = {path: _path(item) for path, item in document["paths"].items()}
    here = {"url": server, "description": "This mock."}
    return {**document, "servers": [here], "paths": paths}


def _path(item: Document) -> Document:
    return {key: _operation(value) if key in _METHODS else value for key, value in item.items()}


def _operation(operation: Document) -> Document:
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
