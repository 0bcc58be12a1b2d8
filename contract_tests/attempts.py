"""What requests took from an organization that others may use too: their requests only make headroom fall faster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from contract_tests.bench import Bench, NotJudged
from contract_tests.exchange import Exchange

_FEW, _MANY = 5, 12
"""Attempts until what others take has shown itself: at first, and once it is known that there are others."""

Headrooms = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt found left, beside what was due."""

    due: Headrooms
    found: Headrooms
    exchange: Exchange | None = None

    @property
    def difference(self) -> tuple[int, ...]:
        """How much more was taken than was due, for each headroom and window."""
        pairs = zip(self.due, self.found, strict=True)
        return tuple(d - f for due, found in pairs for d, f in zip(due, found, strict=True))


def settled(
    bench: Bench,
    attempt: Callable[[], Attempt],
    first: Attempt | None = None,
    *,
    relative: bool = False,
    repeats: bool = True,
) -> Attempt:
    """Return an attempt that found what was due, or else one whose difference came again each time.

    ``relative`` says that what is due was measured too, so that others may have moved it either way;
    ``repeats`` whether to try again at all. Raises ``NotJudged`` where others use the organization:
    each attempt finds something else, or did so in a check before.
    """
    tried = [first or attempt()]
    if bench.tenants.fresh:
        return tried[0]
    most = (_MANY if bench.shared.crowded else _FEW) if repeats else 1
    while len(tried) < most and _may_be_others(tried[-1], relative=relative):
        tried.append(attempt())
    if len({one.difference for one in tried}) > 1:
        bench.shared.crowded = True
    elif repeats:
        return tried[-1]
    if bench.shared.crowded and _may_be_others(tried[-1], relative=relative):
        raise NotJudged("headroom falls by itself, as it does where others use the organization")
    return tried[-1]


def _may_be_others(attempt: Attempt, *, relative: bool) -> bool:
    """Whether what was taken beside what was due may be what others took."""
    difference = attempt.difference
    return any(difference) and (relative or min(difference) >= 0)
