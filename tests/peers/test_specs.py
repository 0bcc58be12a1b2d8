"""The contracts that the benchmark generates are valid, and the mock answers on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers import specs
from benchmarks.peers.calls import KEY, LIST_CHATS
from benchmarks.peers.growth import SIZES
from mockserver import create_app
from mockserver.contract import Contract, Schemas, load_contract


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the cache of these documents apart from the user's."""
    monkeypatch.setenv("FANSMETRIC_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize("size", SIZES)
def test_grown_contract_has_so_many_operations(size: int, tmp_path: Path) -> None:
    file = specs.write(specs.grown(size), tmp_path / "grown.json")
    answer = create_app(spec=file).test_client().get(LIST_CHATS.path, headers=LIST_CHATS.headers)

    assert size == len(load_contract(file))
    assert 200 == answer.status_code


def test_copied_operation_answers_like_its_model(tmp_path: Path) -> None:
    file = specs.write(specs.grown(150), tmp_path / "grown.json")
    client = create_app(spec=file).test_client()
    answers = [
        client.get(path, headers={"X-API-Key": KEY})
        for path in (LIST_CHATS.path, LIST_CHATS.path.replace("/v1", "/v1/copy2"))
    ]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert answers[0].json is not None
    assert answers[1].json is not None
    assert answers[0].json["data"] == answers[1].json["data"]


def test_small_contract_leaves_out_what_it_does_not_use() -> None:
    small, whole = specs.grown(3)["components"]["schemas"], specs.whole()["components"]["schemas"]

    assert len(small) < len(whole) / 4


def test_rewritten_operations_hold_nothing_of_openapi_3_1() -> None:
    document = specs.as_openapi_3_0()

    assert "3.0.3" == document["openapi"]
    assert "$ref" not in json.dumps(document)
    assert [] == [kind for kind in _types(document["paths"]) if not isinstance(kind, str)]


def _types(node: Any) -> list[Any]:
    """Return every `type` of a schema; in 3.1 it may be a list."""
    if isinstance(node, list):
        return [kind for item in node for kind in _types(item)]
    if not isinstance(node, dict):
        return []
    here = [node["type"]] if "type" in node else []
    return here + [kind for value in node.values() for kind in _types(value)]


def test_canned_page_is_a_page_of_the_list(contract: Contract) -> None:
    page = json.loads(specs.page_of_ten())
    list_chats = next(operation for operation in contract if operation.id == "listChats")
    Schemas(contract.document).check(list_chats.success, page)

    assert 10 == len(page["data"]["list"])
