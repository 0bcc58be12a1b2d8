"""What a test left behind: faults that met no request, requests without a route, refusals nobody expected."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress

from mockserver.errors import NotThere, SuiteError
from mockserver.testing.log import table
from mockserver.testing.organization import TestOrganization


def left_behind(organizations: Iterable[TestOrganization], checks: Collection[str]) -> list[str]:
    """Return a sentence for each thing that ``checks`` (keys of ``CHECKS``) find in the organizations."""
    problems: list[str] = []
    for organization in organizations:
        with suppress(NotThere):  # the test removed it, with all that it left
            for name in checks:
                problems += CHECKS[name](organization)
    return problems


def story(organization: TestOrganization) -> str:
    """Return what the organization was asked, as lines; also when it is gone."""
    try:
        return table(organization.requests)
    except SuiteError as error:
        return f"  {error}"


def _faults(organization: TestOrganization) -> Iterator[str]:
    for fault in organization.faults:
        if not fault["uses"]:
            target = fault["operation"] or fault["path"] or "any request"
            yield (
                f"{organization.id}: the fault {fault['kind']} {fault['status']} for {target}"
                " was planted, but no request met it"
            )


def _routes(organization: TestOrganization) -> Iterator[str]:
    for request in organization.requests:
        if request.operation is None:
            yield (
                f"{organization.id}: {request.method} {request.path} matches no route;"
                f" the nearest is {request.more['nearest']}"
            )


def _refusals(organization: TestOrganization) -> Iterator[str]:
    for request in organization.unexpected:
        expected = f'"{request.rule}"' if request.rule else request.status
        yield (
            f"{organization.id}: {request} was refused unexpectedly;"
            f" if the test wants that, say org.expect({expected})"
        )


CHECKS: dict[str, Callable[[TestOrganization], Iterator[str]]] = {
    "faults": _faults,
    "routes": _routes,
    "refusals": _refusals,
}
"""What ``--fansmetric-fail-on`` may name."""
