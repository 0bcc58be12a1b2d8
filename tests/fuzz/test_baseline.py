"""Baselines: any file is one, or refused in one line that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from contract_tests.baseline import BaselineError, read_baseline
from mockserver.yamlfile import load_yaml
from tests.fuzz.harness import CORPUS, Attempt, budget, corpus, outcome
from tests.fuzz.mutation import YAML_WORDS, mutated_bytes, mutated_value

if TYPE_CHECKING:
    from mockserver.contract import Contract

BASES = [file.read_bytes() for file in sorted((CORPUS / "baseline").rglob("*.yaml"))]
VALUES = [load_yaml(file.read_bytes()) for file in (CORPUS / "baseline" / "seeds").glob("*.yaml")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the baselines are written, one after another."""
    return tmp_path_factory.mktemp("baseline") / "baseline.yaml"


@pytest.fixture(scope="module")
def attempt(file: Path, contract: Contract) -> Attempt:
    """Return what reads bytes as a baseline."""

    def attempted(data: bytes) -> None:
        file.write_bytes(data)
        outcome(lambda: read_baseline(file, contract), BaselineError, file)

    return attempted


@pytest.mark.parametrize("kept", corpus("baseline"))
def test_kept(kept: Path, attempt: Attempt) -> None:
    attempt(kept.read_bytes())


@budget(60)
@given(data=mutated_bytes(BASES, YAML_WORDS))
def test_any_text(data: bytes, attempt: Attempt) -> None:
    attempt(data)


@budget(60)
@given(value=mutated_value(*VALUES))
def test_any_value(value: Any, attempt: Attempt) -> None:
    attempt(json.dumps(value).encode())
