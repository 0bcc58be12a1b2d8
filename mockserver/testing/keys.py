"""The keys of a test's organization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from mockserver.testing.clock import iso
from mockserver.testing.frames import says_all

if TYPE_CHECKING:
    from mockserver.testing.organization import TestOrganization

__tracebackhide__ = says_all


class TestKey(str):
    """A key's secret, which also knows how to end its life."""

    __test__ = False
    __slots__ = ("_organization", "id")

    _organization: TestOrganization
    id: str
    """Its name in the control API."""

    @classmethod
    def of(cls, organization: TestOrganization, shown: Mapping[str, Any]) -> Self:
        """Return the key that the control API showed."""
        key = cls(shown["key"])
        key._organization, key.id = organization, shown["id"]
        return key

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Be plain text in another process, which can't reach the organization."""
        return str, (str(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        """Stay the same key in a copied configuration, as text does."""
        return self

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates with this key."""
        return {"Authorization": f"Bearer {self}"}

    def revoke(self) -> None:
        """Let the key authenticate no more: 401."""
        self._change({"revoked": True})

    def expire(self) -> None:
        """Let the key's expiry be the organization's present: 401."""
        self._change({"expires": iso(self._organization.clock.now)})

    def _change(self, body: Mapping[str, Any]) -> None:
        self._organization.call("PATCH", f"/keys/{quote(self.id, safe='')}", body)
