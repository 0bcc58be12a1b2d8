"""Answers of reads, remembered in serialized form until something that they were made from changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import inf
from typing import Any

import orjson

from mockserver.contract import Operation
from mockserver.envelope import opening
from mockserver.organizations import Account, Organization
from mockserver.resources.deliveries import QUEUE, next_due
from mockserver.resources.paging import next_page
from mockserver.resources.scene import Result, Scene
from mockserver.store import Version
from mockserver.validation import Arguments

LONGEST_REMEMBERED = 512
"""Characters of path and query; longer requests are answered anew, so that nobody fills the memory."""


@dataclass(slots=True)
class Answer:
    """What an operation answers."""

    opening: bytes
    """How a success with it begins, as JSON; its end is the headroom."""
    size: int
    """Bytes of its ``data`` as JSON."""
    next_page: str | None
    value: Any
    """What ``data`` says, until the whole answer is sent for the first time."""
    is_valid: bool = False
    """Whether the whole answer was found to match its schema."""
    versions: tuple[tuple[str, Version], ...] = ()
    """What it was made from besides its home."""
    since: float = -inf
    until: float = inf
    """The stretch of time in which it is right, in seconds since the epoch; the end isn't in it."""

    def within(self, body: bytes) -> Any:
        """Return what ``body`` says, the JSON of an object that begins with this answer's ``data``."""
        value = self.value  # another thread may have sent it meanwhile
        if value is None:
            return orjson.loads(body)
        # What was serialized just now needn't be read again.
        around = orjson.loads(b"{" + body[len(b'{"data":,') + self.size :])
        return {**around, "data": value}


def answer_of(operation: Operation, result: Result, arguments: Arguments, path: str = "") -> Answer:
    """Return the answer that tells what ``operation`` came to, asked at ``path`` with ``arguments``."""
    try:
        data = orjson.dumps(result.data)
    except orjson.JSONEncodeError:  # a number over 64 bits, such as an offset that is told back
        data = json.dumps(result.data, separators=(",", ":")).encode()
    page = None
    if result.next_query is not None:
        page = next_page(path, operation, arguments, result.next_query)
    return Answer(opening(data, operation.charges, page), len(data), page, result.data)


def recall(
    operation: Operation,
    organization: Organization,
    account: Account | None,
    asked: tuple[str, str],
    now: float,
) -> Answer | None:
    """Return the answer that was given to the same read before, if it is still right."""
    name = operation.resource.collection
    if name is None:
        return None
    collections = (account or organization).collections
    answer: Answer | None = collections[name].memory.get(_key(operation, account, asked))
    if answer is None or not answer.since <= now < answer.until:
        return None
    for other, version in answer.versions:
        if collections[other].version is not version:
            return None
    return answer


def remember(scene: Scene, account: Account | None, asked: tuple[str, str], answer: Answer) -> None:
    """Remember the answer to a read, unless it depends on more than the records that were looked at."""
    name = scene.operation.resource.collection
    if name is None or scene.sees_more:
        return
    if sum(map(len, asked)) > LONGEST_REMEMBERED:
        return
    seen, home = scene.seen.get(name), scene.collection(name)
    if seen is not None and seen is not home.version:
        return
    versions, until = scene.seen, scene.until
    if account is not None:  # a message that goes out may change it
        versions.setdefault(QUEUE, account.collections[QUEUE].version)
        until = min(until, next_due(account))
    # A write to the home forgets what is remembered there, so that needs no look; organizations share it
    # until they write.
    answer.since, answer.until = scene.since, until
    answer.versions = tuple((n, seen) for n, seen in versions.items() if n != name)
    home.remember(_key(scene.operation, account, asked), answer)


def _key(
    operation: Operation, account: Account | None, asked: tuple[str, str]
) -> tuple[str | None, ...]:
    """Return what tells an answer from others, the account's names included: organizations share a collection."""
    if account is None:
        return (operation.id, *asked)
    return (operation.id, account.username, account.name, *asked)
