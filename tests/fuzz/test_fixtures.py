"""Fixtures: any directory makes a world that can be looked at, or is refused in one line that names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from mockserver.clock import Clock, isoformat, parse_time
from mockserver.data import default_fixtures
from mockserver.errors import FixtureError
from mockserver.fixtures import read_fixtures
from mockserver.state import dump
from mockserver.world import World
from mockserver.yamlfile import load_yaml
from tests.fuzz.harness import CORPUS, budget, corpus, outcome
from tests.fuzz.mutation import YAML_WORDS, mutated_bytes, mutated_value

if TYPE_CHECKING:
    from mockserver.contract import Contract

KEPT = CORPUS / "fixtures"
WORLDS = [(default_fixtures() / "world.yaml").read_bytes()]
PLANS = [file.read_bytes() for file in sorted((default_fixtures() / "collections").glob("*.yaml"))]
STATES = [file.read_bytes() for file in sorted((KEPT / "state").glob("*"))]
PLACES = {
    "world": "world.yaml",
    "collection": "collections/x.yaml",
    "state": "organizations/x.yaml",
}

Put = Callable[[str, bytes], None]


def look_at(world: World) -> None:
    """Look at everything that the files led to."""
    for organization in world.organizations.values():
        organization.records(whole=True)
        for account in organization.accounts.values():
            account.records(whole=True)
        isoformat(organization.clock.now())
        json.dumps(dump(organization))
        [key.is_expired(world.clock.now()) for key in organization.keys.values()]


@pytest.fixture(scope="module")
def put(tmp_path_factory: pytest.TempPathFactory, contract: Contract) -> Put:
    """Return what puts one file into a directory of fixtures and builds the world of them."""
    root = tmp_path_factory.mktemp("fixtures")
    clock = Clock()
    clock.freeze(parse_time("2026-01-31T12:00:00Z"))

    def build() -> None:
        look_at(World(read_fixtures(contract, root), contract.permissions, clock))

    def tried(kind: str, data: bytes) -> None:
        for name in ("collections", "organizations"):
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir()
        (root / "world.yaml").write_bytes(WORLDS[0])
        (root / PLACES[kind]).write_bytes(data)
        outcome(build, FixtureError, root)

    return tried


@pytest.mark.parametrize("kept", corpus("fixtures"))
def test_kept(kept: Path, put: Put) -> None:
    put(kept.parent.name, kept.read_bytes())


@budget(50)
@given(data=mutated_bytes(WORLDS, YAML_WORDS))
def test_any_world_text(data: bytes, put: Put) -> None:
    put("world", data)


@budget(50)
@given(value=mutated_value(*map(load_yaml, WORLDS)))
def test_any_world(value: Any, put: Put) -> None:
    put("world", json.dumps(value).encode())


@budget(50)
@given(data=mutated_bytes(PLANS, YAML_WORDS))
def test_any_plan_text(data: bytes, put: Put) -> None:
    put("collection", data)


@budget(100)
@given(value=mutated_value(*map(load_yaml, PLANS)))
def test_any_plan(value: Any, put: Put) -> None:
    put("collection", json.dumps(value).encode())


@budget(100)
@given(value=mutated_value(*map(load_yaml, STATES)))
def test_any_state(value: Any, put: Put) -> None:
    put("state", json.dumps(value).encode())
