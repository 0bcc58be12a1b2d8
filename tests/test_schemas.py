"""The validators of a document: of every schema in it, and made without the rest of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mockserver.contract import Contract, Schemas
from mockserver.contract.schemas import _leading_to_schemas

DOCUMENT: dict[str, Any] = {
    "info": {"title": "Tea"},
    "paths": {
        "/teas": {
            "get": {
                "tags": ["tea"],
                "parameters": [
                    {"$ref": "#/components/parameters/page"},
                    {"name": "leaf", "in": "query", "schema": {"$ref": "#/components/schemas/Leaf"}},
                ],
            }
        }
    },
    "components": {
        "parameters": {"page": {"name": "page", "schema": {}}, "none": {"schema": False}},
        "schemas": {"Leaf": {"enum": ["green", "black"]}},
    },
    "definitions": {"Cup": {"properties": {"leaf": {"$ref": "#/components/schemas/Leaf"}}}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("pointer", "fits", "others"),
    [
        pytest.param("#/paths/~1teas/get/parameters/1/schema", ["green"], ["blue"], id="in-a-list"),
        pytest.param("#/components/schemas/Leaf", ["black"], [1], id="shared"),
        pytest.param("#/components/parameters/page/schema", [1, "x"], [], id="anything"),
        pytest.param("#/components/parameters/none/schema", [], [1, "x"], id="nothing"),
        pytest.param("#/definitions/Cup", [{"leaf": "green"}], [{"leaf": 1}], id="definition"),
    ],
)
def test_finds_schemas_wherever_they_are(pointer: str, fits: list[Any], others: list[Any]) -> None:
    validator = Schemas(DOCUMENT).validator(pointer)

    assert [True] * len(fits) == [validator.is_valid(value) for value in fits]
    assert [False] * len(others) == [validator.is_valid(value) for value in others]


def test_a_document_without_any() -> None:
    with pytest.raises(ValueError, match=r"does not exist|unresolvable"):
        Schemas({"info": {"title": "Tea"}}).validator("#/components/schemas/Leaf")


def test_validators_hold_no_texts_and_examples(contract: Contract) -> None:
    """Which are most of a document."""
    held = _leading_to_schemas(contract.document)

    assert {"paths", "components"} == held.keys()
    assert len(orjson.dumps(held)) < len(orjson.dumps(contract.document)) / 2
