"""The service with one promise broken about what is asked and answered, each a subclass whose sentence says how."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from tests.gate.independent.pages import Page
from tests.gate.independent.people import LOST, Key, Left
from tests.gate.independent.service import Service
from tests.gate.independent.spec import Endpoint, Input
from tests.gate.independent.wire import Answer, Asked, Call, Refusal


class EnumFallsBack(Service):
    """An unknown value of a list is taken for the default."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        known = one.schema.get("enum", texts)
        return super().decode(one, [text if text in known else known[0] for text in texts])


def _is_number(one: Input, text: str) -> bool:
    return one.schema.get("type") == "integer" and text.removeprefix("-").isdecimal()


class ClampsNumbers(Service):
    """A number out of bounds is moved inside."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        least = one.schema.get("minimum", -math.inf)
        most = one.schema.get("maximum", math.inf)
        moved = [
            str(max(least, min(int(text), most))) if _is_number(one, text) else text
            for text in texts
        ]
        return super().decode(one, moved)


class TakesAnyNumber(Service):
    """Text in the place of a number is taken for the least one."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        counts = one.schema.get("type") == "integer" and not _is_number(one, texts[-1])
        return super().decode(one, [str(one.schema["minimum"])] if counts else texts)


class TripsOverNumbers(Service):
    """A number out of bounds is an error of the server's."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        try:
            return super().decode(one, texts)
        except Refusal:
            if _is_number(one, texts[-1]):
                raise Refusal(500, "That number was not foreseen.") from None
            raise


class TakesAnyBody(Service):
    """A body is taken as it is."""

    def check_body(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> None:
        """Look away."""


class InventsRecords(Service):
    """Every id has a record."""

    def exists(self, name: str, value: Any) -> bool:
        return True


class WorksWithoutSession(Service):
    """A lost session stops nothing."""

    def enter(self, key: Key, endpoint: Endpoint, asked: Asked) -> None:
        if asked.path.get("account_id") != LOST:
            super().enter(key, endpoint, asked)


class LosesEverything(Service):
    """A lost session stops what needs none, too."""

    def enter(self, key: Key, endpoint: Endpoint, asked: Asked) -> None:
        if asked.path.get("account_id") == LOST:
            raise Refusal(424, "The account's session is lost.")
        super().enter(key, endpoint, asked)


class NestsErrors(Service):
    """An error is an object inside an object."""

    def refuse(self, refusal: Refusal) -> Answer:
        body = {"error": {"code": refusal.status, "message": refusal.text}}
        return Answer(refusal.status, json.dumps(body).encode(), headers=refusal.headers)


class ShowsPageOn404(Service):
    """What isn't there is answered for people."""

    def refuse(self, refusal: Refusal) -> Answer:
        if refusal.status == 404:
            return Answer(404, b"<html><h1>Not Found</h1></html>", "text/html")
        return super().refuse(refusal)


class MislabelsErrors(Service):
    """An error is said to be plain text."""

    def refuse(self, refusal: Refusal) -> Answer:
        answer = super().refuse(refusal)
        return Answer(answer.status, answer.payload, "text/plain", answer.headers)


class HidesMethods(Service):
    """A 405 doesn't say what would do."""

    def refuse(self, refusal: Refusal) -> Answer:
        return super().refuse(Refusal(refusal.status, refusal.text))


class LeavesOutMeta(Service):
    """A success has no `_meta`."""

    def succeed(self, call: Call, key: Key, left: Left, page: Page) -> Answer:
        body = json.loads(super().succeed(call, key, left, page).payload)
        del body["_meta"]
        return Answer(200, json.dumps(body).encode())


class LinksAbsolutely(Service):
    """The next page's address names the host."""

    def link(self, call: Call, follow_up: dict[str, Any]) -> str:
        return "https://api.example.com" + super().link(call, follow_up)


class EndsWithNull(Service):
    """The last page has a next page: null."""

    def succeed(self, call: Call, key: Key, left: Left, page: Page) -> Answer:
        body = json.loads(super().succeed(call, key, left, page).payload)
        body.setdefault("_pagination", {"next_page": None})
        return Answer(200, json.dumps(body).encode())


class RepeatsAtTheBoundary(Service):
    """A page begins with the item that ended the last one."""

    def link(self, call: Call, follow_up: dict[str, Any]) -> str:
        moved = {"offset": follow_up["offset"] - 1} if "offset" in follow_up else {}
        return super().link(call, {**follow_up, **moved})


class ForgetsQuery(Service):
    """The next page's address has lost the page's size."""

    def link(self, call: Call, follow_up: dict[str, Any]) -> str:
        return super().link(call, follow_up).replace("limit=", "was=")
