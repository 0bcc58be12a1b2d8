"""YAML as our files use it: the fast loader, refusing duplicate keys and keeping dates and times as text."""

from __future__ import annotations

from collections.abc import Hashable
from math import isfinite
from pathlib import Path
from typing import Any

import yaml

from mockserver.errors import SuiteError
from mockserver.files import read_bounded
from mockserver.shapes import Shape, refuse_breach
from mockserver.yamlbounds import check_bounds, check_directives, check_number, in_utf8

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DumperBase: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_Base):  # type: ignore[misc,valid-type]  # the C loader where PyYAML was built with it
    """Differs from PyYAML's safe loader where that one loses data silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be plain text", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} stands here twice", key_node.start_mark
                )
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping

    def construct_yaml_int(self, node: yaml.ScalarNode) -> Any:
        """Return a number; `10:30` is a text, of which PyYAML would make minutes, slowly if it is long."""
        if ":" in node.value:
            return node.value
        return check_number(super().construct_yaml_int(node), node.start_mark)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> Any:
        """Return a number; `10:30.5` is a text, and infinity or `.nan` nothing that JSON can say."""
        if ":" in node.value:
            return node.value
        number = super().construct_yaml_float(node)
        if not isfinite(number):
            raise yaml.constructor.ConstructorError(
                None, None, f"JSON has no number like {node.value}", node.start_mark
            )
        return number


for _name, _number in (
    ("int", _Loader.construct_yaml_int),
    ("float", _Loader.construct_yaml_float),
):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _number)

_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


def load_yaml(text: bytes | str) -> Any:
    """Return the value of a YAML document.

    Raises ``yaml.YAMLError`` when it isn't one, when a mapping holds a key twice, or when reading it
    would take more than its bounds.
    """
    text = in_utf8(text)
    check_directives(text)
    check_bounds(yaml.parse(text, _Loader))
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - _Loader is a safe loader
    except ValueError as error:  # a number with thousands of digits
        raise yaml.YAMLError(str(error).partition(";")[0]) from None


class _Dumper(_DumperBase):  # type: ignore[misc,valid-type]  # as above
    """Writes what several records share again in each of them, where a reader looks for it."""

    def ignore_aliases(self, data: object) -> bool:
        """Whether to write ``data`` again, though it was written before."""
        return True


def dump_yaml(value: Any) -> str:
    """Return a JSON value as a YAML document."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def read_yaml(file: Path, shape: Shape, error: type[SuiteError], root: str = "the file") -> Any:
    """Return the value in ``file``, which must have ``shape``; ``root`` names the value as a whole.

    Raises ``error``, in one line with the file and the key, when it can't be read or has another shape.
    """
    try:
        text = read_bounded(file)
    except OSError as failure:
        raise error(f"{file}: can't be read ({failure.strerror})") from None
    value = parse_yaml(text, file, error)
    refuse_breach(file, shape, value, error, root)
    return value


def parse_yaml(text: bytes, file: Path, error: type[SuiteError]) -> Any:
    """Return the value of ``text``, which ``file`` holds. Raises ``error``, in one line, when it isn't YAML."""
    try:
        return load_yaml(text)
    except yaml.YAMLError as failure:
        raise error(f"{file}: not valid YAML: {' '.join(str(failure).split())}") from None
