"""What an audit finds: one habit of a client, and the exchanges that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mockserver.journal import Exchange
from mockserver.words import plural


class Weight(StrEnum):
    """How much a finding says against the client."""

    FAULT = "fault"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One habit of the client."""

    id: str
    weight: Weight
    sentence: str
    remedy: str
    exchanges: tuple[Exchange, ...]
    """The exchanges that show it, oldest first."""


def finding_of(
    id: str,
    weight: Weight,
    sentence: str,
    remedy: str,
    shown: Iterable[Exchange],
    counted: int | None = None,
) -> Finding | None:
    """Return the finding that ``shown`` supports, or nothing; ``{n}`` in the sentence is how many calls."""
    exchanges = tuple(sorted({e.number: e for e in shown}.values(), key=lambda e: e.number))
    if not exchanges:
        return None
    count = len(exchanges) if counted is None else counted
    return Finding(id, weight, sentence.format(n=plural(count, "call")), remedy, exchanges)
