"""Names what somebody probably meant: the route or operation of the contract that is most like theirs."""

from __future__ import annotations

from difflib import SequenceMatcher, get_close_matches
from fnmatch import fnmatchcase
from functools import lru_cache

from mockserver.contract import Contract, Operation
from mockserver.errors import UnknownOperation

_LONGEST = 200
"""Characters of a path that are compared; longer ones are like no route anyway."""


_SAME_METHOD = 0.05
"""How much more a route is like a request with the same method."""


def operation_named(contract: Contract, name: str) -> Operation:
    """Return the operation with this id, or with this method and path (``GET /v1/accounts``).

    Raises ``UnknownOperation``, which names the nearest one, when the contract has none.
    """
    found = contract.operations.get(name)
    if found is not None:
        return found
    for operation in contract:
        if operation.label == name:
            return operation
    names = [*contract.operations, *(operation.label for operation in contract)]
    near = get_close_matches(name, names, n=1, cutoff=0.3)
    hint = f"; did you mean {near[0]}?" if near else "; `mockserver routes` lists them all"
    raise UnknownOperation(f"the contract has no operation {ascii(name)[1:-1][:100]}{hint}")


def check_pattern(contract: Contract, pattern: str) -> None:
    """Raise ``UnknownOperation``, which names the nearest route, when a glob matches no path."""
    paths = [operation.path for operation in contract]
    if not any(_may_match(pattern, path) for path in paths):
        near = nearest_route(contract, "", pattern)
        raise UnknownOperation(
            f"the pattern {ascii(pattern)[:100]} matches no path of the contract; the nearest is {near}"
        )


def nearest_route(contract: Contract, method: str, path: str) -> str:
    """Return the method and path of the operation whose route is most like a request's."""
    return _nearest(tuple(operation.label for operation in contract), method, path[:_LONGEST])


@lru_cache(maxsize=1_024)
def _nearest(labels: tuple[str, ...], method: str, path: str) -> str:
    nearest, most = "", -1.0
    matcher = SequenceMatcher()
    matcher.set_seq2(path)  # what it knows of this one it keeps for all labels
    for label in labels:
        own, _, template = label.partition(" ")
        extra = _SAME_METHOD if own == method else 0.0
        matcher.set_seq1(_filled(template, path))
        # The first two are upper bounds of the likeness, and far faster.
        if matcher.real_quick_ratio() + extra > most and matcher.quick_ratio() + extra > most:
            likeness = matcher.ratio() + extra
            if likeness > most:
                nearest, most = label, likeness
    return nearest


def _filled(template: str, path: str) -> str:
    """Return ``template`` with its parameters taken from the same places of ``path``."""
    given = path.split("/")
    return "/".join(
        given[index] if part.startswith("{") and index < len(given) else part
        for index, part in enumerate(template.split("/"))
    )


def _may_match(pattern: str, template: str) -> bool:
    return fnmatchcase(_filled(template, pattern), pattern) or fnmatchcase(template, pattern)
