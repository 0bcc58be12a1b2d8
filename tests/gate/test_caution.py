"""What may not be written to: not with a key that a wrong server lets in, and not behind a tunnel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests.profile import Profile, read_profile
from contract_tests.target import Target
from contract_tests.verdicts import Verdict
from mockserver.contract import Contract
from tests.gate.wrong_servers import (
    KEYS,
    Answer,
    Ask,
    WrongServer,
    judged,
    key_of,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

READS = ("GET", "HEAD", "OPTIONS")


class LetsIn(WrongServer):
    """Takes whatever begins like one of its ``keys`` for the one that may do everything."""

    def __init__(self, *keys: str) -> None:
        super().__init__(self.admit)
        self._keys = keys
        self.written: list[str] = []
        """Every write that was carried out."""

    def admit(self, environ: WSGIEnvironment, ask: Ask) -> Answer:
        """Let the keys in, and note what they write."""
        if key_of(environ).startswith(self._keys):
            environ["HTTP_AUTHORIZATION"] = f"Bearer {KEYS['full']}"
            environ.pop("HTTP_X_API_KEY", None)
        answer = ask(environ)
        if environ["REQUEST_METHOD"] not in READS and answer[0].startswith("200"):
            self.written.append(environ["PATH_INFO"])
        return answer


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        ("auth.key-revoked", KEYS["revoked"]),
        ("auth.key-expired", KEYS["expired"]),
        ("auth.key-invalid", KEYS["full"]),
        ("auth.key-missing", ""),
        ("error.flat", ""),
        ("auth.no-credit", "fm_api_test_no_such_key"),
        ("permission.required", KEYS["restricted"]),
    ],
)
def test_a_key_that_is_wrongly_let_in_writes_nothing(rule: str, key: str) -> None:
    """The breach shows in what is read; nothing else is needed to see it."""
    server = LetsIn(key)
    finding = judged(server, rule, fully=True, allow_writes=False).findings[rule]
    reason = "needs leave to write" if key == KEYS["restricted"] else "might be carried out"

    assert [] == server.written
    assert any(reason in why for why in finding.unmet)
    if rule not in ("error.flat", "auth.no-credit"):
        assert Verdict.BROKEN is finding.verdict


def test_writes_with_a_refused_key_are_sent_where_it_is_refused() -> None:
    """So a server that checks the key is judged on every operation."""
    server = WrongServer(lambda environ, ask: ask(environ))
    finding = judged(server, "auth.key-revoked", fully=True, allow_writes=False).findings[
        "auth.key-revoked"
    ]

    assert (Verdict.KEPT, []) == (finding.verdict, finding.unmet)
    assert {"DELETE", "POST", "PUT", "PATCH"} <= {method for method, _ in server.asked}


@pytest.mark.parametrize(
    ("allow", "safe"),
    [("{}", True), ("{writes: true}", True), ("{writes: false}", False)],
    ids=["unsaid", "allowed", "forbidden"],
)
def test_a_profile_can_forbid_writes_on_this_machine(
    allow: str, safe: bool, contract: Contract, tmp_path: Path
) -> None:
    """A tunnel or a proxy has an address here, and leads elsewhere."""
    file = tmp_path / "profile.yaml"
    file.write_text(f"base_url: http://127.0.0.1:4011\nallow: {allow}\n")

    assert safe is Target(read_profile(file, contract)).is_safe


def test_nothing_is_written_elsewhere_unless_it_is_allowed() -> None:
    assert not Target(Profile("https://api.example.com")).is_safe
