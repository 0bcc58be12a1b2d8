"""The control API's reference as a Markdown page, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from mockserver.control.document import ControlDocument, control_document

_HEAD = """# The control API

This page is what `mockserver control` prints: it is made from
[`mockserver/control/openapi.yaml`](../mockserver/control/openapi.yaml), which a running mock also serves
under `/_mock/openapi.json`.
"""


def as_markdown() -> str:
    """Return the reference: every operation by its tag, with parameters, body and an example."""
    api = control_document()
    document = api.document
    parts = [_HEAD, document["info"]["description"].strip()]
    for tag in document["tags"]:
        parts.append(f"## {tag['name']}\n\n{tag['description']}")
        parts += [
            _operation(api, path, method, item)
            for path, item in document["paths"].items()
            for method in item
            if method != "parameters" and tag["name"] in item[method]["tags"]
        ]
    return "\n\n".join(parts) + "\n"


def _operation(api: ControlDocument, path: str, method: str, item: Mapping[str, Any]) -> str:
    operation = item[method]
    parts = [f"### {operation['summary']}", f"`{method.upper()} /_mock{path.rstrip('/')}`"]
    if "description" in operation:
        parts.append(str(operation["description"]).strip())
    rows = list(_rows(api, item.get("parameters", ()), operation))
    if rows:
        parts.append("\n".join(["| name | in | type | meaning |", "|---|---|---|---|", *rows]))
    parts += _examples(api, operation)
    return "\n\n".join(parts)


def _rows(api: ControlDocument, shared: Any, operation: Mapping[str, Any]) -> Iterator[str]:
    for node in (*shared, *operation.get("parameters", ())):
        parameter, _ = api.resolve(node, "")
        yield _row(api, parameter["name"], parameter["in"], parameter["schema"], parameter)
    body, _ = api.resolve(operation.get("requestBody", {}), "")
    if body:
        schema, _ = api.resolve(body["content"]["application/json"]["schema"], "")
        for name, member in schema.get("properties", {}).items():
            yield _row(api, name, "body", member, member)


def _row(
    api: ControlDocument, name: str, place: str, schema: Mapping[str, Any], told: Mapping[str, Any]
) -> str:
    found, _ = api.resolve(schema, "")
    meaning = " ".join(str(told.get("description") or found.get("description", "")).split())
    cells = (f"`{name}`", place, _type(api, found), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(api: ControlDocument, schema: Mapping[str, Any]) -> str:
    """Say in a few words what a schema allows."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    for keyword in ("oneOf", "anyOf"):
        if keyword in schema:
            return " or ".join(_type(api, api.resolve(one, "")[0]) for one in schema[keyword])
    if "const" in schema:
        return f"`{orjson.dumps(schema['const']).decode()}`"
    kind = schema.get("type", "any")
    text = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if "items" in schema:
        text = f"{text} of {_type(api, api.resolve(schema['items'], '')[0])}"
    return text + (
        f" = `{orjson.dumps(schema['default']).decode()}`" if "default" in schema else ""
    )


def _examples(api: ControlDocument, operation: Mapping[str, Any]) -> Iterator[str]:
    body, _ = api.resolve(operation.get("requestBody", {}), "")
    content = body.get("content", {}).get("application/json", {})
    for name, example in content.get("examples", {}).items():
        yield _json(example.get("summary", name), example["value"])
    if "example" in content:
        yield _json("Body", content["example"])
    answer, _ = api.resolve(operation["responses"]["200"], "")
    shown = answer.get("content", {}).get("application/json", {})
    if "example" in shown:
        yield _json("Answer", shown["example"])


def _json(title: str, value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return f"{title}:\n\n```json\n{text}\n```"
