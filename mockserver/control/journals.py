"""What clients asked, and how they behaved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from mockserver.audit import Audit, KeyUse, audit
from mockserver.control.asked import ONE, Asked, Routes, instant
from mockserver.findings import Finding
from mockserver.journal import Exchange, Journal, Query, Shown
from mockserver.nearest import operation_named

_SHOWN = 100
"""Exchanges that a finding shows."""


def get_journal(asked: Asked, organization: str) -> Any:
    """Return one page of an organization's exchanges."""
    return _page(asked, asked.organization(organization).journal)


def clear_journal(asked: Asked, organization: str) -> Any:
    """Forget an organization's exchanges."""
    return _cleared(asked.organization(organization).journal)


def get_unclaimed(asked: Asked) -> Any:
    """Return one page of the requests that reached no organization."""
    return _page(asked, asked.world.unclaimed)


def clear_unclaimed(asked: Asked) -> Any:
    """Forget the requests that reached no organization."""
    return _cleared(asked.world.unclaimed)


def get_audit(asked: Asked, organization: str) -> Any:
    """Return how an organization's clients behaved."""
    found = asked.organization(organization)
    exchanges = tuple(found.journal)
    result = audit(
        exchanges,
        restorations=found.journal.restorations,
        granted={key.id: key.role.permissions for key in asked.world.keys_of(found)},
        permission_of={op.id: op.permission for op in asked.mock.contract if op.permission},
    )
    return _judged(result, found.journal.total, len(exchanges))


def _page(asked: Asked, journal: Journal) -> dict[str, Any]:
    found = journal.find(_query(asked))
    page = found[: asked.query["limit"]]
    more = len(found) > len(page)
    return {
        "total": journal.total,
        "kept": len(journal),
        "matched": len(found),
        "next": _next(asked, page[-1].number) if more else None,
        "exchanges": [shown_exchange(exchange) for exchange in page],
    }


def _query(asked: Asked) -> Query:
    given = {name: value for name, value in asked.query.items() if name != "limit"}
    if given["operation"] is not None:
        given["operation"] = operation_named(asked.mock.contract, given["operation"]).id
    for name in ("since", "until"):
        given[name] = instant(given[name], name)
    return Query(**given)


def _next(asked: Asked, last: int) -> str:
    given = {name: value for name, value in asked.query.items() if value is not None}
    return f"{asked.sent.url}?{urlencode({**given, 'after': last})}"


def _cleared(journal: Journal) -> dict[str, Any]:
    journal.clear()
    return {"total": 0, "kept": 0, "matched": 0, "next": None, "exchanges": []}


def _judged(result: Audit, total: int, kept: int) -> dict[str, Any]:
    return {
        "total": total,
        "complete": kept == total,
        "clean": result.clean,
        "findings": [_finding(finding) for finding in result.findings],
        "permissions": [_use(use) for use in result.permissions],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "weight": finding.weight,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "count": len(finding.exchanges),
        "exchanges": [shown_exchange(exchange) for exchange in finding.exchanges[:_SHOWN]],
    }


def _use(use: KeyUse) -> dict[str, Any]:
    return {
        "key": use.key,
        "granted": sorted(use.granted),
        "needed": sorted(use.needed),
        "lacking": sorted(use.lacking),
        "unused": sorted(use.unused),
    }


_UNSHOWN = frozenset({"number", "weight", "wire"})


def _names() -> Iterator[str]:
    """Yield what is shown of an exchange, with what is shown of its request in the place of that."""
    for field in fields(Exchange):
        parts = fields(Shown) if field.name == "shown" else (field,)
        yield from (part.name for part in parts if part.name not in _UNSHOWN)


_NAMES = ("number", *_names())
_values = attrgetter(*_NAMES)
"""Of an exchange; `asdict` would copy all that is in them, at twenty-five times the cost."""


def shown_exchange(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as the control API shows it."""
    shown = dict(zip(_NAMES, _values(exchange), strict=True))
    shown["body"] = exchange.body.decode("utf-8", "replace")
    return shown


ROUTES: Routes = (
    ("/journal", "GET", get_unclaimed),
    ("/journal", "DELETE", clear_unclaimed),
    (f"{ONE}/journal", "GET", get_journal),
    (f"{ONE}/journal", "DELETE", clear_journal),
    (f"{ONE}/audit", "GET", get_audit),
)
