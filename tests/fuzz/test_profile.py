"""The profile of a target: any file is a profile, or refused in one line that names it and shows no key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from contract_tests.profile import ProfileError, read_profile
from mockserver.yamlfile import load_yaml
from tests.fuzz.harness import CORPUS, Attempt, budget, corpus, outcome
from tests.fuzz.mutation import YAML_WORDS, mutated_bytes, mutated_value

if TYPE_CHECKING:
    from mockserver.contract import Contract

SECRET = "fm_api_test_never_shown"
BASES = [file.read_bytes() for file in sorted((CORPUS / "profile").rglob("*.yaml"))]
VALUES = [load_yaml(file.read_bytes()) for file in (CORPUS / "profile" / "seeds").glob("*.yaml")]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the profiles are written, one after another."""
    return tmp_path_factory.mktemp("profile") / "profile.yaml"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a key where the profiles find it."""
    monkeypatch.setenv("FM_KEY", SECRET)


@pytest.fixture(scope="module")
def attempt(file: Path, contract: Contract) -> Attempt:
    """Return what reads bytes as a profile."""

    def read() -> None:
        profile = read_profile(file, contract)
        assert profile.is_loopback in (True, False)
        assert SECRET not in repr(profile)

    def attempted(data: bytes) -> None:
        file.write_bytes(data)
        line = outcome(read, ProfileError, file)
        assert line is None or SECRET not in line

    return attempted


@pytest.mark.parametrize("kept", corpus("profile"))
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
