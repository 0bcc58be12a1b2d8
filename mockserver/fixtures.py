"""Reading `fixtures/`: organizations, roles and keys from `world.yaml`, records from `collections/*.yaml`.

It also reads saved organizations from `organizations/*.yaml` and `*.json`, as the control API dumps them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mockserver.contract import Contract
from mockserver.data import default_fixtures, default_spec
from mockserver.errors import FixtureError, Misuse
from mockserver.integers import with_integers
from mockserver.layout import SAVED, WORLD, refuse_misplaced, refuse_unreadable
from mockserver.packaged import read_fixture, reader_of
from mockserver.plans import plan_files, read_plans
from mockserver.roles import ALL, Role
from mockserver.seeds import (
    AccountSeed,
    AccountState,
    KeySeed,
    OrganizationSeed,
    Saved,
    Seed,
    Subscription,
)
from mockserver.shapes import COUNT, FLAG, ID, TEXT, closed, one_of
from mockserver.state import NAME, SECRET
from mockserver.state import read as read_state
from mockserver.windows import LimiterMode

_MOST_DAYS = 1_000_000

_KEY = closed(
    {
        "key": SECRET,
        "role": TEXT,
        "revoked": FLAG,
        "expires_in_days": {"type": "number", "minimum": -_MOST_DAYS, "maximum": _MOST_DAYS},
        "note": TEXT,
    },
    "key",
    "role",
)
_ACCOUNT = closed(
    {
        "id": ID,
        "name": TEXT,
        "username": TEXT,
        "state": one_of(AccountState),
    },
    "id",
)
_ORGANIZATION = closed(
    {
        "id": NAME,
        "name": TEXT,
        "subscription": one_of(Subscription),
        "limit_minute": COUNT,
        "limit_day": COUNT,
        "mode": one_of(LimiterMode),
        "rolling": FLAG,
        "retry_after": FLAG,
        "accounts": {"type": "array", "items": _ACCOUNT},
        "keys": {"type": "array", "items": _KEY},
    },
    "id",
    "accounts",
    "keys",
)
_ROLE = {
    "anyOf": [
        {"type": "array", "items": TEXT},
        closed({"methods": {"type": "array", "items": TEXT}}, "methods"),
    ]
}
_WORLD_FILE = closed(
    {
        "seed": {"type": "integer"},
        "roles": {"type": "object", "additionalProperties": _ROLE},
        "organizations": {"type": "array", "items": _ORGANIZATION, "minItems": 1},
    },
    "roles",
    "organizations",
)


def read_fixtures(contract: Contract, directory: Path | None = None) -> Seed:
    """Return the seed in ``directory``, or in the packaged fixtures.

    The packaged ones serve every contract: what another one than the packaged lacks, their roles don't grant.
    Raises ``FixtureError``, whose one line names the file, the key and the remedy, when a file can't be
    read, holds an unknown key, or refers to a role or permission that doesn't exist.
    """
    root = directory or default_fixtures()
    refuse_unreadable(root)
    refuse_misplaced(root, contract)
    file = root / WORLD
    read = read_fixture if directory else reader_of([file, *plan_files(root)])
    world = with_integers(read(file, _WORLD_FILE))
    if directory is None and contract.source != str(default_spec()):
        world["roles"] = {name: _known(value, contract) for name, value in world["roles"].items()}
    roles = {name: _role(name, value, contract, file) for name, value in world["roles"].items()}
    organizations = world["organizations"]
    _refuse_twice("organization id", (o["id"] for o in organizations), file)
    keys = tuple(_key(key, o["id"], roles, file) for o in organizations for key in o["keys"])
    _refuse_twice("key", (key.secret for key in keys), file)
    return Seed(
        organizations=tuple(_organization(o, file) for o in organizations),
        roles=roles,
        keys=keys,
        plans=read_plans(root, contract, read),
        seed=world.get("seed", 1),
        saved=_saved(root / SAVED, contract),
    )


def _known(role: Any, contract: Contract) -> Any:
    """Return the part of a packaged role that ``contract`` has."""
    if isinstance(role, dict):
        methods = {operation.method for operation in contract}
        return {"methods": [method for method in role["methods"] if method in methods]}
    return [name for name in role if name == ALL or name in contract.permissions]


def _role(name: str, value: Any, contract: Contract, file: Path) -> Role:
    if isinstance(value, dict):
        return _role_of_methods(name, value["methods"], contract, file)
    for permission in value:
        if permission != ALL and permission not in contract.permissions:
            raise FixtureError(
                f"{file}: roles.{name}: unknown permission {permission}; `mockserver routes` lists them all"
            )
    return Role(name, frozenset(value))


def _role_of_methods(name: str, methods: list[str], contract: Contract, file: Path) -> Role:
    """Return the role that grants every operation with one of ``methods``."""
    known = sorted({operation.method for operation in contract})
    unknown = sorted(set(methods) - set(known))
    if unknown:
        raise FixtureError(
            f"{file}: roles.{name}: no operation has the method {unknown[0]}; known are {', '.join(known)}"
        )
    granted = (op.permission for op in contract if op.method in methods)
    return Role(name, frozenset(permission for permission in granted if permission))


def _key(value: Any, organization: str, roles: Mapping[str, Role], file: Path) -> KeySeed:
    if value["role"] not in roles:
        known = ", ".join(roles)
        raise FixtureError(
            f"{file}: key {value['key']}: there is no role {value['role']}; known are {known}"
        )
    days = value.get("expires_in_days")
    return KeySeed(
        secret=value["key"],
        organization=organization,
        role=value["role"],
        revoked=value.get("revoked", False),
        expires_in=None if days is None else days * 86_400,
        note=value.get("note", ""),
    )


def _organization(value: Any, file: Path) -> OrganizationSeed:
    _refuse_twice(f"account id of {value['id']}", (a["id"] for a in value["accounts"]), file)
    accounts = tuple(
        AccountSeed(
            id=account["id"],
            state=AccountState(account.get("state", AccountState.CONNECTED)),
            name=account.get("name", ""),
            username=account.get("username", ""),
        )
        for account in value["accounts"]
    )
    rest = {k: v for k, v in value.items() if k not in ("accounts", "keys", "subscription", "mode")}
    return OrganizationSeed(
        **rest,
        subscription=Subscription(value.get("subscription", Subscription.ACTIVE)),
        mode=LimiterMode(value.get("mode", LimiterMode.ENFORCE)),
        accounts=accounts,
    )


def _saved(directory: Path, contract: Contract) -> tuple[Saved, ...]:
    """Return the organizations whose states were saved, from YAML or JSON files."""
    saved = []
    for file in sorted((*directory.glob("*.yaml"), *directory.glob("*.json"))):
        try:
            found = read_state(with_integers(read_fixture(file, {})), contract)
        except Misuse as error:
            raise FixtureError(f"{file}: {error}") from None
        saved.append(found)
    _refuse_twice("organization id", (s.organization.id for s in saved), directory)
    return tuple(saved)


def _refuse_twice(what: str, values: Iterable[Any], file: Path) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise FixtureError(f"{file}: the {what} {value} stands there twice")
        seen.add(value)
