"""Organizations: made, listed, changed, reset and removed."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import Any

from mockserver.control.accounts import account_seed, shown_account
from mockserver.control.asked import ONE, Asked, Routes
from mockserver.control.document import control_document
from mockserver.control.keys import shown_key, wanted_key
from mockserver.errors import Misuse
from mockserver.organizations import Organization
from mockserver.seeds import OrganizationSeed, Subscription
from mockserver.windows import LimiterMode

ID = "#/components/parameters/Organization/schema"
"""Where the document says what an id is."""

_PLAIN = ("name", "limit_minute", "limit_day", "rolling", "retry_after", "journal_size")


def list_organizations(asked: Asked) -> Any:
    """Return one page of organizations."""
    part = (asked.query["search"] or "").lower()
    everyone = [
        organization
        for organization in list(asked.world.organizations.values())
        if part in organization.id.lower() or part in organization.name.lower()
    ]
    first = asked.query["offset"]
    page = islice(everyone, first, first + asked.query["limit"])
    show = _with_headroom if asked.query["headroom"] else shown
    return {"total": len(everyone), "organizations": [show(o) for o in page]}


def create_organization(asked: Asked) -> Any:
    """Make an organization, with its accounts and keys."""
    return _made(asked, asked.body.get("id") or asked.world.mint_id())


def name_organization(asked: Asked, organization: str) -> Any:
    """Make an organization under the id in the path. Raises ``Misuse`` when the path holds no id."""
    problem = control_document().problem(ID, organization, "organization")
    if problem is not None:
        raise Misuse(problem)
    if asked.body.get("id", organization) != organization:
        raise Misuse(f"id: the path names {organization}; leave the id out of the body")
    return _made(asked, organization)


def _made(asked: Asked, id: str) -> Any:
    body = asked.body
    seed = OrganizationSeed(
        id=id,
        subscription=Subscription(body.get("subscription", Subscription.ACTIVE)),
        mode=LimiterMode(body.get("mode", LimiterMode.ENFORCE)),
        accounts=tuple(account_seed(account) for account in body.get("accounts", [{}])),
        **{name: body[name] for name in _PLAIN if name in body},
    )
    keys = [wanted_key(asked.world, key) for key in body.get("keys", ())]
    organization = asked.world.add_organization(seed)
    for key in keys:
        asked.world.add_key(organization, **key)
    return shown(organization)


def get_organization(asked: Asked, organization: str) -> Any:
    """Return one organization."""
    return shown(asked.organization(organization))


def change_organization(asked: Asked, organization: str) -> Any:
    """Change what the body names."""
    found, body = asked.organization(organization), asked.body
    found.windows.set_limits(minute=body.get("limit_minute"), day=body.get("limit_day"))
    if "rolling" in body:
        found.windows.set_rolling(body["rolling"])
    if "mode" in body:
        found.windows.mode = LimiterMode(body["mode"])
    if "subscription" in body:
        found.subscription = Subscription(body["subscription"])
    found.name = body.get("name", found.name)
    found.retry_after = body.get("retry_after", found.retry_after)
    if body.keys() & {"limit_minute", "limit_day", "mode", "rolling"}:
        found.journal.restored()
    return shown(found)


def remove_organization(asked: Asked, organization: str) -> Any:
    """Remove an organization and its keys."""
    asked.world.remove_organization(organization)
    return {"removed": organization}


def reset_organization(asked: Asked, organization: str) -> Any:
    """Build an organization anew; its keys stay."""
    return shown(asked.world.reset_organization(organization))


def shown(organization: Organization) -> dict[str, Any]:
    """Return an organization as the control API shows it."""
    windows = organization.windows
    return {
        "id": organization.id,
        "name": organization.name,
        "subscription": organization.subscription,
        "limit_minute": windows.minute.limit,
        "limit_day": windows.day.limit,
        "mode": windows.mode,
        "rolling": windows.minute.rolling,
        "retry_after": organization.retry_after,
        "journal_size": organization.journal.capacity,
        "accounts": [shown_account(a) for a in list(organization.accounts.values())],
        "keys": [shown_key(k) for k in list(organization.keys.values())],
    }


def _with_headroom(organization: Organization) -> dict[str, Any]:
    headroom = organization.windows.headroom(organization.clock.now)
    return {**shown(organization), "headroom": asdict(headroom)}


ROUTES: Routes = (
    ("/organizations", "GET", list_organizations),
    ("/organizations", "POST", create_organization),
    (ONE, "GET", get_organization),
    (ONE, "PUT", name_organization),
    (ONE, "PATCH", change_organization),
    (ONE, "DELETE", remove_organization),
    (f"{ONE}/reset", "POST", reset_organization),
)
