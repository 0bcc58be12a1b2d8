"""The endpoints as this server reads them from `openapi.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

_FILE = Path(__file__).parents[3] / "openapi.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter in the path or in the query."""

    name: str
    in_path: bool
    required: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path."""

    name: str
    permission: str | None
    """What a key must be allowed; ``None`` where anybody may ask."""
    upstream: bool
    inputs: tuple[Input, ...]
    excluding: tuple[frozenset[str], ...]
    body: dict[str, Any] | None
    """The schema of the body, where there is one."""
    example: dict[str, Any]
    """The whole answer that the contract shows."""
    paging: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Place:
    """One path and what may be done there."""

    pattern: re.Pattern[str]
    wildcards: int
    methods: dict[str, Endpoint]


class Spec:
    """The document, its places, and what its references mean."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        places = [self._place(path, item) for path, item in document["paths"].items()]
        # A literal step is more specific than a wildcard, so paths with fewer wildcards are tried first.
        self._places = sorted(places, key=lambda place: place.wildcards)

    def find(self, path: str) -> tuple[Place, dict[str, str]] | None:
        """Return the place of a request's path, and the decoded texts of its wildcards."""
        for place in self._places:
            found = place.pattern.fullmatch(path)
            if found:
                return place, {name: unquote(text) for name, text in found.groupdict().items()}
        return None

    def endpoints(self) -> Iterator[Endpoint]:
        """Yield every endpoint."""
        for place in self._places:
            yield from place.methods.values()

    def follow(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return what a node refers to, or the node itself."""
        while "$ref" in node:
            found: Any = self._document
            for step in node["$ref"].split("/")[1:]:
                found = found[step]
            node = found
        return node

    def _place(self, path: str, item: dict[str, Any]) -> Place:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        methods = {method.upper(): self._endpoint(entry) for method, entry in item.items()}
        return Place(re.compile(pattern), path.count("{"), methods)

    def _endpoint(self, entry: dict[str, Any]) -> Endpoint:
        success = self.follow(entry["responses"]["200"])
        body = entry.get("requestBody")
        return Endpoint(
            name=entry["operationId"],
            permission=entry.get("x-permission"),
            upstream=entry["x-upstream"],
            inputs=tuple(self._input(node) for node in entry.get("parameters", ())),
            excluding=tuple(frozenset(names) for names in entry.get("x-exclusive", ())),
            body=body["content"][_JSON]["schema"] if body else None,
            example=success["content"][_JSON]["example"],
            paging=entry.get("x-pagination"),
        )

    def _input(self, node: dict[str, Any]) -> Input:
        node = self.follow(node)
        schema = self.follow(node["schema"])
        return Input(node["name"], node["in"] == "path", node.get("required", False), schema)


@lru_cache(maxsize=1)
def read_spec() -> Spec:
    """Return the contract of this repository; it is read once."""
    return Spec(yaml.load(_FILE.read_text(encoding="utf-8"), _LOADER))  # noqa: S506  # a safe loader
