"""What a test left behind: faults that met no request, requests without a route, refusals nobody expected."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

from mockserver.errors import NotThere, SuiteError
from mockserver.testing.fansmetric import FansMetric
from mockserver.testing.log import Request, Requests, not_kept
from mockserver.testing.organization import TestOrganization


def left_behind(mock: FansMetric, checks: Collection[str], *, is_whole: bool = True) -> list[str]:
    """Return a sentence for each thing that ``checks`` (keys of ``CHECKS``) find after a test.

    Requests that reached no organization count only where ``is_whole`` says that nobody else judges them.
    """
    problems: list[str] = []
    for organization in mock.organizations:
        with suppress(NotThere):  # the test removed it, with all that it left
            for name in checks:
                problems += CHECKS[name](organization)
            if not _UNCLAIMED.keys().isdisjoint(checks):
                problems += _gone(organization.id, organization.requests)
    asked = [name for name in checks if name in _UNCLAIMED]
    if asked and is_whole and not mock.is_shared:
        for name in asked:
            problems += _UNCLAIMED[name](mock)
        problems += _gone("without a valid key", mock.unclaimed)
    return problems


def stories(mock: FansMetric, *, is_whole: bool = True) -> list[tuple[str, str]]:
    """Return what was asked and what became of planted faults, as titles and lines; also where it is gone."""
    told = [(f"requests to {o.id}", _story(o)) for o in mock.organizations]
    if is_whole and not mock.is_shared and mock.unclaimed:
        told.append(("requests without a valid key", str(mock.unclaimed)))
    return told


def _story(organization: TestOrganization) -> str:
    try:
        faults = (_outcome(fault) for fault in organization.faults)
        return "\n".join([str(organization.requests), *faults])
    except SuiteError as error:
        return f"  {error}"


def _gone(whose: str, requests: Requests) -> Iterator[str]:
    if requests.lost:
        yield f"{whose}: {not_kept(requests.lost)}"


def _faults(organization: TestOrganization) -> Iterator[str]:
    for fault in organization.faults:
        if not fault["uses"]:
            yield f"{organization.id}: {_planted(fault)} was planted, but no request met it"


def _outcome(fault: Mapping[str, Any]) -> str:
    times = "" if fault["times"] is None else f" of {fault['times']}"
    return f"  {_planted(fault)} was met {fault['uses']}{times} times"


def _planted(fault: Mapping[str, Any]) -> str:
    target = fault["operation"] or fault["path"] or "any request"
    status = f" {fault['status']}" if fault["kind"] == "status" else ""
    return f"the fault {fault['kind']}{status} for {target}"


def _routes(organization: TestOrganization) -> Iterator[str]:
    for request in organization.requests:
        if request.operation is None:
            yield f"{organization.id}: {_lost(request)}"


def _unclaimed_routes(mock: FansMetric) -> Iterator[str]:
    for request in mock.unclaimed:
        if request.operation is None:
            yield f"without a valid key: {_lost(request)}"


def _lost(request: Request) -> str:
    return f"{request.method} {request.path} matches no route; the nearest is {request.more['nearest']}"


def _refusals(organization: TestOrganization) -> Iterator[str]:
    for request in organization.unexpected:
        yield f"{organization.id}: {_refused(request, 'org')}"


def _unclaimed_refusals(mock: FansMetric) -> Iterator[str]:
    for request in mock.unexpected:
        yield f"without a valid key: {_refused(request, 'fansmetric')}"


def _refused(request: Request, whose: str) -> str:
    expected = f'"{request.rule}"' if request.rule else request.status
    return (
        f"{request} was refused unexpectedly;"
        f" if the test wants that, say {whose}.expect({expected})"
    )


CHECKS: dict[str, Callable[[TestOrganization], Iterator[str]]] = {
    "faults": _faults,
    "routes": _routes,
    "refusals": _refusals,
}
"""What ``--fansmetric-fail-on`` may name."""

_UNCLAIMED: dict[str, Callable[[FansMetric], Iterator[str]]] = {
    "routes": _unclaimed_routes,
    "refusals": _unclaimed_refusals,
}
"""The same of requests that reached no organization."""
