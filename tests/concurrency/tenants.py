"""Organizations that parallel clients ask, each beside the model of what it should be."""

from __future__ import annotations

from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from mockserver.clock import parse_time
from mockserver.faults import Fault
from mockserver.seeds import OrganizationSeed
from tests.concurrency.clients import Ask
from tests.concurrency.model import Model

if TYPE_CHECKING:
    from mockserver.organizations import Organization
    from mockserver.world import World

MORNING = parse_time("2026-01-31T08:00:00Z")
LIST = "/v1/1001/tags?limit=100"
TAGS = "/v1/1001/tags"
KINDS = ("list", "list", "create", "create", "delete", "revoked", "forbidden", "invalid")
"""What a client may ask, the first ones more often."""

_names = count(1)


class Tenant:
    """An organization of a test's own, whose clock stands, and the model of it."""

    def __init__(self, world: World, limit: int) -> None:
        self.organization: Organization = world.add_organization(
            OrganizationSeed(world.mint_id(), limit_minute=limit, limit_day=1_000)
        )
        self.organization.clock.freeze(MORNING)
        self.model = Model(limit, limit, 1_000, tags=self.tags())
        mint = partial(world.add_key, self.organization)
        self.key, self.second = mint().secret, mint().secret
        self.weak, self.revoked = mint(["api_accounts_list"]).secret, mint(revoked=True).secret

    def ask(self, kind: str, number: int) -> Ask:
        """Return a request of a ``kind``; two that delete follow each other to the same record."""
        key = self.second if number % 3 else self.key
        asks = {
            "create": Ask(kind, "POST", TAGS, key, {"name": f"Tag {next(_names)}"}),
            "revoked": Ask(kind, "GET", LIST, self.revoked),
            "forbidden": Ask(kind, "GET", LIST, self.weak),
            "invalid": Ask(kind, "GET", f"{TAGS}?limit=0", key),
        }
        # The newest record stays: its id would be the next one's.
        doomed = sorted(self.model.tags)[:-1]
        if kind == "delete" and doomed:
            return Ask(kind, "DELETE", f"{TAGS}/{doomed[number // 2 % len(doomed)]}", key)
        return asks.get(kind, Ask("list", "GET", LIST, key))

    def next_minute(self) -> None:
        """Let the minute end."""
        self.organization.clock.advance(60)
        self.model.minute = self.model.limit

    def leave(self, minute: int) -> None:
        """Leave so many requests in the minute."""
        self.organization.windows.set_remaining(self.organization.clock.now(), minute=minute)
        self.model.minute = minute

    def plant(self, times: int, status: int) -> None:
        """Let listings fail so many times."""
        faults, model = self.organization.faults, self.model
        faults.clear()
        faults.plant(Fault(status, operation="listTags", times=times, message="Planted."))
        model.fault, model.fault_status, model.uses = times, status, 0

    def check(self) -> None:
        """Check that the organization is what the model says."""
        headroom = self.organization.windows.headroom(self.organization.clock.now())
        left = (headroom.remaining_minute, headroom.remaining_day)
        uses = sum(planted.uses for planted in self.organization.faults.all())
        records = len(list(self.organization.collection("tags").records()))

        assert (self.model.minute, self.model.day) == left
        assert self.model.uses == uses
        assert self.model.tags == self.tags()
        assert len(self.model.tags) == records
        self.check_journal()

    def check_journal(self) -> None:
        """Check that the journal has every exchange once, and those of a client in its order."""
        kept, said = list(self.organization.journal), self.model.said
        told = [(int(e.headers["x-client"]), e.method, e.path, e.status) for e in kept]

        assert list(range(1, len(said) + 1)) == [e.number for e in kept]
        assert len(said) == self.organization.journal.total
        for client in {exchange[0] for exchange in [*said, *told]}:
            assert [s for s in said if s[0] == client] == [t for t in told if t[0] == client]

    def tags(self) -> dict[int, str]:
        """Return the names of the tags by id."""
        records = self.organization.collection("tags").records()
        return {record["id"]: record["name"] for record in records}
