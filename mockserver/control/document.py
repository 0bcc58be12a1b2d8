"""The control API's own OpenAPI document, and requests read the way it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from mockserver.contract import Schemas
from mockserver.contract.document import load_document
from mockserver.contract.schemas import describe
from mockserver.control.asked import Sent
from mockserver.envelope import JSON_TYPE
from mockserver.errors import Misuse
from mockserver.integers import with_integers

FILE = Path(__file__).with_name("openapi.yaml")
_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Given:
    """What a request gave: a valid body and valid query parameters, with their defaults filled in."""

    body: Mapping[str, Any]
    query: Mapping[str, Any]


@dataclass(frozen=True)
class _Operation:
    body: str | None
    """The URI of the body's schema."""
    body_required: bool
    query: Mapping[str, tuple[str, Mapping[str, Any]]]
    """The URI and the value of each query parameter's schema, by name."""


class ControlDocument:
    """The document, with its validators compiled when they are needed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.schemas = Schemas(document)
        self._operations = dict(self._found())

    def read(self, operation: str, sent: Sent) -> Given:
        """Return what ``sent`` gives to ``operation``.

        Raises ``Misuse``, whose line names the member or parameter, when it gives something else.
        """
        known = self._operations[operation]
        return Given(self._body(known, sent), self._query(known, sent.query))

    def resolve(self, node: Any, place: str) -> tuple[Any, str]:
        """Return what ``node`` at the pointer ``place`` refers to, and where that stands."""
        while "$ref" in node:
            place = str(node["$ref"])
            node = self.document
            for step in place.removeprefix("#/").split("/"):
                node = node[step]
        return node, place

    def _body(self, operation: _Operation, sent: Sent) -> Mapping[str, Any]:
        if operation.body is None:
            return {}
        data = _data(sent)
        if not data and not operation.body_required:
            return {}
        body = with_integers(_parsed(data, sent.mimetype))
        problem = self.problem(operation.body, body, "the body")
        if problem is not None:
            raise Misuse(problem)
        found: Mapping[str, Any] = body
        return found

    def _query(self, operation: _Operation, sent: Mapping[str, str]) -> Mapping[str, Any]:
        unknown = sorted(set(sent) - set(operation.query))
        if unknown:
            known = ", ".join(operation.query) or "none"
            raise Misuse(
                f"unknown query parameter {ascii(unknown[0])[1:-1][:40]}; known are {known}"
            )
        values = {}
        for name, (pointer, schema) in operation.query.items():
            if name not in sent:
                values[name] = schema.get("default")
                continue
            values[name] = _decoded(sent[name], schema)
            problem = self.problem(pointer, values[name], name)
            if problem is not None:
                raise Misuse(problem)
        return values

    def problem(self, pointer: str, value: Any, root: str) -> str | None:
        """Return the first thing wrong with ``value`` by the schema at ``pointer``; ``root`` names it."""
        try:
            for error in self.schemas.validator(pointer).iter_errors(value):
                return describe(error).replace("the value:", f"{root}:", 1)
        except ValueError as error:  # JSON deeper than the validator follows
            return f"{root}: can't be read ({error})"
        return None

    def _found(self) -> Any:
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method == "parameters":
                    continue
                place = f"#/paths/{quote(path.replace('/', '~1'))}/{method}"
                yield operation["operationId"], self._operation(operation, place)

    def _operation(self, operation: Mapping[str, Any], place: str) -> _Operation:
        body = None
        given, at = self.resolve(operation.get("requestBody", {}), f"{place}/requestBody")
        if given:
            body = f"{at}/content/application~1json/schema"
        query = {}
        for index, node in enumerate(operation.get("parameters", ())):
            parameter, at = self.resolve(node, f"{place}/parameters/{index}")
            query[parameter["name"]] = (f"{at}/schema", parameter["schema"])
        return _Operation(body, given.get("required", False), query)


@cache
def control_document() -> ControlDocument:
    """Return the document of the control API, read at the first call."""
    return ControlDocument(load_document(FILE, "control"))


def _data(sent: Sent) -> bytes:
    try:
        return sent.data()
    except (OSError, ValueError) as error:
        raise Misuse(f"the body can't be read: {error}") from None


def _parsed(data: bytes, mimetype: str) -> Any:
    try:
        return _of_yaml(data) if "yaml" in mimetype else orjson.loads(data or b"null")
    except ValueError as error:
        line = " ".join(str(error).split())[:200]
        form = "YAML" if "yaml" in mimetype else "JSON"
        told = mimetype in (JSON_TYPE, "application/yaml")
        why = "" if told else f", as which a Content-Type of {ascii(mimetype)[:40]} is read"
        raise Misuse(f"the body is not valid {form}{why}: {line}") from None


def _of_yaml(data: bytes) -> Any:
    """Return the value of a YAML document. Raises ``ValueError`` when it isn't one."""
    import yaml

    from mockserver.yamlfile import load_yaml  # seldom needed, and slow to import

    try:
        return load_yaml(data)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _decoded(text: str, schema: Mapping[str, Any]) -> Any:
    """Return the value that ``text`` stands for; one that it can't stand for is left to the schema."""
    if schema.get("type") == "boolean":
        return _FLAGS.get(text.lower(), text)
    if schema.get("type") == "integer" and text.removeprefix("-").isdecimal() and len(text) < 20:
        return int(text)
    return text
