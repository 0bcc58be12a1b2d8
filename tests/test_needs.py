"""Records may be short: what the mock looks at has a default, or its lack was refused at the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mockserver import create_app
from mockserver.needs import COLLECTIONS, needs_of
from mockserver.plans import collections_of
from tests.conftest import sample_of

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.contract import Contract, Operation

KEY = {"X-API-Key": "fm_api_test_short"}
WORLD = {
    "roles": {"full": ["*"]},
    "organizations": [
        {
            "id": "short",
            "limit_minute": 1_000_000,
            "accounts": [{"id": 1001, "name": "Short", "username": "short"}],
            "keys": [{"key": KEY["X-API-Key"], "role": "full"}],
        }
    ],
}


def app_with(
    directory: Path, collections: dict[str, Any], *, check_responses: bool = False
) -> MockFlask:
    """Return a mock whose collections hold just these records."""
    (directory / "collections").mkdir()
    (directory / "world.yaml").write_text(yaml.safe_dump(WORLD), encoding="utf-8")
    for name, records in collections.items():
        plan = yaml.safe_dump({"collection": name, "records": records})
        (directory / "collections" / f"{name}.yaml").write_text(plan, encoding="utf-8")
    return create_app(directory, check_responses=check_responses)


def shortened(app: MockFlask, name: str) -> list[dict[str, Any]]:
    """Return the first seeded records of a collection, with nothing in them but what they must have."""
    account = app.mock.world.organizations["heron"].accounts[1001]
    kept = {field.partition(".")[0] for field in needs_of(name).required}
    records = account.collection(name).records()[:5]
    return [{field: record[field] for field in record if field in kept} for record in records]


def status_of(app: MockFlask, operation: Operation) -> tuple[int, str]:
    sample = sample_of(operation)
    answer = app.test_client().open(
        sample.url, method=operation.method, data=sample.payload, headers=KEY | sample.all_headers
    )
    return answer.status_code, answer.text


def test_short_records_answer_every_operation(
    app: MockFlask, contract: Contract, tmp_path: Path
) -> None:
    """No operation fails over a field that a fixture may leave out."""
    short = app_with(tmp_path, {name: shortened(app, name) for name in COLLECTIONS})
    operations = [operation for operation in contract if operation.authenticated]
    answers = {op.id: status_of(short, op) for op in sorted(operations, key=lambda op: op.writes)}

    assert {} == {id: answer for id, answer in answers.items() if answer[0] >= 500}
    assert sum(status == 200 for status, _ in answers.values()) > len(answers) / 2


def test_a_world_without_records_answers_every_read(contract: Contract, tmp_path: Path) -> None:
    empty = app_with(tmp_path, {})
    answers = {op.id: status_of(empty, op) for op in contract if op.authenticated}

    assert {} == {id: answer for id, answer in answers.items() if answer[0] >= 500}


def test_the_mock_looks_at_what_the_contract_names(contract: Contract) -> None:
    """A collection that operations work on by code alone would be refused as unknown in fixtures."""
    assert collections_of(contract) == COLLECTIONS


@pytest.mark.parametrize("slug", ["fans", "following", "friends", "muted", "recent", "tagged"])
def test_built_in_lists_are_always_there(slug: str, tmp_path: Path) -> None:
    """Their slugs are always accepted, so a world that names no lists has them too; fans are on theirs."""
    client = app_with(tmp_path, {"fans": [{"id": 7, "name": "Flo"}]}).test_client()
    answer = client.get(f"/v1/1001/user-lists/{slug}/users", headers=KEY)
    sent = client.post(
        "/v1/1001/mass-messages", headers=KEY, json={"text": "Hello.", "userLists": [slug]}
    )

    assert [7] * (slug == "fans") == [fan["id"] for fan in answer.get_json()["data"]["list"]]
    assert int(slug == "fans") == sent.get_json()["data"]["queue"]["sentCount"]


def test_own_lists_do_not_replace_the_built_in_ones(tmp_path: Path) -> None:
    """A built-in list that the fixtures fill stays as they say; the others join it."""
    lists = [{"id": "muted", "type": "muted", "name": "Quiet", "memberIds": [7]}, {"id": 801}]
    client = app_with(tmp_path, {"fans": [{"id": 7}], "user_lists": lists}).test_client()
    told = client.get("/v1/1001/mass-messages/lists?limit=100", headers=KEY).get_json()["data"]

    assert {
        "muted": 1,
        801: 0,
        "fans": 1,
        "following": 0,
        "friends": 0,
        "recent": 0,
        "tagged": 0,
    } == {item["id"]: item["usersCount"] for item in told["list"]}


def test_says_which_record_would_break_an_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A field that only answers show isn't looked at before; then the client and the log are told, in one line."""
    app = app_with(tmp_path, {"tags": [{"id": 1, "name": 5}]}, check_responses=True)
    operation = app.mock.contract.operations["listTags"]
    status, text = status_of(app, operation)
    sentence = 'The answer would break the contract: data.list.0: "'

    assert (500, sentence) == (status, json.loads(text)["error"][: len(sentence)])
    assert [f"{operation.label}: {json.loads(text)['error']}"] == caplog.messages
    assert not any(record.exc_info for record in caplog.records)
    assert 200 == status_of(app, app.mock.contract.operations["listAccounts"])[0]
