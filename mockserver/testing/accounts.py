"""The accounts of a test's organization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from mockserver.testing.frames import says_all
from mockserver.testing.settings import Settings

if TYPE_CHECKING:
    from mockserver.testing.organization import TestOrganization

__tracebackhide__ = says_all

State = Literal["connected", "sync_lost"]


class TestAccount(Settings):
    """An OnlyFans account that is connected to a test's organization."""

    __test__ = False

    def __init__(self, organization: TestOrganization, shown: Mapping[str, Any]) -> None:
        self._organization = organization
        self._id, self._name, self._username = shown["id"], shown["name"], shown["username"]

    @property
    def id(self) -> int:
        """The number that paths name."""
        return int(self._id)

    @property
    def name(self) -> str:
        return str(self._name)

    @property
    def username(self) -> str:
        return str(self._username)

    @property
    def state(self) -> State:
        """``connected`` or ``sync_lost``; may be set."""
        accounts = self._organization.call("GET", "")["accounts"]
        state: State = next(a["state"] for a in accounts if a["id"] == self.id)
        return state

    @state.setter
    def state(self, state: State) -> None:
        self._organization.call("PATCH", f"/accounts/{self.id}", {"state": state})

    def lose_sync(self) -> None:
        """Let the service lose the account's session: operations that need upstream answer 424."""
        self.state = "sync_lost"

    def restore_sync(self) -> None:
        """Restore the account's session."""
        self.state = "connected"
