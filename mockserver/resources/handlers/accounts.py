"""The organization's accounts, from FansMetric's own data."""

from __future__ import annotations

from typing import Any

from mockserver.organizations import Account
from mockserver.resources.scene import Result, Scene


def list_accounts(scene: Scene) -> Result:
    """Answer every connected account of the organization."""
    return Result({"list": [_shown(account) for account in scene.organization.accounts.values()]})


def current_account(scene: Scene) -> Result:
    """Answer the account that the path names."""
    return Result(_shown(scene.named_account))


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "username": account.username,
        "state": str(account.state),
    }
