"""An organization's state as a document: dumped, saved as a fixture file, and loaded again.

The document holds the organization, its keys, its clock, what it used of its windows, and the records
of each collection that was written to; other collections are made again from the same day's seed.
Faults and the journal are not part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from mockserver.clock import EARLIEST, LATEST, parse_instant
from mockserver.contract import Contract
from mockserver.errors import BadState, UnknownPermission
from mockserver.journal import CAPACITY
from mockserver.needs import completed, lack_of, repeated_id
from mockserver.organizations import Account, Organization
from mockserver.plans import known_collections, nearest_collection
from mockserver.roles import ALL, KEY_PREFIX, Key, Role
from mockserver.seeds import (
    AccountSeed,
    AccountState,
    OrganizationSeed,
    OrganizationState,
    Saved,
    SavedKey,
    Subscription,
)
from mockserver.shapes import COUNT, FLAG, ID, TEXT, Shape, breach, closed, one_of
from mockserver.windows import DEFAULT_LIMIT_DAY, DEFAULT_LIMIT_MINUTE, LimiterMode, Windows

FORM = 1
"""The version of the document's form."""

SHARED = "shared"
"""The name under `records` of the collections that all accounts share."""

NAME: Shape = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
"""An organization's id, which stands in paths and in the keys that are made up for it."""

SECRET: Shape = {"type": "string", "pattern": f"^{KEY_PREFIX}[!-~]*$"}
"""A key; a header carries no other characters unchanged."""

_ACCOUNT = closed(
    {
        "id": ID,
        "name": {"type": "string"},
        "username": {"type": "string"},
        "state": one_of(AccountState),
    },
    "id",
)
_ORGANIZATION = closed(
    {
        "id": NAME,
        "name": {"type": "string"},
        "subscription": one_of(Subscription),
        "limit_minute": COUNT,
        "limit_day": COUNT,
        "mode": one_of(LimiterMode),
        "rolling": FLAG,
        "retry_after": FLAG,
        "journal_size": ID,
        "accounts": {"type": "array", "items": _ACCOUNT},
    },
    "id",
    "accounts",
)
_KEY = closed(
    {
        "key": SECRET,
        "role": TEXT,
        "permissions": {"type": "array", "items": TEXT},
        "revoked": FLAG,
        "expires": {"type": ["string", "null"]},
        "note": {"type": "string"},
    },
    "key",
    "permissions",
)
_WINDOW = closed({"used": COUNT, "opened": TEXT}, "used", "opened")
# From any time of the world's clock, that leads to a date that can be written.
_SHIFT: Shape = {"type": "number", "minimum": EARLIEST * 20, "maximum": LATEST}
_RECORDS: Shape = {"type": "array", "items": {"type": "object"}}
STATE: Shape = closed(
    {
        "state": {"const": FORM},
        "organization": _ORGANIZATION,
        "keys": {"type": "array", "items": _KEY},
        "born": TEXT,
        "clock": closed({"shift": _SHIFT, "frozen": TEXT}),
        "windows": closed({"minute": _WINDOW, "day": _WINDOW}),
        "records": {
            "type": "object",
            "propertyNames": {"pattern": f"^([1-9][0-9]{{0,18}}|{SHARED})$"},
            "additionalProperties": {"type": "object", "additionalProperties": _RECORDS},
        },
    },
    "state",
    "organization",
    "born",
)


def dump(
    organization: Organization, *, whole: bool = False, freeze: bool = False
) -> dict[str, Any]:
    """Return the state of ``organization`` as a JSON value that ``read`` understands.

    ``whole`` adds the collections that nobody wrote to; ``freeze`` lets the clock stand at the present
    instant, so that what is loaded later looks as it does now.
    """
    if whole:
        _make_seeded(organization)
    with organization.lock:
        windows = organization.windows
        now = organization.clock.now()
        windows.roll(organization.clock.now)
        accounts = list(organization.accounts.values())  # the control API may add some meanwhile
        return {
            "state": FORM,
            "organization": _organization(organization, accounts),
            "keys": [_key(key) for key in list(organization.keys.values())],
            "born": _text(organization.shared.day),
            "clock": _clock(organization, now if freeze else None),
            "windows": _windows(windows),
            "records": _records(organization, accounts, whole),
        }


def _make_seeded(organization: Organization) -> None:
    """Make all seeded records, which may take seconds, before whoever is answered would wait for the lock."""
    for name in organization.shared.names(shared=True):
        organization.shared.collection(name)
    for account in list(organization.accounts.values()):
        for name in account.population.names(shared=False):
            account.population.collection(name)


def read(document: Any, contract: Contract) -> Saved:
    """Return what ``document`` describes.

    Raises ``BadState``, whose line names the member, when it isn't a state or holds a collection that the
    contract doesn't have, and ``UnknownPermission`` when a key has a permission of that kind.
    """
    problem = breach(STATE, document, "the state")
    if problem is not None:
        raise BadState(problem)
    organization = document["organization"]
    accounts = tuple(_read_account(account) for account in organization["accounts"])
    seed = OrganizationSeed(
        id=organization["id"],
        name=organization.get("name", ""),
        subscription=Subscription(organization.get("subscription", Subscription.ACTIVE)),
        limit_minute=organization.get("limit_minute", DEFAULT_LIMIT_MINUTE),
        limit_day=organization.get("limit_day", DEFAULT_LIMIT_DAY),
        mode=LimiterMode(organization.get("mode", LimiterMode.ENFORCE)),
        rolling=organization.get("rolling", False),
        retry_after=organization.get("retry_after", False),
        accounts=accounts,
        journal_size=organization.get("journal_size", CAPACITY),
        state=_read_state(document, {account.id for account in accounts}),
    )
    _refuse_unknown(document, contract)
    permissions = contract.permissions
    return Saved(seed, tuple(_read_key(key, permissions) for key in document.get("keys", ())))


def _refuse_unknown(document: Mapping[str, Any], contract: Contract) -> None:
    known = known_collections(contract)
    for holder, collections in document.get("records", {}).items():
        for name in collections:
            if name not in known:
                raise BadState(f"records.{holder}: {nearest_collection(name, known)}")


def _organization(organization: Organization, accounts: Iterable[Account]) -> dict[str, Any]:
    windows = organization.windows
    return {
        "id": organization.id,
        "name": organization.name,
        "subscription": str(organization.subscription),
        "limit_minute": windows.minute.limit,
        "limit_day": windows.day.limit,
        "mode": str(windows.mode),
        "rolling": windows.minute.rolling,
        "retry_after": organization.retry_after,
        "journal_size": organization.journal.capacity,
        "accounts": [_account(account) for account in accounts],
    }


def _account(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "state": str(account.state),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "key": key.secret,
        "role": key.role.name,
        "permissions": sorted(key.role.permissions),
        "revoked": key.revoked,
        "expires": None if key.expires is None else _text(key.expires),
        "note": key.note,
    }


def _clock(organization: Organization, stand: float | None) -> dict[str, Any]:
    shift, frozen = organization.clock.setting
    stands = frozen if stand is None else stand
    return {"shift": shift} if stands is None else {"shift": shift, "frozen": _text(stands)}


def _windows(windows: Windows) -> dict[str, Any]:
    """Return the windows by name, without those that no request has opened yet."""
    named = (("minute", windows.minute), ("day", windows.day))
    return {
        name: {"used": window.used, "opened": _text(window.opened)}
        for name, window in named
        if isfinite(window.opened)
    }


def _records(
    organization: Organization, accounts: Iterable[Account], whole: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {str(account.id): account.records(whole=whole) for account in accounts}
    found[SHARED] = organization.records(whole=whole)
    return {holder: collections for holder, collections in found.items() if collections}


def _text(seconds: float) -> str:
    """Return an instant with its fraction, where the API's own form has none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _instant(text: str, place: str) -> float:
    try:
        return parse_instant(text)
    except ValueError:
        raise BadState(
            f"{place}: {ascii(text)[:40]} is no ISO 8601 time, such as 2026-01-31T10:00:00Z"
        ) from None


def _read_account(account: Mapping[str, Any]) -> AccountSeed:
    return AccountSeed(
        account["id"],
        AccountState(account.get("state", AccountState.CONNECTED)),
        account.get("name", ""),
        account.get("username", ""),
    )


def _read_key(key: Mapping[str, Any], permissions: frozenset[str]) -> SavedKey:
    granted = frozenset(key["permissions"])
    unknown = sorted(granted - permissions - {ALL})
    if unknown:
        raise UnknownPermission(
            f"keys: unknown permission {ascii(unknown[0])[1:-1][:80]}; `mockserver routes` lists them all"
        )
    expires = key.get("expires")
    return SavedKey(
        key["key"],
        Role(key.get("role", "saved"), granted),
        key.get("revoked", False),
        None if expires is None else _instant(expires, "keys.expires"),
        key.get("note", ""),
    )


def _read_state(document: Mapping[str, Any], accounts: set[int]) -> OrganizationState:
    clock, windows = document.get("clock", {}), document.get("windows", {})
    frozen = clock.get("frozen")
    records = {
        None if holder == SHARED else int(holder): {
            name: _read_records(name, found, f"records.{holder}.{name}")
            for name, found in collections.items()
        }
        for holder, collections in document.get("records", {}).items()
    }
    strangers = sorted(str(id) for id in records if id is not None and id not in accounts)
    if strangers:
        raise BadState(f"records: the organization has no account {strangers[0]}")
    return OrganizationState(
        born=_instant(document["born"], "born"),
        shift=clock.get("shift", 0.0),
        frozen=None if frozen is None else _instant(frozen, "clock.frozen"),
        minute=_read_window(windows.get("minute"), "windows.minute.opened"),
        day=_read_window(windows.get("day"), "windows.day.opened"),
        records=records,
    )


def _read_records(collection: str, records: Any, place: str) -> tuple[dict[str, Any], ...]:
    for index, record in enumerate(records):
        lack = lack_of(collection, record)
        if lack is not None:
            raise BadState(f"{place}.{index}: {lack}")
    twice = repeated_id(collection, (record.get("id") for record in records))
    if twice is not None:
        raise BadState(f"{place}: the id {twice!r} stands there twice")
    return tuple(completed(collection, record) for record in records)


def _read_window(window: Mapping[str, Any] | None, place: str) -> tuple[int, float]:
    if window is None:
        return 0, float("-inf")
    return window["used"], _instant(window["opened"], place)
