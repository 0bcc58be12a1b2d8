"""Faults: planted, listed with what became of them, and cleared."""

from __future__ import annotations

from typing import Any

from mockserver.clock import LATEST, isoformat
from mockserver.control.asked import ONE, Asked, Routes, instant
from mockserver.errors import BadFault
from mockserver.faults import Fault, FaultKind, Planted
from mockserver.nearest import check_pattern, operation_named
from mockserver.organizations import Organization

_PLAIN = (
    "status",
    "times",
    "message",
    "path",
    "nth",
    "probability",
    "seed",
    "latency",
    "retry_after",
)


def list_faults(asked: Asked, organization: str) -> Any:
    """Return the planted faults, or only those that met no request."""
    found = asked.organization(organization)
    planted = found.faults.unused() if asked.query["unused"] else found.faults.all()
    return {"faults": [_shown(fault, found) for fault in planted]}


def plant_fault(asked: Asked, organization: str) -> Any:
    """Plant the fault that the body describes."""
    found = asked.organization(organization)
    return _shown(found.faults.plant(_fault(asked, found)), found)


def clear_faults(asked: Asked, organization: str) -> Any:
    """Clear every fault."""
    asked.organization(organization).faults.clear()
    return {"faults": []}


def get_fault(asked: Asked, organization: str, fault: str) -> Any:
    """Return one fault."""
    found = asked.organization(organization)
    return _shown(found.faults.get(fault), found)


def clear_fault(asked: Asked, organization: str, fault: str) -> Any:
    """Clear one fault; returns what became of it."""
    found = asked.organization(organization)
    planted = found.faults.get(fault)
    found.faults.clear(fault)
    return _shown(planted, found)


def _fault(asked: Asked, organization: Organization) -> Fault:
    """Return the fault that the body describes.

    Raises ``UnknownOperation`` when it could meet no route of the contract, ``BadFault`` when no request.
    """
    body, contract = asked.body, asked.mock.contract
    operation = body.get("operation")
    if operation is not None:
        operation = operation_named(contract, operation).id
    if "path" in body:
        check_pattern(contract, body["path"])
    return Fault(
        operation=operation,
        kind=FaultKind(body.get("kind", FaultKind.STATUS)),
        until=_end(asked, organization),
        **{name: body[name] for name in _PLAIN if name in body},
    )


def _end(asked: Asked, organization: Organization) -> float | None:
    body, now = asked.body, organization.clock.now()
    if "until" in body and "lifetime" in body:
        raise BadFault("until and lifetime say the same thing; send one of them")
    end = instant(body.get("until"), "until")
    if "lifetime" in body:
        end = now + body["lifetime"]
    if end is not None and end >= LATEST:
        raise BadFault(f"time ends with the year 5899; it is {isoformat(now)}")
    if end is not None and end <= now:
        raise BadFault(f"the fault would be over already; it is {isoformat(now)}")
    return end


def _shown(planted: Planted, organization: Organization) -> dict[str, Any]:
    fault = planted.fault
    return {
        "id": planted.id,
        "kind": fault.kind,
        "status": fault.status,
        "message": fault.sentence,
        "operation": fault.operation,
        "path": fault.path,
        "times": fault.limit,
        "nth": fault.nth,
        "probability": fault.probability,
        "seed": fault.seed,
        "until": None if fault.until is None else isoformat(fault.until),
        "latency": fault.latency,
        "retry_after": fault.retry_after,
        "state": planted.state(organization.clock.now()),
        "matched": planted.matched,
        "uses": planted.uses,
    }


ROUTES: Routes = (
    (f"{ONE}/faults", "GET", list_faults),
    (f"{ONE}/faults", "POST", plant_fault),
    (f"{ONE}/faults", "DELETE", clear_faults),
    (f"{ONE}/faults/{{fault}}", "GET", get_fault),
    (f"{ONE}/faults/{{fault}}", "DELETE", clear_fault),
)
