"""Routes: which template a path fits, and which operation of the contract a request is for."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mockserver import rules
from mockserver.contract import Contract, Operation
from mockserver.envelope import Refused
from mockserver.errors import ContractError

_MOST_REMEMBERED, _LONGEST_REMEMBERED = 2_048, 256
"""Paths whose operations are remembered, and their longest in characters."""

_NAME = re.compile(r"{([a-zA-Z_][a-zA-Z0-9_]*)}")


@dataclass(slots=True)
class _Node:
    """What may follow the same first segments."""

    fixed: dict[str, _Node] = field(default_factory=dict)
    patterns: list[tuple[_Pattern, _Node]] = field(default_factory=list)
    template: str | None = None
    """The template that ends here."""


class _Pattern:
    """A segment with parameters, such as `{id}` or `{id}.csv`; a parameter takes anything but nothing."""

    def __init__(self, segment: str) -> None:
        pieces = _NAME.split(segment)
        texts = [text for text in pieces[::2] if text]
        self.segment = _NAME.sub("{}", segment)
        self.form = re.compile(
            "".join("([^/]+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces))
        )
        # Flask's order: more text of its own goes first, then longer texts, then more parameters.
        self.rank = (-len(texts), [-len(text) for text in texts], -len(pieces[1::2]))


class Paths:
    """Templates such as `/v1/{account_id}/chats`, and the way from a path to the one that it fits.

    A segment that is written out goes before one with parameters.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        """Take the templates. Raises ``ValueError``, which says what is wrong, at one that is none."""
        self._root = _Node()
        self._names: dict[str, list[str]] = {}
        for template in templates:
            self._names[template] = _names(template)
            self._add(template)

    def match(self, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the template that ``path`` fits and what its parameters are; ``None`` where it fits none."""
        found = _found(self._root, path.removeprefix("/").split("/"), 0, ())
        if found is None:
            return None
        template, values = found
        return template, dict(zip(self._names[template], values, strict=True))

    def _add(self, template: str) -> None:
        node = self._root
        for segment in template.removeprefix("/").split("/"):
            node = _below(node, segment)
        node.template = template


def _names(template: str) -> list[str]:
    names = _NAME.findall(template)
    if not template.startswith("/") or template.startswith("//"):
        raise ValueError("a path begins with one slash")
    if re.search("[{}<>]", _NAME.sub("", template)):
        raise ValueError("a parameter is written as {name}, and no other brackets are")
    if len(set(names)) < len(names):
        raise ValueError("a parameter stands there twice")
    return names


def _below(node: _Node, segment: str) -> _Node:
    """Return what follows ``segment`` after ``node``, made if it isn't there."""
    if not _NAME.search(segment):
        return node.fixed.setdefault(segment, _Node())
    pattern = _Pattern(segment)
    for known, below in node.patterns:
        if known.segment == pattern.segment:
            return below
    below = _Node()
    node.patterns.append((pattern, below))
    node.patterns.sort(key=lambda entry: entry[0].rank)
    return below


def _found(
    node: _Node, segments: list[str], at: int, values: tuple[str, ...]
) -> tuple[str, tuple[str, ...]] | None:
    """Return the template under ``node`` that the segments from ``at`` on lead to, and all values."""
    if at == len(segments):
        return None if node.template is None else (node.template, values)
    below = node.fixed.get(segments[at])
    found = None if below is None else _found(below, segments, at + 1, values)
    for pattern, below in node.patterns:
        if found is not None:
            break
        fit = pattern.form.fullmatch(segments[at])
        if fit is not None:
            found = _found(below, segments, at + 1, (*values, *fit.groups()))
    return found


class Router:
    """Finds the operation of a request: first the path, then the method.

    So a method that the most specific path doesn't have is refused, though a path with a parameter in its
    place would have it (`PATCH /vault/lists/sort` is no rename of a list called sort).
    """

    def __init__(self, contract: Contract) -> None:
        """Take the routes of ``contract``. Raises ``ContractError`` at a path that can't be one."""
        self._by_path: dict[str, dict[str, Operation]] = {}
        for operation in contract:
            self._by_path.setdefault(operation.path, {})[operation.method] = operation
        self._paths = _paths_of(contract)
        self._known: dict[tuple[str, str], tuple[Operation, dict[str, str]]] = {}

    def match(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation and its path arguments, or ``None`` when the route isn't the contract's.

        Raises ``Refused``: 405 when the route doesn't have the method, 404 when the path begins with two slashes.
        """
        known = self._known.get((method, path))
        if known is not None:
            return known
        if path.startswith("//"):  # Flask would take them for one
            raise Refused(rules.UNKNOWN_ROUTE, "There is no such route.")
        matched = self._paths.match(path)
        if matched is None:
            return None
        template, arguments = matched
        methods = self._by_path[template]
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            message = f"The route has no method {ascii(method)[1:-1][:20]}; it has {allowed}."
            raise Refused(rules.UNKNOWN_METHOD, message, headers=(("Allow", allowed),))
        found = methods[method], arguments
        if len(path) <= _LONGEST_REMEMBERED:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[method, path] = found
        return found


def _paths_of(contract: Contract) -> Paths:
    paths = dict.fromkeys(operation.path for operation in contract)
    for path in paths:
        try:
            Paths([path])
        except ValueError as error:
            raise ContractError(f"{contract.source}: paths.{path}: {error}") from None
    return Paths(paths)


def flask_path(template: str, numbers: Collection[str] = ()) -> str:
    """Return ``template`` in the notation of Flask; ``numbers`` are the parameters that are such."""
    return _NAME.sub(lambda found: f"<{'int:' * (found[1] in numbers)}{found[1]}>", template)
