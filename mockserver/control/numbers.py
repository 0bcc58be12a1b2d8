"""Numbers of a control body as JSON Schema understands them: `3.0` is the integer 3."""

from __future__ import annotations

from typing import Any

_EXACT = 2**53
"""Above it, a float no longer tells every integer."""


def with_integers(body: Any) -> Any:
    """Return ``body`` with 3 in the place of each 3.0, which would else be counted and answered as a fraction."""
    holder = [body]
    waiting: list[Any] = [holder]
    while waiting:  # a stack of our own, for a body may be nested deeper than Python recurses
        node = waiting.pop()
        places = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        for place, value in places:
            if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
                node[place] = int(value)
            elif isinstance(value, (dict, list)):
                waiting.append(value)
    return holder[0]
