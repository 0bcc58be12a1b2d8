"""Some operations in the place of all, for runs that are repeated many times."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from mockserver.contract import Operation


def covering(
    operations: Sequence[Operation], always: Collection[str] = frozenset()
) -> list[Operation]:
    """Return the first operations that between them show every trait of all of them.

    ``always`` names operations, by id, that are taken besides.
    """
    seen: set[str] = set()
    found = []
    for operation in operations:
        traits = set(_traits(operation))
        if operation.id in always or not traits <= seen:
            found.append(operation)
            seen |= traits
    return found


def _traits(operation: Operation) -> Iterator[str]:
    """Yield what a defect might depend on."""
    yield operation.method
    if operation.pagination is not None:
        yield f"pages by {operation.pagination.style}"
    for parameter in operation.query_parameters:
        yield from (k for k in ("enum", "minimum", "maximum", "pattern") if k in parameter.schema)
