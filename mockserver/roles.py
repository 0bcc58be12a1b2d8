"""Who calls: keys, and the roles that say what a key may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.organizations import Organization

KEY_PREFIX = "fm_api_"
"""How every key begins (auth page)."""

ALL = "*"
"""Stands in a role's permissions for every permission of the contract."""


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions."""

    name: str
    permissions: frozenset[str]

    def grants(self, permission: str) -> bool:
        """Whether a key with this role may use operations that need ``permission``."""
        return permission in self.permissions or ALL in self.permissions


@dataclass(slots=True)
class Key:
    """A secret that names its organization and its role."""

    secret: str = field(repr=False)
    role: Role
    organization: Organization
    revoked: bool = False
    expires: float | None = None
    """The instant, in seconds since the epoch, from which the key no longer authenticates."""
    note: str = ""
    """What the key is for, shown by `mockserver keys`."""
    id: str = field(init=False)
    """A name for the key that can be shown: the end of its secret."""

    def __post_init__(self) -> None:
        self.id = self.secret.removeprefix(KEY_PREFIX)

    def is_expired(self, now: float) -> bool:
        """Whether ``now`` is at or after the expiry instant (rule ``auth.expiry-instant``)."""
        return self.expires is not None and now >= self.expires

    def revoke(self) -> None:
        """Let the key authenticate no more."""
        self.revoked = True
