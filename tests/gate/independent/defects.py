"""The service with one promise broken, each a subclass whose sentence says how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.gate.independent.pages import Page
from tests.gate.independent.people import LOST, Key, Left, Windows, secret
from tests.gate.independent.service import Answer, Asked, Body, Call, Refusal, Service
from tests.gate.independent.spec import Endpoint, Input


class AcceptsRevoked(Service):
    """A revoked key still opens."""

    def is_void(self, key: Key) -> bool:
        return key.ended


class AcceptsExpired(Service):
    """An expired key still opens."""

    def is_void(self, key: Key) -> bool:
        return key.withdrawn


class IgnoresHeaderKey(Service):
    """Only Authorization is looked at."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        return super().presented({"authorization": headers.get("authorization", "")})


class TakesAnyScheme(Service):
    """The scheme's name is skipped, whatever it is."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        secret = headers.get("authorization", "").split(" ")[-1]
        return super().presented({**headers, "authorization": f"Bearer {secret}"})


class PrefersFirstKey(Service):
    """Of two different keys, one that is known is enough."""

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        secrets = super().presented(headers)
        return secrets & self.people.keys.keys() or secrets


class ChargesStrangers(Service):
    """A request that is let in nowhere is taken from everybody."""

    def identify(self, headers: Mapping[str, str]) -> Key:
        try:
            return super().identify(headers)
        except Refusal:
            for key in self.people.keys.values():
                key.organization.windows.take(self.now())
            raise


class OpensOneOperation(Service):
    """One operation asks for no permission."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        if endpoint.name != "listEarnings":
            super().permit(key, endpoint)


class RefusesRoles(Service):
    """A key whose role grants a part is refused everything."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        if key.permissions is not None:
            raise Refusal(403, "Restricted keys are not welcome.")


class ValidatesBeforePermission(Service):
    """What is wrong with the parameters is said to those who may not even ask."""

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        """Leave it for later."""

    def enter(self, key: Key, endpoint: Endpoint, asked: Asked) -> None:
        super().permit(key, endpoint)
        super().enter(key, endpoint, asked)


class ReadsForeignAccounts(Service):
    """Any account that exists will do."""

    def owns(self, key: Key, account: int) -> bool:
        return any(account in one.organization.accounts for one in self.people.keys.values())


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


class LetsDebtorsRead(Service):
    """Reads go on while an invoice is overdue."""

    def bill(self, key: Key, call: Call) -> None:
        if call.method != "GET" or "overdue" not in key.organization.unpaid:
            super().bill(key, call)

    def owns(self, key: Key, account: int) -> bool:
        return super().owns(key, account) or bool(key.organization.unpaid)


class EnumFallsBack(Service):
    """An unknown value of a list is taken for the default."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        known = one.schema.get("enum", texts)
        return super().decode(one, [text if text in known else known[0] for text in texts])


class ClampsNumbers(Service):
    """A number out of bounds is moved inside."""

    def decode(self, one: Input, texts: list[str]) -> Any:
        try:
            return super().decode(one, texts)
        except Refusal:
            return one.schema.get("minimum", "")


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


class AsksForKeyFirst(Service):
    """Without a key nobody learns what exists."""

    def locate(self, call: Call) -> tuple[Endpoint, dict[str, str]]:
        if call.path != "/health":
            self.identify(call.headers)
        return super().locate(call)


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
