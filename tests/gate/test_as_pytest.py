"""`pytest contract_tests --target URL`: the same checks, one test each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import contract_tests
from mockserver import create_app
from mockserver.defects import defect_named, site_of
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

ROOT = Path(contract_tests.__file__).parent.parent


def pytest_on(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "contract_tests", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_checks_the_embedded_mock_in_two_processes() -> None:
    done = pytest_on("-q", "-n", "2", "-k", "two_headers")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "92 passed" in done.stdout


def test_fails_by_rule_and_operation(tmp_path: Path) -> None:
    app = create_app()
    site_of(app.mock).plant([defect_named("permission-not-checked-on-mute")])
    with MockServer(app) as server:
        profile = tmp_path / "profile.yaml"
        profile.write_text(f"base_url: {server.url}\ncontrol: true\n")
        done = pytest_on("-q", "-k", "lacks_permission and mute", f"--target-profile={profile}")

    assert 1 == done.returncode, done.stdout
    assert "permission.required A key whose role lacks" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "permission.required POST /v1/{account_id}/chats/{user_id}/mute" in done.stdout


def test_uses_a_control_api_that_is_named() -> None:
    """A URL alone tells no key; with ``--control`` each check makes one, and so many may run at once."""
    chosen = ["-q", "-n", "2", "-k", "has_permission and tags"]
    with MockServer(create_app()) as server:
        done = pytest_on(*chosen, f"--target={server.url}", "--control")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "3 passed" in done.stdout
    assert "skipped" not in done.stdout


def nothing(_: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    start_response("404 Not Found", [("Content-Type", "application/json")])
    return [b'{"error": "No."}']


@pytest.mark.parametrize(
    ("is_there", "why", "processes"),
    [
        (True, "has no control API for the gate: GET /_mock answers 404", "0"),
        (False, "can't be reached", "2"),
    ],
    ids=["no-control", "gone"],
)
def test_refuses_a_target_before_any_test(is_there: bool, why: str, processes: str) -> None:
    """One line tells it, not a failure of each test."""
    with MockServer(nothing) as server:
        url = server.url if is_there else "http://127.0.0.1:1"
        done = pytest_on("-q", "-n", processes, f"--target={url}", "--control")

    assert 4 == done.returncode, done.stdout + done.stderr
    assert f"ERROR: {url} {why}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_skips_what_it_cannot_judge() -> None:
    with MockServer(create_app()) as server:
        done = pytest_on("-q", "-rs", "-k", "revoked_key and Tags", f"--target={server.url}")
        judged = pytest_on("-q", "-k", "missing_key and accounts", f"--target={server.url}")

    assert "auth.key-revoked: needs a healthy account" in done.stdout
    assert "passed" not in done.stdout
    assert 5 == done.returncode, "nothing was judged, and that is no pass"
    assert " passed" in judged.stdout
    assert 0 == judged.returncode


def test_what_writes_comes_last_on_a_shared_organization(tmp_path: Path) -> None:
    """What a check deletes, another one would look for in vain; some plugins shuffle all tests."""
    profile = tmp_path / "profile.yaml"
    profile.write_text("base_url: http://127.0.0.1:1\nallow: {exhaust: [minute]}\n")
    chosen = "bearer_authenticates or minute_exhausted"
    done = pytest_on("-q", "--collect-only", "-k", chosen, f"--target-profile={profile}")
    tests = [line.partition("[")[2] for line in done.stdout.splitlines() if "[" in line]
    ranks = [("rate.minute" in test, " GET " not in test) for test in tests]

    assert 184 == len(tests)
    assert sorted(ranks) == ranks


def test_a_target_that_dies_is_no_pass() -> None:
    seen: list[str] = []

    def dying(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        if len(seen) > 10:
            raise ConnectionResetError
        return create_app().wsgi_app(environ, start_response)

    with MockServer(dying) as server:
        done = pytest_on("-q", "-x", "-k", "missing_key", f"--target={server.url}")

    assert 1 == done.returncode, done.stdout
    assert "the target stopped answering" in done.stdout


@pytest.mark.parametrize("url", ["http://me:s3cret@127.0.0.1:1", "ftp://x", "foo"])
def test_refuses_a_url_that_is_none(url: str) -> None:
    done = pytest_on("-q", f"--target={url}")

    assert 4 == done.returncode
    assert "URL" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_refuses_to_disturb_itself() -> None:
    """Several processes on one organization would move each other's windows."""
    done = pytest_on("-n", "2", "--target=http://127.0.0.1:1")

    assert 4 == done.returncode
    assert "leave -n out" in done.stderr
