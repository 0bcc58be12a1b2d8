"""The contract's document: any file is one that can be served, or refused in one line that names it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from mockserver.cache import CACHE_VARIABLE
from mockserver.contract import load_contract
from mockserver.data import default_spec
from mockserver.errors import ContractError
from tests.fuzz.harness import Attempt, budget, corpus, outcome
from tests.fuzz.mutation import YAML_WORDS, mutated_bytes, mutated_value

PATHS = ("/v1/{account_id}/tags", "/v1/{account_id}/tags/{tag_id}", "/health")
_REFERENCE = re.compile(r'"#/components/(\w+)/(\w+)"')


def small() -> dict[str, Any]:
    """Return the tags of the real document, and the components that they need."""
    whole = load_contract().document
    kept = {key: whole[key] for key in ("openapi", "info", "security")}
    kept["paths"] = {path: whole["paths"][path] for path in PATHS}
    kept["components"] = {"securitySchemes": whole["components"]["securitySchemes"]}
    while True:
        named = set(_REFERENCE.findall(json.dumps(kept)))
        missing = [(k, n) for k, n in sorted(named) if n not in kept["components"].get(k, {})]
        if not missing:
            return kept
        for kind, name in missing:
            kept["components"].setdefault(kind, {})[name] = whole["components"][kind][name]


VALUE = small()
TEXTS = [json.dumps(VALUE, indent=1).encode(), default_spec().read_bytes()[:8_000]]


@pytest.fixture(scope="module")
def attempt(tmp_path_factory: pytest.TempPathFactory) -> Attempt:
    """Return what reads bytes as a contract, without the cache."""
    file = tmp_path_factory.mktemp("contract") / "openapi.yaml"

    def attempted(data: bytes) -> None:
        file.write_bytes(data)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(CACHE_VARIABLE, "/dev/null/none")
            outcome(lambda: list(load_contract(file)), ContractError, file)

    return attempted


def test_small_is_a_contract(attempt: Attempt, tmp_path: Path) -> None:
    """What is changed is right before."""
    (tmp_path / "small.yaml").write_bytes(TEXTS[0])

    assert 4 == len(load_contract(tmp_path / "small.yaml"))


@pytest.mark.parametrize("kept", corpus("contract"))
def test_kept(kept: Path, attempt: Attempt) -> None:
    if kept.suffix == ".json":  # changes of the small document: pointer and value
        value = json.loads(json.dumps(VALUE))
        for pointer, member in json.loads(kept.read_text()).items():
            *way, last = pointer.split(" > ")
            holder = value
            for step in way:
                holder = holder[step]
            holder[last] = member
        attempt(json.dumps(value).encode())
    else:
        attempt(kept.read_bytes())


@budget(15)
@given(data=mutated_bytes(TEXTS, YAML_WORDS))
def test_any_text(data: bytes, attempt: Attempt) -> None:
    attempt(data)


@budget(25)
@given(value=mutated_value(VALUE))
def test_any_value(value: Any, attempt: Attempt) -> None:
    attempt(json.dumps(value).encode())
