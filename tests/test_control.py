"""The control API: what tests do to the world, who may do it, and what it answers to misuse."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import create_app
from mockserver.contract import Schemas
from mockserver.contract.build import each_operation, escape
from mockserver.contract.checks import each_example
from mockserver.control.document import control_document
from mockserver.control.routes import ROUTES
from mockserver.envelope import JSON_TYPE
from mockserver.errors import Misuse

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask

ORG = "/organizations/{id}"


class Control:
    """A client of the control API whose every answer is checked against the API's own document."""

    def __init__(self, app: MockFlask) -> None:
        self.client = app.test_client()
        self.document = control_document().document
        self._schemas = Schemas(self.document)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Make one request, and check its answer."""
        options = options if body is None else {"json": body, **options}
        response = self.client.open(f"/_mock{path}", method=method, **options)
        self._check(method, path.partition("?")[0], response)
        return response

    def give(self, method: str, path: str, body: Any = None) -> Any:
        """Return the body of a request that must succeed."""
        response = self.ask(method, path, body)
        assert response.status_code == 200, response.text
        return response.get_json()

    def new(self, **organization: Any) -> Made:
        """Make an organization."""
        return Made(self, self.give("POST", "/organizations", organization))

    def _check(self, method: str, path: str, response: TestResponse) -> None:
        assert response.content_type == JSON_TYPE
        body = response.get_json()
        if response.status_code >= 400:
            assert ["error"] == list(body)
            assert body["error"]
            assert "\n" not in body["error"]
        found = next((t for t in self.document["paths"] if matches(t, path)), None)
        described = self.document["paths"].get(found, {}).get(method.lower())
        if described is None:
            return
        at = f"#/paths/{escape(str(found))}/{method.lower()}/responses/{response.status_code}"
        node = described["responses"][str(response.status_code)]
        pointer = node.get("$ref", at) + "/content/application~1json/schema"
        self._schemas.check(pointer, body)


def matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) is not None


class Made:
    """An organization made over the control API."""

    def __init__(self, control: Control, shown: Any) -> None:
        self.control, self.shown, self.id = control, shown, shown["id"]

    def ask(self, method: str, path: str = "", body: Any = None) -> TestResponse:
        return self.control.ask(method, f"/organizations/{self.id}{path}", body)

    def give(self, method: str, path: str = "", body: Any = None) -> Any:
        return self.control.give(method, f"/organizations/{self.id}{path}", body)

    def key(self, **options: Any) -> Any:
        """Make a key; return it as shown."""
        return self.give("POST", "/keys", options)

    def call(self, key: str, path: str = "/v1/accounts") -> TestResponse:
        """Call the mocked API."""
        return self.control.client.get(path, headers={"X-API-Key": key})


@pytest.fixture
def control(app: MockFlask) -> Control:
    return Control(app)


@pytest.fixture
def own(own_app: MockFlask) -> Control:
    """Return the control API of an application that the test may reset."""
    return Control(own_app)


def test_document_and_routes_agree() -> None:
    """Each operation of the document has the route that is named like it, and the other way round."""
    document = control_document().document
    described = {
        (method.upper(), path, operation["operationId"])
        for path, method, operation in each_operation(document)
    }
    routed = {(method, path, view.__name__) for path, method, view in ROUTES}

    assert described == routed


def test_document_is_served(control: Control) -> None:
    assert control.document == control.give("GET", "/openapi.json")


def test_document_examples_are_valid() -> None:
    """Each example matches its schema."""
    document = control_document().document
    schemas, places = Schemas(document), []
    for place, pointer, example in each_example(document):
        schemas.check(pointer, example)
        places.append(place)

    assert len(document["components"]["responses"]) < len(places)


def test_summary(control: Control, app: MockFlask) -> None:
    summary = control.give("GET", "/")

    assert len(app.mock.contract) == summary["operations"]
    assert len(app.mock.world.organizations) == summary["organizations"]


def test_default_organization(control: Control) -> None:
    """Without a body: active, default limits, one healthy account 1001, no key."""
    made = control.new()

    assert {
        "name": "",
        "subscription": "active",
        "limit_minute": 1_000,
        "limit_day": 50_000,
        "mode": "enforce",
        "rolling": False,
        "retry_after": False,
        "keys": [],
    }.items() <= made.shown.items()
    assert [(1001, "connected")] == [(a["id"], a["state"]) for a in made.shown["accounts"]]


def test_organization_as_asked(control: Control) -> None:
    """Every member that is given is taken."""
    asked = {
        "id": "finch-1",
        "name": "Finch",
        "subscription": "past_due",
        "limit_minute": 2,
        "limit_day": 3,
        "mode": "count",
        "rolling": True,
        "retry_after": True,
    }
    made = control.new(**asked, accounts=[{"id": 5}, {"id": 6, "state": "sync_lost"}])
    listed = control.give("GET", "/organizations?limit=10000")["organizations"]
    made.give("DELETE")

    assert asked.items() <= made.shown.items()
    assert [(5, "connected"), (6, "sync_lost")] == [
        (account["id"], account["state"]) for account in made.shown["accounts"]
    ]
    assert made.shown in listed


def test_search_of_organizations(own: Control) -> None:
    """A part of the id or of the name finds it, whatever the case; the total counts what was found."""
    own.new(id="needle-1", name="In the Hay")
    found = {
        text: own.give("GET", f"/organizations?search={text}&limit=1")
        for text in ("NEEDLE", "the%20hay", "nowhere")
    }

    assert [1, 1, 0] == [page["total"] for page in found.values()]
    assert [["needle-1"], ["needle-1"], []] == [
        [one["id"] for one in page["organizations"]] for page in found.values()
    ]


def test_list_with_headroom(own: Control) -> None:
    """The windows of a whole page in one answer, when they are asked for."""
    made = own.new(id="needle-2", limit_minute=5)
    made.call(made.key()["key"])
    plain, off, full = (
        own.give("GET", f"/organizations?search=needle-2{more}")["organizations"][0]
        for more in ("", "&headroom=False", "&headroom=true")
    )

    assert plain == off
    assert {**plain, "headroom": made.give("GET", "/headroom")} == full
    assert 4 == full["headroom"]["remaining_minute"]


def test_change_of_an_organization(control: Control) -> None:
    """What a change names changes, at once; the rest stays."""
    made = control.new()
    key = made.key()["key"]
    changed = made.give("PATCH", "", {"subscription": "none", "limit_minute": 5})
    refused = made.call(key).status_code
    made.give("PATCH", "", {"subscription": "active", "mode": "off"})

    assert made.give("GET")["limit_minute"] == 5 == changed["limit_minute"]
    assert 50_000 == changed["limit_day"]
    assert [402, 200] == [refused, made.call(key).status_code]
    assert 4 == made.give("GET", "/headroom")["remaining_minute"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Finch Roastery"},
        {"limit_day": 9},
        {"rolling": True},
        {"retry_after": True},
        {"mode": "count"},
        {"subscription": "past_due"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_one_member_leaves_the_others(change: dict[str, Any], control: Control) -> None:
    made = control.new(name="Finch", limit_minute=7)
    changed = made.give("PATCH", "", change)

    assert {**made.shown, **change} == changed == made.give("GET")


def test_removed_organization_is_gone(control: Control) -> None:
    """Its keys are unknown, and it can't be asked for."""
    made = control.new()
    key = made.key()["key"]
    removed = made.give("DELETE")

    assert {"removed": made.id} == removed
    assert 401 == made.call(key).status_code
    assert {404} == {made.ask(method).status_code for method in ("GET", "PATCH", "DELETE")}


def test_keys(control: Control) -> None:
    """A key has the permissions that it was made with, until it is revoked or expires."""
    made = control.new()
    full, tags = made.key(), made.key(permissions=["api_tags_list"], note="tags only")
    statuses = [made.call(key["key"], "/v1/1001/tags").status_code for key in (full, tags)]
    refused = made.call(tags["key"]).status_code
    revoked = made.give("PATCH", f"/keys/{tags['id']}", {"revoked": True})
    after = made.call(tags["key"], "/v1/1001/tags").status_code
    made.give("PATCH", f"/keys/{tags['id']}", {"revoked": False, "expires": "2026-01-31T12:00:00Z"})

    assert (["*"], ["api_tags_list"]) == (full["permissions"], tags["permissions"])
    assert [200, 200, 403, 401] == [*statuses, refused, after]
    assert (True, "tags only") == (revoked["revoked"], revoked["note"])
    assert "auth.key-expired" == made.call(tags["key"]).headers["X-Mock-Rule"]
    assert [full["id"], tags["id"]] == [key["id"] for key in made.give("GET")["keys"]]


def test_permissions_of_a_key_may_change(control: Control) -> None:
    """They count from the next request on, and stay where another change doesn't name them."""
    made = control.new()
    key = made.key(permissions=["api_tags_list"])
    path = f"/keys/{key['id']}"
    renewed = made.give("PATCH", path, {"revoked": False})
    refused = made.call(key["key"], "/v1/accounts").status_code
    changed = made.give("PATCH", path, {"permissions": ["api_accounts_list"]})
    answers = [made.call(key["key"], at).status_code for at in ("/v1/accounts", "/v1/1001/tags")]
    unknown = made.ask("PATCH", path, {"permissions": ["api_tea"]})

    assert ["api_tags_list"] == renewed["permissions"]
    assert ["api_accounts_list"] == changed["permissions"]
    assert [403, 200, 403, 400] == [refused, *answers, unknown.status_code]
    assert changed == made.give("GET", "/keys")["keys"][0]


def test_a_refused_organization_is_not_there(control: Control) -> None:
    """Whatever is wrong with it is found before anything is made."""
    keys = [{}, {"expires": "2026-99-01T00:00:00Z"}]
    refused = control.ask("POST", "/organizations", {"id": "half", "keys": keys})

    assert 400 == refused.status_code
    assert 404 == control.ask("GET", "/organizations/half").status_code


def test_keys_are_numbered_by_organization(control: Control) -> None:
    """So a fresh organization's keys can be foretold; a removed key is never made up again."""
    made = control.new(id="numbered", keys=[{}, {}])
    first, second = (key["key"] for key in made.give("GET")["keys"])
    made.give("DELETE", f"/keys/{second.removeprefix('fm_api_')}")
    made.give("POST", "/reset")
    third = made.key()["key"]
    made.give("DELETE")

    assert [f"fm_api_test_numbered_00000{n}" for n in (1, 2, 3)] == [first, second, third]


def test_key_expiry_follows_the_clock(control: Control) -> None:
    made = control.new()
    key = made.key(expires="2026-01-31T13:00:00Z")
    before = made.call(key["key"]).status_code
    made.give("POST", "/clock", {"advance": 3_600})

    assert ("2026-01-31T13:00:00+00:00", 200) == (key["expires"], before)
    assert 401 == made.call(key["key"]).status_code


def test_accounts(control: Control) -> None:
    """An account is connected, loses its session and gets it back."""
    made = control.new()
    key = made.key()["key"]
    added = made.give("POST", "/accounts", {"id": 1002, "state": "sync_lost"})
    lost = made.call(key, "/v1/1002/chats").status_code
    restored = made.give("PATCH", "/accounts/1002", {"state": "connected"})

    assert ("sync_lost", 424) == (added["state"], lost)
    assert ("connected", 200) == (restored["state"], made.call(key, "/v1/1002/chats").status_code)


def test_clock(control: Control) -> None:
    """It is advanced, frozen, let run and reset, for one organization alone."""
    made, other = control.new(), control.new()
    due = [
        ({"advance": 90.5}, "2026-01-31T12:02:00+00:00", "shifted"),
        ({"freeze": True}, "2026-01-31T12:02:00+00:00", "frozen"),
        ({"freeze": "2026-02-01T00:00:00Z"}, "2026-02-01T00:00:00+00:00", "frozen"),
        ({"advance": 60}, "2026-02-01T00:01:00+00:00", "frozen"),
        ({"run": True}, "2026-02-01T00:01:00+00:00", "shifted"),
        ({"reset": True}, "2026-01-31T12:00:30+00:00", "real"),
    ]
    shown = [made.give("POST", "/clock", move) for move, _, _ in due]

    assert [(now, mode) for _, now, mode in due] == [(c["now"], c["mode"]) for c in shown]
    assert "2026-01-31T12:00:30+00:00" == other.give("GET", "/clock")["now"]


def test_advancing_recovers_a_window(control: Control) -> None:
    made = control.new(limit_minute=1)
    key = made.key()["key"]
    statuses = [made.call(key).status_code for _ in range(2)]
    made.give("POST", "/clock", {"advance": 60})

    assert [200, 429, 200] == [*statuses, made.call(key).status_code]


def test_headroom(control: Control) -> None:
    """It is read and set, one window or both, and costs nothing."""
    made = control.new(limit_minute=5, limit_day=9)
    whole = made.give("GET", "/headroom")
    one = made.give("PUT", "/headroom", {"remaining_minute": 1})
    both = made.give("PUT", "/headroom", {"remaining_minute": 5, "remaining_day": 0})
    key = made.key()["key"]

    assert {"limit_minute": 5, "remaining_minute": 5, "limit_day": 9, "remaining_day": 9} == whole
    assert (1, 9) == (one["remaining_minute"], one["remaining_day"])
    assert (5, 0) == (both["remaining_minute"], both["remaining_day"])
    assert "rate.day" == made.call(key).headers["X-Mock-Rule"]


def test_faults(control: Control) -> None:
    """A fault fails the requests that it is for, as often as it was asked to, and is charged."""
    made = control.new()
    key = made.key()["key"]
    made.give(
        "POST", "/faults", {"status": 503, "operation": "listTags", "times": 2, "message": "Away."}
    )
    tags, answers = "/v1/1001/tags", []
    for path in ("/v1/accounts", tags, tags, tags):
        answers.append(made.call(key, path))
    planted = made.give("GET", "/faults")["faults"]
    cleared = made.give("DELETE", "/faults")

    assert [200, 503, 503, 200] == [answer.status_code for answer in answers]
    assert {"error": "Away."} == answers[1].get_json()
    assert (996, 2) == (made.give("GET", "/headroom")["remaining_minute"], planted[0]["uses"])
    assert {"faults": []} == cleared


def test_journal(control: Control) -> None:
    """Each exchange with its status and rule; never the key itself; cleared on demand."""
    made = control.new(limit_minute=3)
    key = made.key()["key"]
    client, headers = control.client, {"Authorization": f"Bearer {key}", "User-Agent": "finch/1"}
    client.get("/v1/1001/tags?limit=2", headers=headers)
    client.post("/v1/1001/tags", headers=headers, json={"name": "Decaf"})
    client.get("/v1/1001/tags?limit=x", headers=headers)
    client.get("/v1/1001/tags", headers=headers)
    journal = made.give("GET", "/journal")
    shown = [
        (e["method"], e["query"], e["operation"], e["status"], e["rule"])
        for e in journal["exchanges"]
    ]
    cleared = made.give("DELETE", "/journal")

    assert [
        ("GET", "limit=2", "listTags", 200, None),
        ("POST", "", "createTag", 200, None),
        ("GET", "limit=x", "listTags", 400, "error.400-query"),
        ("GET", "", "listTags", 429, "rate.minute"),
    ] == shown
    assert {"name": "Decaf"} == json.loads(journal["exchanges"][1]["body"])
    assert "finch/1" == journal["exchanges"][0]["headers"]["user-agent"]
    assert key not in json.dumps(journal)
    assert (4, 0) == (journal["total"], cleared["total"])
    assert cleared == made.give("GET", "/journal")


def test_reset_of_an_organization(control: Control) -> None:
    """Records, windows, clock, journal and faults are as when it was made; its keys go on working."""
    made = control.new(limit_minute=9)
    key = made.key()["key"]
    control.client.post("/v1/1001/tags", headers={"X-API-Key": key}, json={"name": "Seasonal"})
    made.give("PATCH", "", {"subscription": "none", "limit_minute": 1})
    made.give("POST", "/clock", {"advance": 60})
    made.give("POST", "/faults", {"status": 500})
    made.give("PATCH", "/accounts/1001", {"state": "sync_lost"})
    reset = made.give("POST", "/reset")

    assert reset == made.shown | {"keys": reset["keys"]}
    assert 0 == made.give("GET", "/journal")["total"]
    assert [] == made.give("GET", "/faults")["faults"]
    assert "real" == made.give("GET", "/clock")["mode"]
    assert 9 == made.give("GET", "/headroom")["remaining_minute"]
    assert "Seasonal" not in made.call(key, "/v1/1001/tags?limit=100").text


def test_reset_of_the_world(own: Control) -> None:
    """The seeded organizations are as at the start, and no other is left."""
    made = own.new()
    own.give("PATCH", "/organizations/lark", {"subscription": "none"})
    before = own.give("GET", "/")["organizations"]
    after = own.give("POST", "/reset")["organizations"]

    assert before == after + 1
    assert "active" == own.give("GET", "/organizations/lark")["subscription"]
    assert 404 == made.ask("GET").status_code


MISUSE: dict[str, tuple[str, str, Any, str]] = {
    "unknown-member": ("POST", "/organizations", {"limits": 5}, "limits"),
    "bad-id": ("POST", "/organizations", {"id": "a/b"}, "id"),
    "bad-id-in-path": ("PUT", "/organizations/a.b", {}, "organization"),
    "two-ids": ("PUT", "/organizations/crane", {"id": "other"}, "id"),
    "negative-limit": ("POST", "/organizations", {"limit_minute": -1}, "limit_minute"),
    "fractional-limit": ("POST", "/organizations", {"limit_day": 1.5}, "limit_day"),
    "bad-mode": ("POST", "/organizations", {"mode": "on"}, "mode"),
    "bad-subscription": ("POST", "/organizations", {"subscription": "paid"}, "subscription"),
    "account-without-number": ("POST", "/organizations", {"accounts": [{"id": "x"}]}, "accounts"),
    "account-twice": ("POST", "/organizations", {"accounts": [{"id": 5}, {"id": 5}]}, "5"),
    "no-object": ("POST", "/organizations", [], "the body"),
    "change-unknown-member": ("PATCH", ORG, {"owner": "x"}, "owner"),
    "change-negative-limit": ("PATCH", ORG, {"limit_day": -1}, "limit_day"),
    "unknown-permission": ("POST", f"{ORG}/keys", {"permissions": ["api_tag_list"]}, "api_tag_list"),
    "permissions-text": ("POST", f"{ORG}/keys", {"permissions": "all"}, "permissions"),
    "bad-expiry": ("POST", f"{ORG}/keys", {"expires": "soon"}, "soon"),
    "bad-revoked": ("POST", f"{ORG}/keys", {"revoked": "yes"}, "revoked"),
    "bad-state": ("POST", f"{ORG}/accounts", {"state": "lost"}, "state"),
    "no-state": ("PATCH", f"{ORG}/accounts/1001", {}, "state"),
    "clock-nothing": ("POST", f"{ORG}/clock", {}, ""),
    "clock-two-moves": ("POST", f"{ORG}/clock", {"advance": 1, "run": True}, ""),
    "clock-back": ("POST", f"{ORG}/clock", {"advance": -1}, ""),
    "clock-no-number": ("POST", f"{ORG}/clock", {"advance": "1"}, "advance"),
    "clock-too-far": ("POST", f"{ORG}/clock", {"advance": 1e300}, "advance"),
    "clock-no-time": ("POST", f"{ORG}/clock", {"freeze": "noon"}, "noon"),
    "clock-unfreeze": ("POST", f"{ORG}/clock", {"freeze": False}, "freeze"),
    "headroom-over": ("PUT", f"{ORG}/headroom", {"remaining_minute": 1_001}, "1000"),
    "headroom-under": ("PUT", f"{ORG}/headroom", {"remaining_day": -1}, "remaining"),
    "headroom-unknown": ("PUT", f"{ORG}/headroom", {"minute": 1}, "minute"),
    "fault-success": ("POST", f"{ORG}/faults", {"status": 200}, "status"),
    "fault-never": ("POST", f"{ORG}/faults", {"status": 500, "times": 0}, "times"),
    "fault-unknown-operation": ("POST", f"{ORG}/faults", {"status": 500, "operation": "listTag"}, "listTag"),
    "fault-no-number": ("POST", f"{ORG}/faults", {"status": "500"}, "status"),
    "fault-beyond-time": ("POST", f"{ORG}/faults", {"lifetime": 1e300}, "lifetime"),
    "fault-long-pattern": ("POST", f"{ORG}/faults", {"path": "[" * 50_000}, "path"),
    "fault-long-operation": ("POST", f"{ORG}/faults", {"operation": "a" * 50_000}, "operation"),
    "limit-beyond-integers": ("POST", "/organizations", {"limit_day": 1e300}, "limit_day"),
    "account-beyond-the-contract": ("POST", f"{ORG}/accounts", {"id": 2**63}, "id"),
    "long-permission": ("POST", f"{ORG}/keys", {"permissions": ["a" * 50_000]}, "permissions"),
    "offset-beyond-integers": ("GET", f"/organizations?offset={2**63 - 1}", None, "offset"),
    "long-pattern": ("GET", f"{ORG}/journal?path=" + "[" * 50_000, None, "path"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISUSE)
def test_misuse(case: str, control: Control) -> None:
    """400 with one line that names what is wrong; the organization stays as it was."""
    method, path, body, named = MISUSE[case]
    made = control.new()
    before = made.give("GET"), made.give("GET", "/headroom"), made.give("GET", "/clock")
    total = control.give("GET", "/")["organizations"]
    answer = control.ask(method, path.format(id=made.id), body)

    assert 400 == answer.status_code, answer.text
    assert named in answer.get_json()["error"]
    assert before == (made.give("GET"), made.give("GET", "/headroom"), made.give("GET", "/clock"))
    assert total == control.give("GET", "/")["organizations"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/organizations/nobody"),
        ("PATCH", "/organizations/nobody"),
        ("DELETE", "/organizations/nobody"),
        ("POST", "/organizations/nobody/reset"),
        ("POST", "/organizations/nobody/keys"),
        ("GET", "/organizations/nobody/clock"),
        ("GET", "/organizations/nobody/headroom"),
        ("GET", "/organizations/nobody/faults"),
        ("GET", "/organizations/nobody/journal"),
        ("PATCH", "/organizations/lark/keys/nobody"),
        ("GET", "/nowhere"),
        ("GET", "/organizations/"),
    ],
)
def test_not_there(method: str, path: str, control: Control) -> None:
    """404, flat, whatever isn't there."""
    answer = control.ask(method, path, {} if method != "GET" else None)

    assert 404 == answer.status_code, answer.text


def test_account_not_there(control: Control) -> None:
    made = control.new()

    assert 404 == made.ask("PATCH", "/accounts/77", {"state": "sync_lost"}).status_code


@pytest.mark.parametrize("thing", ["organization", "account"])
def test_taken(thing: str, control: Control) -> None:
    """What is there already can't be made a second time."""
    made = control.new()
    if thing == "organization":
        answer = control.ask("POST", "/organizations", {"id": made.id})
    else:
        answer = made.ask("POST", "/accounts", {"id": 1001})

    assert 409 == answer.status_code
    assert "already" in answer.get_json()["error"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_unknown_method(method: str, control: Control) -> None:
    answer = control.ask(method, "/organizations")

    assert 405 == answer.status_code
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))


@pytest.mark.parametrize("data", [b"{", b"\xff", b'{"name": NaN}', b"[" * 100_000, b"\x00"])
def test_bodies_that_are_no_json(data: bytes, control: Control) -> None:
    answer = control.ask("POST", "/organizations", data=data, content_type=JSON_TYPE)

    assert 400 == answer.status_code
    assert "not valid JSON" in answer.get_json()["error"]


STRANGERS: dict[str, dict[str, Any]] = {
    "origin": {"headers": {"Origin": "http://localhost:4010"}},
    "origin-null": {"headers": {"Origin": "null"}},
    "other-port": {"headers": {"Host": "127.0.0.1:4010", "Origin": "http://127.0.0.1:4011"}},
    "other-scheme": {"headers": {"Host": "127.0.0.1:4010", "Origin": "https://127.0.0.1:4010"}},
    "rebound-origin": {"headers": {"Host": "evil.example", "Origin": "http://evil.example"}},
    "cross-site": {"headers": {"Sec-Fetch-Site": "cross-site"}},
    "same-site": {"headers": {"Sec-Fetch-Site": "same-site"}},
    "other-host": {"headers": {"Host": "evil.example"}},
    "rebound-host": {"headers": {"Host": "127.0.0.1.evil.example:4010"}},
    "host-and-path": {"headers": {"Host": "evil.example/localhost"}},
    "other-address": {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}},
    "no-address": {"environ_overrides": {"REMOTE_ADDR": ""}},
    "odd-address": {"environ_overrides": {"REMOTE_ADDR": "localhost"}},
    "useless-token": {
        "headers": {"X-Mock-Token": "x"},
        "environ_overrides": {"REMOTE_ADDR": "192.0.2.7"},
    },
}


@pytest.mark.parametrize("case", STRANGERS)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/reset")], ids=["get", "post"]
)
def test_refuses_strangers(case: str, method: str, path: str, control: Control) -> None:
    """Web pages and other machines get 403, and nothing is done."""
    made = control.new()
    answer = control.ask(method, path, **STRANGERS[case])

    assert 403 == answer.status_code
    assert made.give("GET")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"headers": {"Host": "localhost:4010"}}, id="localhost"),
        pytest.param({"headers": {"Host": "127.0.0.1"}}, id="ipv4"),
        pytest.param({"headers": {"Host": "[::1]:4010"}}, id="ipv6"),
        pytest.param({"headers": {"Host": "[::1]"}}, id="ipv6-without-port"),
        pytest.param({"environ_overrides": {"REMOTE_ADDR": "::1"}}, id="from-ipv6"),
        pytest.param({"environ_overrides": {"REMOTE_ADDR": "127.8.8.8"}}, id="from-loopback"),
        pytest.param({"headers": {"Sec-Fetch-Site": "none"}}, id="typed-into-a-browser"),
        pytest.param(
            {"headers": {"Host": "127.0.0.1:4010", "Origin": "http://127.0.0.1:4010"}},
            id="its-own-page",
        ),
    ],
)
def test_lets_loopback_in(options: dict[str, Any], control: Control) -> None:
    assert 200 == control.ask("GET", "/", **options).status_code


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"X-Mock-Token": "s3cret"}, 200, id="right"),
        pytest.param({}, 403, id="missing"),
        pytest.param({"X-Mock-Token": ""}, 403, id="empty"),
        pytest.param({"X-Mock-Token": "s3cre"}, 403, id="wrong"),
        pytest.param({"X-Mock-Token": "s3cret\u00e9"}, 403, id="no-ascii"),
        pytest.param({"X-Mock-Token": "s3cret", "Origin": "http://evil.example"}, 403, id="origin"),
    ],
)
@pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7"])
def test_token(address: str, headers: dict[str, str], status: int) -> None:
    """With a token set, it is needed from everywhere and enough from anywhere, but for web pages."""
    client = create_app(token="s3cret").test_client()
    options: Any = {"environ_overrides": {"REMOTE_ADDR": address}}
    answer = client.get("/_mock/", headers={"Host": "mock.example", **headers}, **options)

    assert status == answer.status_code


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "s3cret\n", "s\u00e9cret", "\x1b[31m"], ids=ascii
)
def test_refuses_tokens_that_guard_nothing(token: str) -> None:
    """An empty one, as of a variable that isn't set, would let everybody in."""
    with pytest.raises(Misuse, match="token"):
        create_app(token=token)


def test_the_mocked_api_has_no_guard(control: Control) -> None:
    """Strangers may use the mocked API: it has keys of its own."""
    key = control.new().key()["key"]
    headers = {"X-API-Key": key, "Origin": "http://evil.example", "Host": "public-api.example"}

    assert 200 == control.client.get("/v1/accounts", headers=headers).status_code


def test_control_is_free(control: Control) -> None:
    """No control call moves a window or is recorded."""
    made = control.new()
    for path in ("", "/headroom", "/clock", "/journal", "/faults"):
        made.give("GET", path)

    assert 1_000 == made.give("GET", "/headroom")["remaining_minute"]
    assert 0 == made.give("GET", "/journal")["total"]


@pytest.mark.parametrize("path", ["", "/"])
def test_summary_without_and_with_a_slash(path: str, control: Control) -> None:
    assert 200 == control.client.get(f"/_mock{path}").status_code


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "key"),
        (418, "Teapot"),
        (420, "refused"),
        (429, "rate limit"),
        (500, "OnlyFans"),
        (503, "OnlyFans"),
        (599, "OnlyFans"),
    ],
)
def test_a_planted_refusal_says_what_fits_its_status(
    status: int, said: str, control: Control
) -> None:
    made = control.new()
    key = made.key()["key"]
    made.give("POST", "/faults", {"status": status})
    answer = made.call(key)

    assert status == answer.status_code
    assert said in answer.get_json()["error"]


def test_whole_numbers_are_integers(control: Control) -> None:
    """JSON Schema takes 3.0 for an integer, so it has to be shown and counted as one."""
    shown = control.give(
        "POST", "/organizations", {"limit_minute": 3.0, "accounts": [{"id": 1001.0}], "keys": [{}]}
    )
    made = Made(control, shown)
    made.give("POST", "/faults", {"status": 429.0, "retry_after": 5.0})
    refused, passed = (made.call(shown["keys"][0]["key"]) for _ in range(2))

    assert "5" == refused.headers["Retry-After"]
    assert '"limit_minute":3,' in passed.text
    assert '"remaining_minute":2,' in passed.text
    assert '"id":1001,' in control.ask("GET", f"/organizations/{made.id}").text


@pytest.mark.parametrize("number", ["9" * 30, "-" + "9" * 30, "0x" + "f" * 10_000])
def test_numbers_that_json_lacks(number: str, control: Control) -> None:
    """YAML has integers of any size; one that can't be shown again isn't taken."""
    total = control.give("GET", "/")["organizations"]
    answer = control.ask(
        "POST",
        "/organizations",
        data=f"limit_minute: {number}".encode(),
        content_type="application/yaml",
    )

    assert 400 == answer.status_code
    assert "larger than 64 bits" in answer.get_json()["error"]
    assert total == control.give("GET", "/")["organizations"]


def test_a_wrong_choice_names_all_right_ones(control: Control) -> None:
    made = control.new()
    refused = made.ask("POST", "/faults", {"kind": "boom"}).get_json()["error"]
    text = control.client.post(
        f"/_mock{ORG.format(id=made.id)}/state", data=b"a: b", content_type="text/plain"
    )

    assert refused.startswith('kind: "boom" is none of "status", "latency", ')
    assert "content_type" in refused
    assert "text/plain" in text.get_json()["error"]
