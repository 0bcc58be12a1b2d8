"""What is called wrong is wrong by the contract, and nothing that the contract limits is left out."""

from __future__ import annotations

import orjson
import pytest

from contract_tests.certainty import is_certainly_bad
from contract_tests.checks.mistakes import (
    lists_items,
    lists_members,
    unlisted_members,
    unlisted_values,
    wrong_bodies,
    wrong_values,
)
from contract_tests.exchange import Request
from contract_tests.samples import sample_of
from mockserver.contract import Contract, Operation, Schemas, load_contract

CONTRACT = load_contract()
SCHEMAS = Schemas(CONTRACT.document)
WITH_BODY = [op for op in CONTRACT if op.body is not None]


def test_every_limited_parameter_is_tried() -> None:
    tried = {
        (operation.id, parameter.name)
        for operation in CONTRACT
        for parameter in operation.parameters
        if [*wrong_values(parameter, SCHEMAS), *unlisted_values(CONTRACT.document, parameter)]
    }

    assert tried == {
        (operation.id, parameter.name)
        for operation in CONTRACT
        for parameter in operation.parameters
        if parameter.type != "string" or {"pattern", "enum"} & set(parameter.schema)
    }


def test_text_that_a_pattern_allows_is_not_called_wrong() -> None:
    parameters = [p for op in CONTRACT for p in op.parameters if "pattern" in p.schema]
    texts = {(p.reference, text) for p in parameters for text in wrong_values(p, SCHEMAS)}

    assert texts
    assert not [t for t in texts if SCHEMAS.validator(t[0]).is_valid(t[1])]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.id)
def test_every_wrong_body_is_wrong(operation: Operation) -> None:
    sample = sample_of(operation, 1001, {})
    wrong = [b for b in wrong_bodies(CONTRACT.document, SCHEMAS, sample) if "no JSON" not in b.what]
    validator = SCHEMAS.validator(operation.body or "")

    assert 1 < len(wrong) <= 26
    assert not [b.what for b in wrong if validator.is_valid(orjson.loads(b.body))]


def test_lists_are_found_in_items_and_in_bodies(contract: Contract) -> None:
    document = contract.document
    members = [op for op in contract if lists_members(document, op)]

    assert ["listScheduledItems"] == [op.id for op in contract if lists_items(document, op)]
    assert members
    assert all(list(unlisted_members(document, sample_of(op, 1001, {}))) for op in members)


JSON_TYPE = (("Content-Type", "application/json"),)


@pytest.mark.parametrize(
    ("asked", "query", "body", "bad"),
    [
        ("listTags", "limit=x", b"", True),
        ("listTags", "limit=101", b"", False),
        ("listTags", "offset=-1&limit=", b"", False),
        ("listTags", "limit=101&offset=1.5", b"", True),
        ("listTags", "limit=1&limit=2", b"", False),
        ("listChats", "filter=colour", b"", True),
        ("listChats", "filter=PINNED", b"", False),
        ("listChats", "filter=pinned&list_id=801", b"", True),
        ("listScheduledItems", "type=chat,colour", b"", True),
        ("listScheduledItems", "type=chat,POST", b"", False),
        ("likeMessage", "", b"{", True),
        ("likeMessage", "", b"[]", True),
        ("likeMessage", "", b"{}", True),
        ("likeMessage", "", b'{"withUserId": 0}', False),
        ("likeMessage", "", b"", True),
    ],
)
def test_what_a_page_calls_bad(asked: str, query: str, body: bytes, bad: bool) -> None:
    """Values out of bounds, empty ones and another case are bad by our decision only."""
    operation = CONTRACT.operations[asked]
    sample = sample_of(operation, 1001, {})
    request = Request(operation.method, f"{sample.url}?{query}", JSON_TYPE, (), body)

    assert bad is is_certainly_bad(request, {**sample.path, "account_id": "x"}, operation, SCHEMAS)
