"""What is announced before the first request is about what is sent then."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contract_tests.exchange import Secret
from contract_tests.gate import Asked, check_target
from contract_tests.profile import Profile
from mockserver import create_app
from mockserver.contract import Contract, load_contract
from mockserver.server import MockServer
from tests.gate.smaller import only

OPERATIONS = ("getHealth", "listChats", "listTags", "createTag", "deleteTag", "getMessage")
NEAR = 0.25
"""The share of what is sent by which the announcement may miss it."""
VERY_NEAR = 0.05
"""The same for a URL alone, of which little depends on what the server answers."""
FEW = 8
_FULL, _REVOKED = (Secret(name, f"fm_api_test_{name}") for name in ("full", "revoked"))
PROFILES = {
    "control": Profile("", allow_writes=True, control=True),
    "writing": Profile("", {"full": _FULL, "revoked": _REVOKED}, accounts={"healthy": 1001}),
    "reading": Profile(
        "", {"full": _FULL, "revoked": _REVOKED}, accounts={"healthy": 1001}, allow_writes=False
    ),
    "key-only": Profile("", {"full": _FULL}),
    "url-only": Profile(""),
}


def said_and_sent(contract: Contract, profile: Profile, *only: str) -> tuple[int, int]:
    """Return the number that is announced, and the one that is sent."""
    said: list[str] = []
    with MockServer(create_app()) as server:
        there = Profile(
            server.url,
            profile.keys,
            accounts=profile.accounts,
            allow_writes=profile.allow_writes,
            control=profile.control,
        )
        outcome = check_target(contract, there, Asked(only=only, fast=True), said.append)
    number = re.search(r"about ([\d,]+) requests?", said[0])
    assert number is not None, said
    return int(number[1].replace(",", "")), outcome.requests


@pytest.mark.parametrize("asked", ["", "auth", "rate", "order", "permission.no-effect"])
@pytest.mark.parametrize("kind", PROFILES)
def test_is_near(kind: str, asked: str, contract: Contract, tmp_path: Path) -> None:
    smaller = load_contract(only(contract, OPERATIONS, tmp_path / "openapi.yaml"))
    said, sent = said_and_sent(smaller, PROFILES[kind], *filter(None, [asked]))

    assert abs(said - sent) <= max(NEAR * sent, FEW), (said, sent)


@pytest.mark.parametrize("asked", ["", "auth", "error", "order"])
def test_is_very_near_of_a_url_alone(asked: str, contract: Contract) -> None:
    """What a check would send with a valid key isn't counted where there is none."""
    said, sent = said_and_sent(contract, PROFILES["url-only"], *filter(None, [asked]))

    assert abs(said - sent) <= VERY_NEAR * sent, (said, sent)


def test_what_is_not_known_costs_nothing(contract: Contract, tmp_path: Path) -> None:
    """Of a URL alone, rules that need a key aren't counted."""
    smaller = load_contract(only(contract, OPERATIONS, tmp_path / "openapi.yaml"))
    said, _ = said_and_sent(smaller, Profile(""), "rate")

    assert 0 == said
