"""Keys: made, changed, revoked and removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.clock import isoformat
from mockserver.control.asked import ONE, Asked, Routes, instant
from mockserver.errors import NotThere
from mockserver.roles import ALL, Key, Role
from mockserver.world import World


def list_keys(asked: Asked, organization: str) -> Any:
    """Return an organization's keys."""
    return {"keys": [shown_key(k) for k in asked.world.keys_of(asked.organization(organization))]}


def create_key(asked: Asked, organization: str) -> Any:
    """Make a key."""
    found = asked.organization(organization)
    return shown_key(asked.world.add_key(found, **wanted_key(asked.world, asked.body)))


def change_key(asked: Asked, organization: str, key: str) -> Any:
    """Change what the body names."""
    found, body = _key(asked, organization, key), asked.body
    expires = instant(body.get("expires"), "expires")
    if "permissions" in body:
        permissions = granted(body)
        asked.world.check_permissions(permissions)
        found.role = Role(found.role.name, permissions)
    if "revoked" in body:
        found.revoked = body["revoked"]
    if "expires" in body:
        found.expires = expires
    return shown_key(found)


def remove_key(asked: Asked, organization: str, key: str) -> Any:
    """Let the world forget a key."""
    found = _key(asked, organization, key)
    asked.world.remove_key(found)
    return shown_key(found)


def wanted_key(world: World, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``World.add_key`` makes the key of that ``body`` describes.

    Raises ``UnknownPermission``, or ``Misuse`` at an instant that is none.
    """
    permissions = granted(body)
    world.check_permissions(permissions)
    return {
        "permissions": permissions,
        "expires": instant(body.get("expires"), "expires"),
        "revoked": body.get("revoked", False),
        "note": body.get("note", ""),
    }


def granted(body: Mapping[str, Any]) -> frozenset[str]:
    """Return the permissions that ``body`` asks for; all if it doesn't say."""
    permissions = body.get("permissions", ALL)
    return frozenset({ALL}) if permissions == ALL else frozenset(permissions)


def shown_key(key: Key) -> dict[str, Any]:
    """Return a key as the control API shows it."""
    return {
        "id": key.id,
        "key": key.secret,
        "permissions": sorted(key.role.permissions),
        "expires": None if key.expires is None else isoformat(key.expires),
        "revoked": key.revoked,
        "note": key.note,
    }


def _key(asked: Asked, organization: str, id: str) -> Key:
    keys = asked.organization(organization).keys
    if id not in keys:
        known = ", ".join(keys) or "none"
        raise NotThere(
            f"organization {organization} has no key {ascii(id)[1:-1][:80]}; it has {known[:400]}"
        )
    return keys[id]


ROUTES: Routes = (
    (f"{ONE}/keys", "GET", list_keys),
    (f"{ONE}/keys", "POST", create_key),
    (f"{ONE}/keys/{{key}}", "PATCH", change_key),
    (f"{ONE}/keys/{{key}}", "DELETE", remove_key),
)
