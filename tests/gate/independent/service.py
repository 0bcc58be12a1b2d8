"""One request from its key to its answer, each step a method of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.gate.independent.checking import complaints, value_of
from tests.gate.independent.pages import Page, Shelf
from tests.gate.independent.people import FANS_MESSAGE, LOST, RECORDS, Key, Left, People
from tests.gate.independent.spec import Endpoint, Input, read_spec
from tests.gate.independent.wire import Answer, Asked, Body, Call, Refusal

MOST_BYTES = 1 << 20
_NAMED_LISTS = {"fans", "following", "friends", "muted", "recent", "tagged"}


class Service:
    """The API over one set of people; ``now`` tells the time in seconds."""

    def __init__(self, now: Callable[[], float], minute: int = 1_000, day: int = 50_000) -> None:
        self.now = now
        self.people = People(minute, day)
        self.spec = read_spec()

    def answer(self, call: Call) -> Answer:
        """Return the answer to any request."""
        try:
            return self.serve(call)
        except Refusal as refusal:
            return self.refuse(refusal)

    def serve(self, call: Call) -> Answer:
        """Return the answer to a request that is in order. Raises ``Refusal``."""
        endpoint, texts = self.locate(call)
        if endpoint.permission is None:
            return Answer(200, json.dumps(endpoint.example).encode())
        key = self.identify(call.headers)
        left = self.count(key)
        body = self.weigh(call.body)
        self.bill(key, call)
        self.permit(key, endpoint)
        asked = self.understand(endpoint, texts, call.query)
        self.check_body(endpoint, call.headers, body)
        self.enter(key, endpoint, asked)
        return self.succeed(call, key, left, self.fetch(endpoint, asked))

    def locate(self, call: Call) -> tuple[Endpoint, dict[str, str]]:
        """Find the endpoint."""
        found = self.spec.find(call.path)
        if found is None:
            raise Refusal(404, "Nothing is served under this path.")
        place, texts = found
        if call.method not in place.methods:
            raise Refusal(405, "This path takes other methods.", Allow=", ".join(place.methods))
        return place.methods[call.method], texts

    def presented(self, headers: Mapping[str, str]) -> set[str]:
        """Return the secrets that a request carries."""
        scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
        bearer = rest.strip() if scheme.lower() == "bearer" else ""
        return {bearer, headers.get("x-api-key", "").strip()} - {""}

    def identify(self, headers: Mapping[str, str]) -> Key:
        """Find out who asks."""
        secrets = self.presented(headers)
        key = self.people.keys.get(secrets.pop()) if len(secrets) == 1 else None
        if key is None or self.is_void(key):
            raise Refusal(401, "A valid key is needed.")
        return key

    def is_void(self, key: Key) -> bool:
        """Whether a known key opens nothing any more."""
        return key.withdrawn or key.ended

    def count(self, key: Key) -> Left:
        """Take the request from the organization's windows."""
        left = key.organization.windows.take(self.now())
        if left is None:
            raise Refusal(429, "Too many requests; wait for the next window.")
        return left

    def weigh(self, body: Body) -> bytes:
        """Read the body, if it isn't too large."""
        content = body.read(MOST_BYTES)
        if content is None:
            raise Refusal(413, "The body is larger than 1 MiB.")
        return content

    def bill(self, key: Key, call: Call) -> None:
        """Let those in who pay."""
        if key.organization.unpaid:
            raise Refusal(402, key.organization.unpaid)

    def permit(self, key: Key, endpoint: Endpoint) -> None:
        """Let those in whose role allows it."""
        if not key.may(endpoint.permission):
            raise Refusal(403, f"{endpoint.permission} is not granted.")

    def understand(self, endpoint: Endpoint, texts: dict[str, str], query: str) -> Asked:
        """Decode and check the parameters."""
        given = parse_qs(query, keep_blank_values=True)
        asked = Asked({}, {})
        for one in endpoint.inputs:
            found = [texts[one.name]] if one.in_path else given.get(one.name)
            if found is not None:
                (asked.path if one.in_path else asked.query)[one.name] = self.decode(one, found)
            elif one.required:
                raise Refusal(400, f"{one.name} is missing.")
            elif "default" in one.schema:
                asked.query[one.name] = one.schema["default"]
        if any(names <= given.keys() for names in endpoint.excluding):
            raise Refusal(400, "Some of the parameters exclude each other.")
        return asked

    def decode(self, one: Input, texts: list[str]) -> Any:
        """Return the value of a parameter."""
        try:
            value = value_of(texts, one.schema)
        except ValueError as error:
            raise Refusal(400, f"{one.name}: {error}.") from None
        wrong = next(complaints(value, one.schema, self.spec.follow), "")
        if wrong:
            raise Refusal(400, f"{one.name} {wrong}.")
        return value

    def check_body(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> None:
        """Check the body against its schema."""
        if endpoint.body is None:
            return
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Refusal(400, "The body must be application/json.")
        try:
            value = json.loads(body)
        except ValueError:
            raise Refusal(400, "The body is no JSON.") from None
        wrong = next(complaints(value, endpoint.body, self.spec.follow), "")
        if wrong:
            raise Refusal(400, f"The body {wrong}.")

    def enter(self, key: Key, endpoint: Endpoint, asked: Asked) -> None:
        """Go to the account and the record that the path names."""
        account = asked.path.get("account_id")
        if account is not None and not self.owns(key, account):
            raise Refusal(404, f"There is no account {account}.")
        if account == LOST and endpoint.upstream:
            raise Refusal(424, "The account's session is lost.")
        for name, value in asked.path.items():
            if name in RECORDS and not self.exists(name, value):
                raise Refusal(404, f"There is no such {name}.")
        if endpoint.name == "unsendMessage" and asked.path["message_id"] == FANS_MESSAGE:
            raise Refusal(400, "This message is the fan's.")

    def owns(self, key: Key, account: int) -> bool:
        """Whether the account is the organization's."""
        return account in key.organization.accounts

    def exists(self, name: str, value: Any) -> bool:
        """Whether there is a record of this id."""
        known = {str(RECORDS[name])}
        if name == "message_id":
            known.add(str(FANS_MESSAGE))
        return str(value) in known | (_NAMED_LISTS if name == "list_id" else set())

    @cached_property
    def shelves(self) -> dict[str, Shelf]:
        """The paged lists, by endpoint."""
        return {one.name: Shelf(one) for one in self.spec.endpoints() if one.paging}

    def fetch(self, endpoint: Endpoint, asked: Asked) -> Page:
        """Return what is asked for; whatever isn't a list is one page."""
        shelf = self.shelves.get(endpoint.name)
        return shelf.page(asked.query) if shelf else Page(endpoint.example["data"], None)

    def succeed(self, call: Call, key: Key, left: Left, page: Page) -> Answer:
        """Wrap a result."""
        body = {"data": page.data, "_meta": self.meta(key, left)}
        if page.follow_up is not None:
            body["_pagination"] = {"next_page": self.link(call, page.follow_up)}
        return Answer(200, json.dumps(body).encode())

    def meta(self, key: Key, left: Left) -> dict[str, Any]:
        """Return what is said about credits and windows."""
        limits = key.organization.windows.limits
        told = {f"limit_{name}": limit for name, limit in limits.items()}
        told |= {f"remaining_{name}": number for name, number in left.items()}
        return {"_credits": {"used": 1}, "_rate_limits": told}

    def link(self, call: Call, follow_up: dict[str, Any]) -> str:
        """Return the address of the next page."""
        given = {name: texts[-1] for name, texts in parse_qs(call.query).items()}
        return f"{call.path}?{urlencode({**given, **follow_up})}"

    def refuse(self, refusal: Refusal) -> Answer:
        """Wrap a refusal."""
        payload = json.dumps({"error": refusal.text}).encode()
        return Answer(refusal.status, payload, headers=refusal.headers)
