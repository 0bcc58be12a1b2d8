"""What one organization would do if its requests came one after another, and what that allows in a burst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.concurrency.clients import Answer

FREE = frozenset({401, 429})
"""Statuses that take nothing from the windows."""


@dataclass(slots=True)
class Model:
    """An organization as its requests left it."""

    limit: int
    minute: int
    """Requests that are left of the minute."""
    day: int
    fault: int = 0
    """Requests that the planted fault still meets."""
    fault_status: int = 502
    uses: int = 0
    tags: dict[int, str] = field(default_factory=dict)
    said: list[tuple[int, str, str, int]] = field(default_factory=list)
    """Client, method, path and status of every exchange."""

    def digest(self, answers: Sequence[Answer]) -> None:
        """Check a burst against what any order of its requests allows, and take it in."""
        self.said += [
            (a.client, a.ask.method, a.ask.path.partition("?")[0], a.status) for a in answers
        ]
        self._check_windows(answers)
        self._check_faults(answers)
        self._check_refusals(answers)
        self._check_tags(answers)

    def _check_windows(self, answers: Sequence[Answer]) -> None:
        wanting = [a for a in answers if a.ask.what != "revoked" and not _is_fault(a)]
        faulted = [a for a in answers if _is_fault(a)]
        charged = [a for a in wanting if a.status not in FREE]
        charged += [a for a in faulted if a.status not in FREE]
        room = min(self.minute, self.day)
        exhausted = [a for a in wanting if a.status == 429]

        assert len(charged) <= room, f"{len(charged)} passed where {room} were left"
        assert not exhausted or len(charged) == room, f"429 though {room - len(charged)} were left"
        self._check_headrooms([a for a in answers if a.status == 200], len(charged))
        self.minute -= len(charged)
        self.day -= len(charged)

    def _check_headrooms(self, successes: Sequence[Answer], charged: int) -> None:
        """Every headroom is reported once, in real time's order, and none beyond what was taken."""
        in_order = sorted(successes, key=lambda answer: -answer.left[0])
        minutes = [answer.left[0] for answer in in_order]
        refused = charged - len(successes)
        missing = set(range(self.minute - charged, self.minute)) - set(minutes)

        assert len(set(minutes)) == len(minutes), f"reported twice: {_twice(minutes)}"
        assert len(missing) == refused, f"never reported: {sorted(missing)}, refused: {refused}"
        assert {self.day - self.minute} >= {a.left[1] - a.left[0] for a in in_order}
        for earlier, later in pairwise(in_order):
            assert earlier.began < later.ended, "a later request reports more headroom"
        assert {1} >= {a.body["_meta"]["_credits"]["used"] for a in successes}

    def _check_faults(self, answers: Sequence[Answer]) -> None:
        met = [a for a in answers if _is_fault(a)]
        eligible = [a for a in answers if a.ask.what == "list" and (a.status == 200 or a in met)]
        assert len(met) == min(self.fault, len(eligible)), f"the fault met {len(met)} requests"
        assert {self.fault_status} >= {a.status for a in met}
        self.fault -= len(met)
        self.uses += len(met)

    def _check_refusals(self, answers: Sequence[Answer]) -> None:
        expected = {"revoked": {401}, "forbidden": {403, 429}, "invalid": {400, 429}}
        for what, allowed in expected.items():
            assert allowed >= {a.status for a in answers if a.ask.what == what}, what
        assert not [a for a in answers if a.status in (500, 503)]

    def _check_tags(self, answers: Sequence[Answer]) -> None:
        made = {a.body["data"]["id"]: a for a in answers if _done(a, "create")}
        assert len(made) == len([a for a in answers if _done(a, "create")]), "an id was given twice"
        assert not made.keys() & self.tags.keys(), "an id of a living record was given again"
        tried = Counter(a.ask.path for a in answers if a.ask.what == "delete" and a.status != 429)
        gone = Counter(a.ask.path for a in answers if _done(a, "delete"))
        assert dict.fromkeys(tried, 1) == dict(gone), "a record was deleted twice or not at all"
        removed = {int(path.rpartition("/")[2]) for path in gone}
        before, self.tags = (
            self.tags,
            {
                **{id: name for id, name in self.tags.items() if id not in removed},
                **{id: a.ask.body["name"] for id, a in made.items()},
            },
        )
        for answer in (a for a in answers if _done(a, "list")):
            _check_listing(answer, answers, before, self.tags)


def _check_listing(
    listing: Answer, answers: Sequence[Answer], before: dict[int, str], after: dict[int, str]
) -> None:
    """Check that a listing shows whatever was there for sure, and nothing that surely wasn't."""
    seen = {record["id"] for record in listing.body["data"]["list"]}
    settled = {
        a.body["data"]["id"] for a in answers if _done(a, "create") and a.ended < listing.began
    }
    gone = {_id(a) for a in answers if _done(a, "delete") and a.ended < listing.began}
    future = {
        a.body["data"]["id"] for a in answers if _done(a, "create") and a.began > listing.ended
    }
    assert (before.keys() & after.keys()) | settled <= seen, "a listing lacks a record"
    assert seen <= (before.keys() | after.keys()) - gone - future, "a listing shows too much"


def _id(answer: Answer) -> int:
    return int(answer.ask.path.rpartition("/")[2])


def _done(answer: Answer, what: str) -> bool:
    return answer.ask.what == what and answer.status == 200


def _is_fault(answer: Answer) -> bool:
    error: Any = answer.body.get("error", "")
    return bool(error == "Planted.")


def _twice(values: Sequence[int]) -> list[int]:
    return [value for value, count in Counter(values).items() if count > 1]
