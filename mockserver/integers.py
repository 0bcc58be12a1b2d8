"""Numbers as JSON Schema understands them: `3.0` is the integer 3."""

from __future__ import annotations

from typing import Any

_TELLING = frozenset({float, dict, list})
"""The types of values that may be, or hold, such numbers."""

_EXACT = 2**53
"""Above it, a float no longer tells every integer."""


def with_integers(value: Any) -> Any:
    """Return ``value`` with 3 in the place of each 3.0 in it, which would else be counted and answered as a fraction.

    Its lists and objects are changed, not copied.
    """
    if type(value) is dict and _TELLING.isdisjoint(map(type, value.values())):
        return value
    holder = [value]
    waiting: list[Any] = [holder]
    while waiting:  # a stack of our own, for JSON may be nested deeper than Python recurses
        node = waiting.pop()
        for place, part in node.items() if type(node) is dict else enumerate(node):
            kind = type(part)
            if kind is float:
                if part.is_integer() and abs(part) < _EXACT:
                    node[place] = int(part)
            elif kind is dict or kind is list:
                waiting.append(part)
    return holder[0]
