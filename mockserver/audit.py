"""Did the client behave? Pure functions over the exchanges of one organization.

Each looks for one habit and returns a finding with the exchanges that show it, or nothing.
`fault` is what a well-behaved client never does; `advice` is what it would do better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, combinations
from math import inf
from urllib.parse import parse_qsl, urlsplit

from mockserver.call import Wire
from mockserver.findings import Finding, Weight, finding_of
from mockserver.journal import Exchange
from mockserver.retries import hasty_retries, hopeless_retries, rigid_retries
from mockserver.roles import ALL


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What one key was granted, and what its requests really needed."""

    key: str
    granted: frozenset[str]
    """The permissions of its role; `*` stands for all."""
    needed: frozenset[str]
    """A role with exactly these would have served every request."""
    lacking: frozenset[str]
    """Those among them that the role doesn't grant."""
    unused: frozenset[str]
    """Those that it grants in vain; `*` where it grants all of them."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that is to be said of a client."""

    findings: tuple[Finding, ...]
    permissions: tuple[KeyUse, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing but advice was found."""
        return all(finding.weight is Weight.ADVICE for finding in self.findings)


_FLIGHT = 0.2
"""Seconds within which the requests of a burst come."""

_Asked = dict[tuple[str, frozenset[tuple[str, str]]], dict[str, int]]
"""The number of the last exchange by its path, by its parameters, and by its query as it was sent."""

Check = Callable[[Sequence[Exchange], Sequence[int]], Finding | None]
"""Takes the exchanges and the numbers after which the windows were given room by hand."""


def audit(
    exchanges: Sequence[Exchange],
    *,
    restorations: Sequence[int] = (),
    granted: Mapping[str, frozenset[str]] | None = None,
    permission_of: Mapping[str, str] | None = None,
) -> Audit:
    """Return what is to be said of the client behind ``exchanges``, which are in the order they came.

    ``granted`` holds the permissions of each key by its id, ``permission_of`` the one of each operation.
    """
    uses = key_uses(exchanges, granted or {}, permission_of or {})
    found = [check(exchanges, restorations) for check in CHECKS]
    found.append(needless_permissions(exchanges, uses))
    return Audit(tuple(finding for finding in found if finding), uses)


def early_calls(exchanges: Sequence[Exchange], restorations: Sequence[int]) -> Finding | None:
    """Find calls between a 429 and the recovery of its window.

    A request that was under way already when the 429 came is no early call; see ``_Told``.
    """
    shown: list[Exchange] = []
    called: set[int] = set()
    # The first instant of each exchange and all after it: from there on nothing is early for who waits until then.
    instants = [*accumulate((e.at for e in reversed(exchanges)), min)][::-1]
    for (recovers, freed), places in _refusals(exchanges, restorations).items():
        known_from, early = _Told(), []
        refused = {exchanges[place].number for place in places}
        for later, instant in zip(exchanges[places[0] :], instants[places[0] :], strict=True):
            if instant >= recovers or later.number > freed:
                break
            if later.at < recovers and known_from.precede(later):
                early.append(later)
            if later.number in refused:
                known_from.add(later)
        called |= {later.number for later in early}
        known = max((later.seen for later in early), default=0)
        shown += [exchanges[place] for place in places if exchanges[place].number <= known]
        shown += early
    return finding_of(
        "backoff.early",
        Weight.FAULT,
        "{n} came between a 429 and the recovery of its window.",
        "After a 429 send nothing until the window begins anew: the next UTC minute, or midnight for the day.",
        shown,
        counted=len(called),
    )


class _Told:
    """The 429s of one window so far, and who can have known of one before a request was sent.

    A server can't see when a request was sent. One that comes soon after a 429 over another connection
    was under way with it, as in a burst, if it was opened while the connection of the 429 was open: a client
    that had read that answer would have gone on there, or closed it first.
    """

    def __init__(self) -> None:
        self._first: Exchange | None = None
        self._by_wire: dict[Wire | None, int] = {}
        self._closed = inf
        """When the first of their connections was closed."""

    def add(self, refused: Exchange) -> None:
        """Note a 429."""
        self._first = self._first or refused
        self._by_wire.setdefault(refused.wire, refused.number)
        if refused.wire is not None:
            self._closed = min(self._closed, refused.wire.closed_at)

    def precede(self, later: Exchange) -> bool:
        """Whether the client can have known of one of them when it sent ``later``."""
        first = self._first
        if first is None or later.seen < first.number:
            return False
        if first.wire is None or later.wire is None:
            return True
        if later.clocked - later.took - first.clocked >= _FLIGHT:
            return True
        return (
            self._by_wire.get(later.wire, inf) <= later.seen or self._closed < later.wire.opened_at
        )


def _refusals(
    exchanges: Sequence[Exchange], restorations: Sequence[int]
) -> dict[tuple[float, float], list[int]]:
    """Return the places of the 429s by when they bind nobody any more: the instant, and the number of an exchange."""
    found: dict[tuple[float, float], list[int]] = {}
    for place, refused in enumerate(exchanges):
        if refused.status == 429 and refused.recovers is not None:
            freed = min((n for n in restorations if n >= refused.number), default=inf)
            found.setdefault((refused.recovers, freed), []).append(place)
    return found


def doubled_keys(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find requests with both key headers."""
    return finding_of(
        "key.both-headers",
        Weight.FAULT,
        "{n} carried Authorization and X-API-Key at once.",
        "Send one of the two headers; no page says what two mean.",
        [e for e in exchanges if {"authorization", "x-api-key"} <= set(e.key_places)],
    )


def exposed_keys(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find requests with a key in the query string."""
    return finding_of(
        "key.in-query",
        Weight.FAULT,
        "{n} carried a key in the query string, where logs and proxies keep it.",
        "Send the key in a header only, and replace the one that was exposed.",
        [e for e in exchanges if "query" in e.key_places],
    )


def unfinished_pages(exchanges: Sequence[Exchange], _: Sequence[int] = ()) -> Finding | None:
    """Find lists of which a next page was named and never asked for."""
    asked: _Asked = {}
    for exchange in exchanges:
        place = exchange.path, frozenset(parse_qsl(exchange.query))
        asked.setdefault(place, {})[exchange.query] = exchange.number
    left = [e for e in exchanges if e.next_page is not None and _followed(e, asked) <= e.number]
    return finding_of(
        "pages.unfinished",
        Weight.ADVICE,
        "{n} named a next page that was never asked for.",
        "Follow _pagination.next_page as it stands until an answer has none, or mean to stop early.",
        left,
    )


CHECKS: tuple[Check, ...] = (
    early_calls,
    hopeless_retries,
    hasty_retries,
    rigid_retries,
    doubled_keys,
    exposed_keys,
    unfinished_pages,
)
"""Every check that needs the exchanges alone."""


def key_uses(
    exchanges: Iterable[Exchange],
    granted: Mapping[str, frozenset[str]],
    permission_of: Mapping[str, str],
) -> tuple[KeyUse, ...]:
    """Return what each key of ``granted`` really needed; keys that were never sent are left out."""
    needed: dict[str, set[str]] = {}
    for exchange in exchanges:
        if exchange.key is None or exchange.key not in granted:
            continue
        used = needed.setdefault(exchange.key, set())
        permission = permission_of.get(exchange.operation or "")
        if permission is not None and exchange.status != 401:
            used.add(permission)
    return tuple(
        KeyUse(
            key,
            granted[key],
            frozenset(used),
            frozenset() if ALL in granted[key] else frozenset(used) - granted[key],
            frozenset({ALL}) if ALL in granted[key] else granted[key] - used,
        )
        for key, used in needed.items()
    )


def needless_permissions(exchanges: Iterable[Exchange], uses: Iterable[KeyUse]) -> Finding | None:
    """Find keys that may do more than their requests needed."""
    wide = {use.key: use for use in uses if use.unused}
    roles = "; ".join(
        f"{key}: {', '.join(sorted(use.needed)) or 'none'}" for key, use in wide.items()
    )
    return finding_of(
        "key.needless-permissions",
        Weight.ADVICE,
        "{n} came with a key that may do more than its requests needed.",
        f"Give the key a role with only these permissions: {roles}.",
        [exchange for exchange in exchanges if exchange.key in wide],
    )


def _followed(page: Exchange, asked: _Asked) -> int:
    """Return the number of the last exchange that asks for the next page of ``page``, 0 where none does.

    It asks as the page is named, or with some of its parameters left out.
    """
    target = urlsplit(str(page.next_page))
    pairs = set(parse_qsl(target.query))
    some = chain.from_iterable(combinations(pairs, size) for size in range(len(pairs) + 1))
    found = (asked.get((target.path, frozenset(part)), {}).items() for part in some)
    return max((n for queries in found for query, n in queries if query != page.query), default=0)
