"""Answers of reads, remembered in serialized form until something that they were made from changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.resources.scene import Result, Scene
from mockserver.store import Collection, Table

LONGEST_REMEMBERED = 512
"""Characters of path and query; longer requests are answered anew, so that nobody fills the memory."""


@dataclass(slots=True)
class Answer:
    """What an operation answers, its ``data`` as JSON."""

    data: bytes
    next_query: Mapping[str, Any] | None
    next_page: str | None = None
    """The next page, once somebody has written it down."""
    is_valid: bool = False
    """Whether the whole answer was found to match its schema."""
    tables: tuple[tuple[str, Table], ...] = ()
    """What it was made from; a write puts another table in the place of each that it changes."""

    def is_good(self, scene: Scene) -> bool:
        """Whether everything that the answer was made from is still there."""
        return all(scene.collection(name).table is table for name, table in self.tables)


def answer_of(result: Result) -> Answer:
    """Return the answer that tells ``result``."""
    try:
        data = orjson.dumps(result.data)
    except orjson.JSONEncodeError:  # a number over 64 bits, such as an offset that is told back
        data = json.dumps(result.data, separators=(",", ":")).encode()
    return Answer(data, result.next_query)


def recall(scene: Scene, asked: tuple[str, str]) -> Answer | None:
    """Return the answer that was given to the same request before, if it is still right."""
    collection = _home(scene)
    if collection is None:
        return None
    answer: Answer | None = collection.recalled((scene.operation.id, *asked))
    return answer if answer is not None and answer.is_good(scene) else None


def remember(scene: Scene, asked: tuple[str, str], answer: Answer) -> None:
    """Remember an answer, unless it depends on more than the records that were looked at."""
    collection = _home(scene)
    if collection is None or scene.seen.more or sum(map(len, asked)) > LONGEST_REMEMBERED:
        return
    answer.tables = tuple(scene.seen.tables.items())
    collection.memo((scene.operation.id, *asked), lambda: answer)


def _home(scene: Scene) -> Collection | None:
    """Return the collection that the answer is remembered with; organizations share it until they write."""
    name = scene.operation.resource.collection
    return None if scene.operation.writes or name is None else scene.collection(name)
