"""How a client repeats requests: those refused for good, and those that failed upstream."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from mockserver.findings import Finding, Weight, finding_of
from mockserver.journal import Exchange

FINAL = frozenset({400, 401, 402, 403, 404, 413})
"""Refusals that the same request only meets again."""

PAUSE = 0.1
"""Seconds that a client waits at the least before it tries again after a 5xx."""

_LIKE = 0.02
"""The share, and for short pauses the seconds, by which two pauses may differ and still be alike."""

_CHAIN = 4
"""Attempts at one request, and so three pauses between them, that show whether there is jitter."""


def hopeless_retries(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find requests that were refused for good, and sent again all the same."""
    refused: dict[object, Exchange] = {}
    shown: dict[int, Exchange] = {}
    again = 0
    for exchange in exchanges:
        before = refused.get(_same(exchange))
        if before is not None and exchange.seen >= before.number:
            if exchange.status == before.status:
                again += 1
                shown |= {before.number: before, exchange.number: exchange}
            else:
                del refused[_same(exchange)]
        if exchange.status in FINAL:
            refused[_same(exchange)] = exchange
    statuses = ", ".join(sorted({str(e.status) for e in shown.values()}))
    return finding_of(
        "retry.hopeless",
        Weight.FAULT,
        f"{{n}} repeated a request that had been refused for good ({statuses}).",
        "Never repeat a request after 400, 401, 402, 403, 404 or 413; change it, or tell a human.",
        shown.values(),
        counted=again,
    )


def hasty_retries(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find requests that were sent again at once after a 5xx."""
    hasty = [
        pair for chain in _chains(exchanges) for pair in pairwise(chain) if _pause(*pair) < PAUSE
    ]
    return finding_of(
        "retry.no-pause",
        Weight.FAULT,
        f"{{n}} followed a 5xx on the same request within {PAUSE:g} seconds.",
        "Wait before each retry after a 5xx, longer each time, and give up after a few.",
        [exchange for pair in hasty for exchange in pair],
        counted=len(hasty),
    )


def rigid_retries(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find retries after 5xx whose pauses follow a fixed pattern."""
    rigid = [chain for chain in _chains(exchanges) if len(chain) >= _CHAIN and _is_rigid(chain)]
    return finding_of(
        "retry.no-jitter",
        Weight.ADVICE,
        "{n} after 5xx kept to a fixed beat; all clients that failed together come back together.",
        "Add a random part to each pause, for example a random share of an exponential backoff.",
        [exchange for chain in rigid for exchange in chain],
        counted=sum(len(chain) - 1 for chain in rigid),
    )


def _same(exchange: Exchange) -> tuple[object, ...]:
    """Return what two requests have in common when one is the other, sent again."""
    return (
        exchange.method,
        exchange.path,
        exchange.query,
        exchange.body,
        exchange.body_size,
        exchange.key,
        exchange.key_places,
    )


def _chains(exchanges: Iterable[Exchange]) -> list[list[Exchange]]:
    """Return the attempts at each request that followed one another after 5xx answers."""
    open_chains: dict[object, list[Exchange]] = {}
    chains = []
    for exchange in exchanges:
        chain = open_chains.get(_same(exchange))
        if chain is not None and exchange.seen >= chain[-1].number:
            chain.append(exchange)
        else:
            chain = open_chains[_same(exchange)] = [exchange]
            chains.append(chain)
        if exchange.status < 500:
            del open_chains[_same(exchange)]
    return [chain for chain in chains if len(chain) > 1]


def _pause(before: Exchange, after: Exchange) -> float:
    """Return the seconds from an answer to the next request, by the clock or the stopwatch.

    Whichever moved more counts, so a client may sleep, or a test may move the clock in its place.
    """
    return max(after.at - before.at, after.clocked - before.clocked) - after.took


def _is_rigid(chain: Sequence[Exchange]) -> bool:
    """Whether the pauses of a chain are all alike, or grow by the same factor each time."""
    pauses = [_pause(before, after) for before, after in pairwise(chain)]
    if min(pauses) < PAUSE:
        return False  # `hasty_retries` says what there is to say
    factors = [later / earlier for earlier, later in pairwise(pauses)]
    return all(abs(factor - factors[0]) <= _LIKE * factors[0] for factor in factors)
