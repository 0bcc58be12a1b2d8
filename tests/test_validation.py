"""The sixth step: path, query and body must be what the contract says, or 400 with a sentence on it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from mockserver import rules
from mockserver.contract import Schemas
from mockserver.rules import Rule

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.contract import Contract, Operation, Parameter
    from tests.conftest import NewTenant, Tenant

NO_INTEGERS = [
    "x",
    "",
    " ",
    "1.5",
    "1e3",
    "0x1",
    " 1",
    "+1",
    "1,000",
    "NaN",
    "true",
    "null",
    "\u0661",
]
NO_DATES = [
    "", "yesterday", "1769860800", "2026", "2026-1-1", "31.01.2026", "2026-00-10", "2026-13-01",
    "2026-01-00", "2026-01-32", "2026-01-31T24:00:00", "2026-01-31 10:60:00", "1969-12-31",
    "2026-01-31 10:00", "2026-01-31Z", " 2026-01-31 10:00:00", "2026-01-31 10:00:00x",
    "2026-02-29", "2026-02-30", "2024-02-30", "2100-02-28", "2026-04-31", "2026-11-31 10:00:00",
]  # fmt: skip


WRONG_VALUES: tuple[Any, ...] = (
    {}, [], [{}], [""], "", "no_such", -1, 1.5, True, None, "x" * 100_000,
)  # fmt: skip


def wrong_texts(parameter: Parameter) -> list[str]:
    """Return texts that the parameter's schema doesn't allow."""
    schema = parameter.schema
    if parameter.type == "integer":
        low, high = schema.get("minimum"), schema.get("maximum")
        edges = [low - 1 if low is not None else None, high + 1 if high is not None else None]
        return NO_INTEGERS + [str(edge) for edge in edges if edge is not None]
    if "enum" in schema:
        first = f"{schema['enum'][0]}"
        return ["no_such", "", f"{first} ", first.title() + ".", first.upper()]
    if "pattern" in schema and parameter.name.endswith("_date"):
        return NO_DATES
    return ["no such!", "-1"] if "pattern" in schema else []


def outcome(response: TestResponse) -> tuple[int, str | None]:
    return response.status_code, response.headers.get("X-Mock-Rule")


def rule_of(parameter: Parameter, text: str) -> Rule:
    """Return the rule by which a wrong text is refused: what no page calls bad is doubtful."""
    listed = parameter.schema.get("enum", ())
    number = parameter.type == "integer" and re.fullmatch("-?[0-9]+", text)
    in_path = parameter.location == "path" and not listed
    if not text or number or in_path or text.lower() in listed:
        return rules.DOUBTFUL
    return rules.BAD_ENUM if listed else rules.BAD_QUERY


@pytest.mark.shows(rules.BAD_QUERY, rules.BAD_ENUM, rules.DOUBTFUL, rules.FLAT)
@pytest.mark.parametrize("location", ["query", "path"])
def test_parameters(location: str, contract: Contract, tenant: Tenant) -> None:
    """Every parameter of every operation refuses each wrong value, names itself, and shows the value."""
    tenant.organization.windows.set_limits(minute=100_000, day=100_000)
    records, tried, wrong = tenant.records(), 0, []
    for operation in contract:
        for parameter in (p for p in operation.parameters if p.location == location):
            for text in wrong_texts(parameter):
                if location == "path" and not text.strip():
                    continue  # then it is another route
                where = "query" if location == "query" else "path_arguments"
                changes: dict[str, Any] = {where: {parameter.name: text}}
                answer = tenant.call(operation, **changes)
                tried += 1
                rule = rule_of(parameter, text)
                if outcome(answer) != (400, rule.id) or parameter.name not in answer.text:
                    wrong.append((operation.id, parameter.name, text, answer.text))

    assert [] == wrong
    assert tried > 50
    assert records == tenant.records()


@pytest.mark.shows(rules.BAD_QUERY)
def test_repeated_parameters(contract: Contract, tenant: Tenant) -> None:
    """A parameter that takes one value can't be sent twice, even with the same one."""
    wrong, tried = [], 0
    for operation in contract:
        for p in operation.query_parameters:
            if p.type != "array":
                value = p.default or p.example or (p.schema.get("enum") or ["5"])[0]
                answer = tenant.call(operation, query={p.name: [value, value]})
                tried += 1
                if answer.status_code != 400 or p.name not in answer.text:
                    wrong.append((operation.id, p.name, answer.status_code, answer.text))

    assert [] == wrong
    assert tried


@pytest.mark.shows(rules.BAD_QUERY)
def test_required_parameters(contract: Contract, tenant: Tenant) -> None:
    """What is required can't be left out."""
    cases = [(op, p) for op in contract for p in op.query_parameters if p.required]
    wrong = []
    for operation, p in cases:
        others = {q.name: q.example for q in operation.query_parameters if q.required and q != p}
        path = operation.path.format(**{q.name: q.example for q in operation.path_parameters})
        answer = tenant.follow(f"{path}?{urlencode(others)}")
        if outcome(answer) != (400, rules.BAD_QUERY.id) or p.name not in answer.text:
            wrong.append((operation.id, p.name, answer.status_code, answer.text))

    assert cases
    assert [] == wrong


@pytest.mark.shows(rules.BAD_QUERY)
def test_exclusive_parameters(contract: Contract, tenant: Tenant) -> None:
    """Parameters that exclude each other are fine alone and refused together."""
    cases = [(op, names) for op in contract for names in op.exclusive]
    found = {}
    for operation, names in cases:
        values = {name: value_of(operation, name) for name in names}
        alone = [
            tenant.call(operation, query={name: value}).status_code
            for name, value in values.items()
        ]
        together = tenant.call(operation, query=values)
        found[operation.id, names] = (set(alone), together.status_code)

    assert cases
    assert {(op.id, names): ({200}, 400) for op, names in cases} == found


def value_of(operation: Operation, name: str) -> Any:
    """Return a value that a parameter takes."""
    p = next(p for p in operation.query_parameters if p.name == name)
    return p.example or p.default or (p.schema.get("enum") or [801])[0]


@pytest.mark.shows(rules.BAD_BODY, rules.FLAT)
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="none"),
        pytest.param(b" ", id="space"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"{'name': 1}", id="single-quotes"),
        pytest.param(b'{"a": 1,}', id="trailing-comma"),
        pytest.param(b'{"a": 1} {"b": 2}', id="two-values"),
        pytest.param(b'{"a": NaN}', id="nan"),
        pytest.param(b'{"a": Infinity}', id="infinity"),
        pytest.param(b'{"a": 01}', id="leading-zero"),
        pytest.param(b'{"a": "\xff"}', id="no-utf8"),
        pytest.param(b'{"a": "\\ud800"}', id="lone-surrogate"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte-order-mark"),
        pytest.param('{"a": 1}'.encode("utf-16"), id="utf-16"),
        pytest.param(b'{"a": "\x00"}', id="nul"),
        pytest.param(b"\x00", id="nul-alone"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="array"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"5", id="number"),
        pytest.param(b"name=Decaf", id="form"),
    ],
)
def test_bodies_that_are_no_object(data: bytes, operation: Operation, tenant: Tenant) -> None:
    """A body must be a JSON object, or 400 without effect."""
    records = tenant.records()
    answer = tenant.call(operation, data=data, headers={"Content-Type": "application/json"})

    assert (400, rules.BAD_BODY.id) == outcome(answer), answer.text
    assert records == tenant.records()


@pytest.mark.shows(rules.BAD_BODY)
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 400),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("multipart/form-data; boundary=x", 400),
        ("application/jsonp", 400),
        ("application/json, text/plain", 400),
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON ;charset=UTF-8", 200),
    ],
)
def test_content_type(content_type: str, status: int, operation: Operation, tenant: Tenant) -> None:
    """A body comes as application/json, with whatever parameters."""
    answer = tenant.call(operation, headers={"Content-Type": content_type})

    assert status == answer.status_code, answer.text


@pytest.mark.shows(rules.BAD_BODY)
def test_members(operation: Operation, contract: Contract, tenant: Tenant) -> None:
    """Whatever value the schema of the body forbids is refused, member by member, without effect."""
    schema = Schemas(contract.document).validator(str(operation.body))
    records, refused, wrong = tenant.records(), 0, []
    for name in sorted(operation.body_members):
        for value in WRONG_VALUES:
            body = {**operation.body_example, name: value}
            if schema.is_valid(body):
                continue
            answer, refused = tenant.call(operation, body=body), refused + 1
            if answer.status_code != 400 or "\n" in answer.get_json()["error"]:
                wrong.append((name, value, answer.status_code, answer.text))

    assert [] == wrong
    assert refused
    assert records == tenant.records()


@pytest.mark.shows(rules.BAD_BODY)
def test_required_members(operation: Operation, contract: Contract, tenant: Tenant) -> None:
    """A body without one of the members it needs is refused with the member's name."""
    schema = Schemas(contract.document).validator(str(operation.body))
    lacking = {
        name: {k: v for k, v in operation.body_example.items() if k != name}
        for name in operation.body_example
    }
    needed = {name: body for name, body in lacking.items() if not schema.is_valid(body)}
    answers = {name: tenant.call(operation, body=body) for name, body in needed.items()}

    assert dict.fromkeys(needed, 400) == {n: a.status_code for n, a in answers.items()}


PROMOTION = {"type": "new", "subscribeCounts": 0, "subscribeDays": 7, "finishDays": 0}


@pytest.mark.parametrize(
    ("operation", "body", "rule"),
    [
        ("sortVaultLists", {"sort": "colour", "order": "asc"}, rules.BAD_ENUM),
        ("sortVaultLists", {"sort": "Name", "order": "asc"}, rules.DOUBTFUL),
        ("createPromotion", {**PROMOTION, "discount": 101}, rules.BAD_BODY),
        ("likeMessage", {"withUserId": "x"}, rules.BAD_BODY),
        ("likeMessage", {"withUserId": 0}, rules.DOUBTFUL),
        ("createPost", {"text": "", "price": -1}, rules.DOUBTFUL),
    ],
    ids=["enum", "case", "bounds", "type", "our-bounds", "our-least"],
)
def test_members_name_their_rules(
    operation: str, body: dict[str, Any], rule: Rule, tenant: Tenant
) -> None:
    """Bounds that a page states are documented; those that it doesn't, and another case, are doubtful."""
    answer = tenant.call(operation, body=body)

    assert (400, rule.id) == outcome(answer), answer.text


@pytest.mark.shows(rules.BAD_BODY)
def test_unknown_members_are_ignored(operation: Operation, tenant: Tenant) -> None:
    """Members that the contract doesn't name change nothing and are kept nowhere."""
    body = {**operation.body_example, "zz_unknown": "zz_value"}
    answer = tenant.call(operation, body=body)

    assert 200 == answer.status_code, answer.text
    assert "zz_" not in json.dumps([answer.get_json(), tenant.records()])


@pytest.mark.shows(rules.BEARER)
def test_unknown_parameters_are_ignored(operation: Operation, tenant: Tenant) -> None:
    """Query parameters that the contract doesn't name change nothing."""
    answer = tenant.call(operation, query={"zz_unknown": "zz_value", "": "x", "limit[]": "x"})

    assert 200 == answer.status_code, answer.text
    assert "zz_" not in answer.text


def test_bodies_that_nobody_asked_for_are_ignored(
    contract: Contract, new_tenant: NewTenant
) -> None:
    """An operation without a body doesn't look at one."""
    headers = {"Content-Type": "text/plain"}
    statuses = {
        op.id: new_tenant().call(op, data=b"{no JSON", headers=headers).status_code
        for op in contract
        if op.body is None
    }

    assert dict.fromkeys(statuses, 200) == statuses


@pytest.mark.shows(rules.BAD_QUERY)
def test_defaults(operation: Operation, new_tenant: NewTenant) -> None:
    """Leaving a parameter out means its default."""
    defaults = {p.name: p.default for p in operation.query_parameters if p.default is not None}

    assert new_tenant().data(operation) == new_tenant().data(operation, query=defaults)


def test_large_limits_are_clamped_where_the_page_says_so(
    contract: Contract, tenant: Tenant
) -> None:
    """There, more than the most is as much as the most; elsewhere it is 400."""
    capped = [op for op in contract if op.pagination and op.pagination.cap]
    strict = [
        op
        for op in contract
        for p in op.query_parameters
        if p.name == "limit" and "maximum" in p.schema
    ]
    data = {
        op.id: [tenant.data(op, query={"limit": limit}) for limit in (200, 201, 10**9)]
        for op in capped
    }
    refused = {op.id: tenant.call(op, query={"limit": 10**9}).status_code for op in strict}

    assert len(capped) >= 3
    assert not [id for id, (most, over, huge) in data.items() if not most == over == huge]
    assert dict.fromkeys(refused, 400) == refused


@pytest.mark.parametrize(
    ("operation", "query", "error"),
    [
        pytest.param(
            "listTags",
            {"limit": "500"},
            "limit must be an integer between 1 and 100, got '500'.",
            id="bounds",
        ),
        pytest.param(
            "listTags",
            {"offset": "-1"},
            "offset must be an integer of at least 0, got '-1'.",
            id="low",
        ),
        pytest.param(
            "getEarningsChart",
            {"by": "day"},
            "by must be one of total, subscribes, tips, post, chat_messages, stream, got 'day'.",
            id="enum",
        ),
        pytest.param(
            "listScheduledItems",
            {"start_date": "2026-02-30"},
            "start_date must be a day of the calendar from 1970 to 2099 (inferred), as `YYYY-MM-DD`, got '2026-02-30'.",
            id="day",
        ),
        pytest.param(
            "listTags",
            {"limit": "\r\nX-Bad: 1\x00\u202e"},
            r"limit must be an integer between 1 and 100, got '\r\nX-Bad: 1\x00\u202e'.",
            id="unprintable",
        ),
    ],
)
def test_says_what_came_and_what_is_allowed(
    operation: str, query: dict[str, str], error: str, tenant: Tenant
) -> None:
    assert {"error": error} == tenant.call(operation, query=query).get_json()


@pytest.mark.parametrize("text", ["9" * 400, "9" * 5_000, "-" + "9" * 400, "0" * 500 + "1"])
def test_numbers_too_long_for_python(text: str, tenant: Tenant) -> None:
    """Long digits are refused in one short line, as query and as path."""
    answers = [
        tenant.call("listTags", query={"limit": text}),
        tenant.call("listTags", path_arguments={"account_id": text}),
    ]

    assert {400} == {answer.status_code for answer in answers}
    assert max(len(answer.text) for answer in answers) < 200


def test_whole_floats_are_integers(contract: Contract, tenant: Tenant) -> None:
    """JSON Schema knows one 2, however it is written; so does the upload that counts its parts."""
    operation = contract.operations["createSignedUpload"]
    written = json.dumps(operation.body_example).replace('"parts": 2', '"parts": 2.0')
    answer = tenant.call(operation, data=written.encode()).get_json()

    assert 2 == len(answer["data"]["keys"])


@pytest.mark.parametrize(
    ("operation", "changes", "error"),
    [
        pytest.param(
            "sortVaultLists",
            {"body": {"sort": "name"}},
            "The body: \"order\" is a required property where sort is 'name'.",
            id="one-form-of-two",
        ),
        pytest.param(
            "sendMassMessage",
            {"body": {"text": "t", "userLists": []}},
            'The body: userLists: [] has less than 1 item, or "userIds" is a required property.',
            id="either",
        ),
        pytest.param(
            "listUserListMembers",
            {"path_arguments": {"list_id": "bogus"}},
            "list_id must be a list's number or one of fans, following, friends, muted, recent, tagged,"
            " got 'bogus'.",
            id="slug",
        ),
        pytest.param(
            "unsendMessage",
            {"path_arguments": {"message_id": 7000000000003}},
            "The fan wrote this message; only one of the account's own can be unsent.",
            id="state",
        ),
    ],
)
def test_says_it_in_plain_words(
    operation: str, changes: dict[str, Any], error: str, tenant: Tenant
) -> None:
    """No sentence names what only we know: keywords of schemas, or hidden fields."""
    answer = tenant.call(operation, **changes)

    assert (400, {"error": error}) == (answer.status_code, answer.get_json())


@pytest.mark.parametrize("by", ["bogus", "story", ""])
def test_the_overview_passes_on_what_it_is_asked(by: str, tenant: Tenant) -> None:
    """The page says that `by` goes upstream unchecked; a section that the mock doesn't know is none."""
    assert {} == tenant.data("getEarningsOverview", query={"by": by})


def test_every_pattern_says_what_it_means(contract: Contract) -> None:
    """A refusal quotes the schema's description, for a pattern tells nobody anything."""
    silent = [
        f"{operation.id}.{parameter.name}"
        for operation in contract
        for parameter in operation.parameters
        if "pattern" in parameter.schema and "description" not in parameter.schema
    ]

    assert [] == silent


def test_whole_floats_in_lists_are_integers(tenant: Tenant) -> None:
    """An id that came as 30001.0 is answered as it is written elsewhere."""
    sent = tenant.call("sendMessage", body={"text": "Hello.", "previews": [30001.0]})

    assert '"previews":[30001]' in sent.text
