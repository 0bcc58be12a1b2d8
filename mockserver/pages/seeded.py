"""The seeded keys as the pages and the command line show them, with a line to try each."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from mockserver.clock import isoformat

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation
    from mockserver.mock import Mock
    from mockserver.roles import Key
    from mockserver.world import World


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One seeded key as the pages show it."""

    secret: str
    organization: str
    accounts: str
    role: str
    note: str
    curl: str | None


def key_rows(mock: Mock, url: str) -> list[KeyRow]:
    """Return the seeded keys; ``url`` is where this mock was reached."""
    tried = easy_operation(mock.contract)
    return [_row(key, tried, url) for key in seeded_keys(mock.world)]


def seeded_keys(world: World) -> list[Key]:
    """Return the keys that the fixtures name and that still exist; tests' own keys stay theirs."""
    found = (world.keys.get(seed.secret) for seed in world.seed.keys)
    return [key for key in found if key is not None]


def _row(key: Key, tried: Operation | None, url: str) -> KeyRow:
    accounts = list(key.organization.accounts.values())
    names = (str(a.id) + ("" if a.state == "connected" else f" ({a.state})") for a in accounts)
    until = f" (until {isoformat(key.expires)})" if key.expires else ""
    curl = None
    if tried is not None and accounts:
        path = tried.path.replace("{account_id}", quote(str(accounts[0].id)))
        header = shlex.quote(f"Authorization: Bearer {key.secret}")
        curl = f"curl -i -H {header} {shlex.quote(url + path)}"
    return KeyRow(
        key.secret, key.organization.id, ", ".join(names), key.role.name, key.note + until, curl
    )


def easy_operation(contract: Contract) -> Operation | None:
    """Return the first operation that reads and needs nothing but an account."""
    for operation in contract:
        needs = [p.name for p in operation.parameters if p.required]
        if operation.method == "GET" and operation.authenticated and needs == ["account_id"]:
            return operation
    return None
