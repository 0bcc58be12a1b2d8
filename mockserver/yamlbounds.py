"""What a YAML document may ask of its reader, looked at before anything is built from it.

A few lines of aliases can stand for more values than any memory holds, and a deep document for more calls
than the stack does.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

import yaml

_MOST_VALUES = 1_000_000
"""Values of a document, each alias counted as often as it is used."""

_DEEPEST = 100
_MOST_DIRECTIVES = 100
_DIRECTIVE = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?|[\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9])%")

_NUMBERS = range(-(2**63), 2**64)
"""What can be written as JSON again."""
_PLAIN = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)


class TooMuch(yaml.MarkedYAMLError):
    """Raised at a document that is too deep, too large, or holds what isn't plain data."""

    def __init__(self, problem: str, mark: Any) -> None:
        super().__init__(None, None, problem, mark)


def in_utf8(text: bytes | str) -> bytes:
    """Return a document as UTF-8. Raises ``YAMLError`` when it isn't the UTF-16 that it begins as."""
    if isinstance(text, str):
        return text.encode("utf-8", "surrogatepass")
    if not text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return text
    try:
        return text.decode("utf-16").encode()
    except UnicodeDecodeError as error:
        raise yaml.YAMLError(f"it is no UTF-16: {error.reason}") from None


def check_directives(text: bytes) -> None:
    """Raise ``YAMLError`` where a document has more directives than anybody writes.

    libyaml compares each with all before it, and lets no other thread run meanwhile.
    """
    found = _DIRECTIVE.finditer(text)
    if next(islice(found, _MOST_DIRECTIVES, None), None) is not None:
        raise yaml.YAMLError(f"there are more than {_MOST_DIRECTIVES} directives")


def check_number(value: int, mark: Any) -> int:
    """Return ``value``. Raises ``TooMuch`` when nobody could write it down as JSON again."""
    if value not in _NUMBERS:
        raise TooMuch("a number is larger than 64 bits hold", mark)
    return value


def check_bounds(events: Iterable[yaml.Event]) -> None:
    """Raise ``TooMuch`` at the first event that is out of bounds."""
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    total = 0
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            total += _size_of(event, sizes)
            if total > _MOST_VALUES:
                raise TooMuch(f"there are more than {_MOST_VALUES:,} values", event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            opened.append((event.anchor, total))
            if len(opened) > _DEEPEST:
                raise TooMuch(f"it is deeper than {_DEEPEST} levels", event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor is not None:
                sizes[anchor] = total - before + 1


def _size_of(event: yaml.NodeEvent, sizes: dict[str, int]) -> int:
    """Return how many values an event stands for; a collection's own are counted one by one."""
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in sizes:
            raise TooMuch(f"*{event.anchor} stands in itself, or for nothing", event.start_mark)
        return sizes[event.anchor]
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in _PLAIN and tag != "!":
        raise TooMuch(f"the tag {tag} is not plain data", event.start_mark)
    if isinstance(event, yaml.ScalarEvent) and event.anchor is not None:
        sizes[event.anchor] = 1
    return 1
