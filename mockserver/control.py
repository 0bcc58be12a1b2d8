"""The control API under `/_mock/`: what tests do to the world, apart from the mocked API.

It answers on loopback only, unless a token is set; it checks Host and refuses cross-origin calls,
so a web page that a developer happens to visit can't reach it.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from mockserver import control_shapes as shapes
from mockserver.clock import isoformat, parse_time
from mockserver.envelope import JSON_TYPE
from mockserver.errors import Misuse
from mockserver.faults import Fault
from mockserver.organizations import Account, Organization
from mockserver.roles import ALL, Key
from mockserver.seeds import AccountSeed, AccountState, OrganizationSeed, Subscription
from mockserver.shapes import Shape
from mockserver.windows import LimiterMode

if TYPE_CHECKING:
    from mockserver.mock import Mock

Body = Mapping[str, Any]
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


def control_blueprint(mock: Mock, token: str | None) -> Blueprint:
    """Return the control API of ``mock``; ``token`` is what callers from other hosts must present."""
    control = _Control(mock)
    blueprint = Blueprint("control", __name__, url_prefix="/_mock")
    blueprint.before_request(lambda: _refuse_strangers(token))
    blueprint.register_error_handler(Misuse, lambda error: _json({"error": str(error)}, 400))
    one = "/organizations/<organization>"
    for rule, method, view in (
        ("/", "GET", control.summary),
        ("/reset", "POST", control.reset),
        ("/organizations", "GET", control.list_organizations),
        ("/organizations", "POST", control.create_organization),
        (one, "GET", control.get_organization),
        (one, "PATCH", control.change_organization),
        (one, "DELETE", control.remove_organization),
        (f"{one}/reset", "POST", control.reset_organization),
        (f"{one}/keys", "POST", control.create_key),
        (f"{one}/keys/<key>", "PATCH", control.change_key),
        (f"{one}/accounts", "POST", control.create_account),
        (f"{one}/accounts/<int:account>", "PATCH", control.change_account),
        (f"{one}/clock", "GET", control.get_clock),
        (f"{one}/clock", "POST", control.move_clock),
        (f"{one}/headroom", "GET", control.get_headroom),
        (f"{one}/headroom", "PUT", control.set_headroom),
        (f"{one}/faults", "GET", control.list_faults),
        (f"{one}/faults", "POST", control.plant_fault),
        (f"{one}/faults", "DELETE", control.clear_faults),
        (f"{one}/journal", "GET", control.get_journal),
        (f"{one}/journal", "DELETE", control.clear_journal),
    ):
        blueprint.add_url_rule(rule, view.__name__, _as_json(view), methods=[method])
    return blueprint


def _as_json(view: Callable[..., Any]) -> Callable[..., Response]:
    def answered(**arguments: Any) -> Response:
        return _json(view(**arguments))

    return answered


def _json(value: Any, status: int = 200) -> Response:
    import orjson

    return Response(orjson.dumps(value), status, content_type=JSON_TYPE)


def _refuse_strangers(token: str | None) -> Response | None:
    """Let loopback callers in under a local Host, and others with the token only."""
    if request.headers.get("Origin") or request.headers.get("Sec-Fetch-Site") == "cross-site":
        return _json({"error": "The control API answers no cross-origin calls."}, 403)
    presented = request.headers.get("X-Mock-Token", "")
    if token is not None and hmac.compare_digest(presented.encode(), token.encode()):
        return None
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if token is None and _is_loopback(request.remote_addr) and host in _LOCAL_NAMES:
        return None
    return _json(
        {"error": "The control API needs a loopback caller and Host, or X-Mock-Token."}, 403
    )


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _body(shape: Shape) -> Body:
    """Return the request's JSON object. Raises ``Misuse`` when it doesn't have the shape."""
    return shapes.read(request.get_data(), shape)


class _Control:
    """The views, one for each verb on each thing."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._world = mock.world

    def summary(self) -> Any:
        return {
            "operations": len(self._mock.contract),
            "organizations": len(self._world.organizations),
        }

    def reset(self) -> Any:
        self._world.reset()
        return self.summary()

    def list_organizations(self) -> Any:
        return {"organizations": [self._shown(o) for o in self._world.organizations.values()]}

    def create_organization(self) -> Any:
        body = _body(shapes.ORGANIZATION)
        given = {
            k: body[k]
            for k in ("name", "limit_minute", "limit_day", "rolling", "retry_after")
            if k in body
        }
        accounts = [_account_seed(account) for account in body.get("accounts", [{}])]
        seed = OrganizationSeed(
            id=body.get("id") or self._world.mint_id(),
            subscription=Subscription(body.get("subscription", Subscription.ACTIVE)),
            mode=LimiterMode(body.get("mode", LimiterMode.ENFORCE)),
            accounts=tuple(accounts),
            **given,
        )
        return self._shown(self._world.add_organization(seed))

    def get_organization(self, organization: str) -> Any:
        return self._shown(self._world.organization(organization))

    def change_organization(self, organization: str) -> Any:
        found, body = self._world.organization(organization), _body(shapes.CHANGE)
        found.windows.set_limits(minute=body.get("limit_minute"), day=body.get("limit_day"))
        if "mode" in body:
            found.windows.mode = LimiterMode(body["mode"])
        if "subscription" in body:
            found.subscription = Subscription(body["subscription"])
        if "retry_after" in body:
            found.retry_after = body["retry_after"]
        return self._shown(found)

    def remove_organization(self, organization: str) -> Any:
        self._world.remove_organization(organization)
        return {"removed": organization}

    def reset_organization(self, organization: str) -> Any:
        return self._shown(self._world.reset_organization(organization))

    def create_key(self, organization: str) -> Any:
        found, body = self._world.organization(organization), _body(shapes.KEY)
        permissions = body.get("permissions", ALL)
        key = self._world.add_key(
            found,
            (ALL,) if permissions == ALL else permissions,
            expires=_instant(body.get("expires")),
            revoked=body.get("revoked", False),
            note=body.get("note", ""),
        )
        return _shown_key(key)

    def change_key(self, organization: str, key: str) -> Any:
        found = self._world.organization(organization)
        mine = {k.id: k for k in self._world.keys_of(found)}
        if key not in mine:
            raise Misuse(
                f"organization {organization} has no key {key}; it has {', '.join(mine) or 'none'}"
            )
        body = _body(shapes.KEY_CHANGE)
        if "revoked" in body:
            mine[key].revoked = body["revoked"]
        if "expires" in body:
            mine[key].expires = _instant(body["expires"])
        return _shown_key(mine[key])

    def create_account(self, organization: str) -> Any:
        found = self._world.organization(organization)
        return _shown_account(self._world.add_account(found, _account_seed(_body(shapes.ACCOUNT))))

    def change_account(self, organization: str, account: int) -> Any:
        found = self._world.organization(organization)
        if account not in found.accounts:
            raise Misuse(f"organization {organization} has no account {account}")
        found.accounts[account].state = AccountState(_body(shapes.ACCOUNT_CHANGE)["state"])
        return _shown_account(found.accounts[account])

    def get_clock(self, organization: str) -> Any:
        clock = self._world.organization(organization).clock
        return {"now": isoformat(clock.now()), "mode": clock.mode}

    def move_clock(self, organization: str) -> Any:
        clock, body = self._world.organization(organization).clock, _body(shapes.CLOCK)
        if "freeze" in body:
            clock.freeze(None if body["freeze"] is True else _instant(body["freeze"]))
        if "advance" in body:
            clock.advance(body["advance"])
        if body.get("run"):
            clock.run()
        if body.get("reset"):
            clock.reset()
        return self.get_clock(organization)

    def get_headroom(self, organization: str) -> Any:
        found = self._world.organization(organization)
        return asdict(found.windows.headroom(found.clock.now()))

    def set_headroom(self, organization: str) -> Any:
        found, body = self._world.organization(organization), _body(shapes.HEADROOM)
        found.windows.set_remaining(
            found.clock.now(), minute=body.get("remaining_minute"), day=body.get("remaining_day")
        )
        return self.get_headroom(organization)

    def list_faults(self, organization: str) -> Any:
        return {
            "faults": [
                asdict(fault) for fault in self._world.organization(organization).faults.pending()
            ]
        }

    def plant_fault(self, organization: str) -> Any:
        body = _body(shapes.FAULT)
        operation = body.get("operation")
        if operation is not None and operation not in self._mock.contract.operations:
            raise Misuse(f"unknown operation {operation}; `mockserver routes` lists them all")
        self._world.organization(organization).faults.plant(Fault(**body))
        return self.list_faults(organization)

    def clear_faults(self, organization: str) -> Any:
        self._world.organization(organization).faults.clear()
        return self.list_faults(organization)

    def get_journal(self, organization: str) -> Any:
        journal = self._world.organization(organization).journal
        exchanges = [{**asdict(e), "body": e.body.decode("utf-8", "replace")} for e in journal]
        return {"total": journal.total, "exchanges": exchanges}

    def clear_journal(self, organization: str) -> Any:
        self._world.organization(organization).journal.clear()
        return self.get_journal(organization)

    def _shown(self, organization: Organization) -> Any:
        windows = organization.windows
        return {
            "id": organization.id,
            "name": organization.seed.name,
            "subscription": organization.subscription,
            "limit_minute": windows.minute.limit,
            "limit_day": windows.day.limit,
            "mode": windows.mode,
            "rolling": windows.minute.rolling,
            "retry_after": organization.retry_after,
            "accounts": [_shown_account(a) for a in organization.accounts.values()],
            "keys": [_shown_key(k) for k in self._world.keys_of(organization)],
        }


def _account_seed(body: Body) -> AccountSeed:
    given = dict(body)
    if "state" in given:
        given["state"] = AccountState(given["state"])
    return AccountSeed(**given)


def _shown_account(account: Account) -> Any:
    return {
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "state": account.state,
    }


def _shown_key(key: Key) -> Any:
    return {
        "id": key.id,
        "key": key.secret,
        "permissions": sorted(key.role.permissions),
        "expires": None if key.expires is None else isoformat(key.expires),
        "revoked": key.revoked,
        "note": key.note,
    }


def _instant(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise Misuse(
            f"{ascii(text)[:40]} is no ISO 8601 time, such as 2026-01-31T10:00:00Z"
        ) from None
