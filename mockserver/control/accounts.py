"""Connected accounts and the state of their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.control.asked import ONE, Asked, Routes
from mockserver.errors import NotThere
from mockserver.organizations import Account
from mockserver.seeds import AccountSeed, AccountState


def list_connected_accounts(asked: Asked, organization: str) -> Any:
    """Return an organization's accounts."""
    accounts = asked.organization(organization).accounts
    return {"accounts": [shown_account(account) for account in list(accounts.values())]}


def create_account(asked: Asked, organization: str) -> Any:
    """Connect an account."""
    found = asked.organization(organization)
    return shown_account(asked.world.add_account(found, account_seed(asked.body)))


def change_account(asked: Asked, organization: str, account: int) -> Any:
    """Lose an account's session, or restore it."""
    found = _account(asked, organization, account)
    found.state = AccountState(asked.body["state"])
    return shown_account(found)


def remove_account(asked: Asked, organization: str, account: int) -> Any:
    """Disconnect an account."""
    found = _account(asked, organization, account)
    asked.organization(organization).accounts.pop(account, None)
    return shown_account(found)


def account_seed(body: Mapping[str, Any]) -> AccountSeed:
    """Return the account that ``body`` describes."""
    state = AccountState(body.get("state", AccountState.CONNECTED))
    return AccountSeed(**{**body, "state": state})


def shown_account(account: Account) -> dict[str, Any]:
    """Return an account as the control API shows it."""
    return {
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "state": account.state,
    }


def _account(asked: Asked, organization: str, id: int) -> Account:
    accounts = asked.organization(organization).accounts
    if id not in accounts:
        known = ", ".join(map(str, accounts)) or "none"
        raise NotThere(f"organization {organization} has no account {id}; it has {known[:400]}")
    return accounts[id]


ROUTES: Routes = (
    (f"{ONE}/accounts", "GET", list_connected_accounts),
    (f"{ONE}/accounts", "POST", create_account),
    (f"{ONE}/accounts/{{account}}", "PATCH", change_account),
    (f"{ONE}/accounts/{{account}}", "DELETE", remove_account),
)
