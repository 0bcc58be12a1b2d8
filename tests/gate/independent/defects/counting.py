"""The service with one promise broken about what is counted and weighed, each a subclass whose sentence says how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.gate.independent.people import Key, Left, Windows, secret
from tests.gate.independent.service import Service
from tests.gate.independent.wire import Answer, Body, Refusal


class ChargesStrangers(Service):
    """A request that is let in nowhere is taken from everybody."""

    def identify(self, headers: Mapping[str, str]) -> Key:
        try:
            return super().identify(headers)
        except Refusal:
            for key in self.people.keys.values():
                key.organization.windows.take(self.now())
            raise


class CountsPerKey(Service):
    """Each key has windows of its own."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._windows: dict[int, Windows] = {}

    def count(self, key: Key) -> Left:
        fresh = Windows(**key.organization.windows.limits)
        return self._windows.setdefault(id(key), fresh).take(self.now()) or {}


class CountsEverybodyTogether(Service):
    """All organizations draw on the same windows."""

    def count(self, key: Key) -> Left:
        left = super().count(key)
        for other in self.people.keys.values():
            other.organization.windows = key.organization.windows
        return left


class ReportsBeforehand(Service):
    """The reported headroom doesn't count the request itself."""

    def meta(self, key: Key, left: Left) -> dict[str, Any]:
        return super().meta(key, {name: number + 1 for name, number in left.items()})


class NeverRefuses(Service):
    """The windows are told and never enforced."""

    def count(self, key: Key) -> Left:
        try:
            return super().count(key)
        except Refusal:
            return {"minute": 0, "day": 1}


class ErrorsAreFree(Service):
    """A refusal costs nothing."""

    def refuse(self, refusal: Refusal) -> Answer:
        if refusal.status not in (401, 404, 405, 429):
            self.people.keys[secret("full")].organization.windows.give_back()
        return super().refuse(refusal)


class CreditIsFree(Service):
    """A success says that it cost nothing."""

    def meta(self, key: Key, left: Left) -> dict[str, Any]:
        return {**super().meta(key, left), "_credits": {"used": 0}}


class WeighsByHeader(Service):
    """Only a declared length can be too large."""

    def weigh(self, body: Body) -> bytes:
        return (body.read(1 << 23) or b"") if body.chunked else super().weigh(body)


class RefusesAtTheLimit(Service):
    """1 MiB itself is already too much."""

    def weigh(self, body: Body) -> bytes:
        content = super().weigh(body)
        if len(content) == 1 << 20:
            raise Refusal(413, "The body is too large.")
        return content
