"""Whether data is the same as other data, on a server where some of it changes from answer to answer."""

from __future__ import annotations

from typing import Any


def agrees(found: Any, first: Any, *others: Any) -> bool:
    """Whether ``found`` is like ``first`` wherever that is like all ``others``.

    Signed links, times and live counts differ between any two answers, and say nothing of the request.
    """
    if all(other == first for other in others):
        return bool(found == first)
    seen = [first, *others]
    if all(isinstance(value, dict) and value.keys() == first.keys() for value in seen):
        return (
            isinstance(found, dict)
            and found.keys() == first.keys()
            and all(agrees(found[name], *(value[name] for value in seen)) for name in first)
        )
    if all(isinstance(value, list) and len(value) == len(first) for value in seen):
        return (
            isinstance(found, list)
            and len(found) == len(first)
            and all(agrees(*values) for values in zip(found, *seen, strict=True))
        )
    # What became of it by itself can't be told from what the request made of it, but its kind can.
    return type(found) in set(map(type, seen))
