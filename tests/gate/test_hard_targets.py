"""Targets that are slow, gone, or not what they should be: clear verdicts, never a pass, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
import urllib3
from click.testing import CliRunner, Result

import contract_tests
from contract_tests.cli import main
from contract_tests.reports import WRITERS
from mockserver import create_app
from mockserver.contract import Contract
from mockserver.server import MockServer
from tests.gate.smaller import only

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from mockserver.app import MockFlask

ROOT = Path(contract_tests.__file__).parent.parent
LIVE = "fm_api_live_51f0c9a7e2"
"""A key that looks real, up to a number for each role."""


def checked(url: str, *arguments: str) -> Result:
    done = CliRunner().invoke(main, ["run", url, *arguments])
    assert "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done


def answering(status: str, *headers: tuple[str, str]) -> Any:
    def app(_: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        start_response(status, [("Content-Type", "application/json"), *headers])
        return [b'{"error":"No."}']

    return app


def test_rate_limited_throughout_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.pace.Pace._pause", lambda *_: None)
    with MockServer(answering("429 Too Many Requests")) as server:
        done = checked(server.url, "--only", "auth.key-missing")

    assert 4 == done.exit_code
    assert "not judged: 429" in done.output


def test_redirects_are_answers_like_any_other() -> None:
    with MockServer(answering("302 Found", ("Location", "http://127.0.0.1:1/"))) as server:
        done = checked(server.url, "--only", "auth.key-missing")

    assert 1 == done.exit_code
    assert "found    302" in done.output


DEAD = "GET /v1/{account_id}/tags"


def test_a_dead_operation_is_not_passed_over(contract: Contract, tmp_path: Path) -> None:
    """Whoever asks for one rule learns from every report on which operation it wasn't judged, and why."""
    app = create_app()
    served = app.wsgi_app

    def wsgi_app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        dead = (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/v1/1001/tags")
        answer = answering("500 Internal Server Error") if dead else served
        return answer(environ, start_response)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # the server with a dead operation
    smaller = only(contract, ("listTags", "createTag", "listChats"), tmp_path / "openapi.yaml")
    files = {name: tmp_path / f"run.{name}" for name in WRITERS}
    asked = ",".join(f"{name}={file}" for name, file in files.items())
    flags = ("--control", "--spec", str(smaller), "--only", "auth.bearer", "--report", asked)
    with MockServer(app) as server:
        done = checked(server.url, *flags)
    texts = {name: file.read_text() for name, file in files.items()}
    told = "judged on 2 of 3 operations: GET /v1/1001/tags answered 500"

    assert 0 == done.exit_code, done.output
    assert told in " ".join(done.output.split())
    assert "1 rule of those that are kept could not be judged on every operation" in done.output
    assert told in texts["html"]
    assert told in texts["md"].replace("\\", "")
    assert [DEAD] == json.loads(texts["json"])["rules"][0]["unjudged"]
    assert f'name="{DEAD}">\n    <skipped message="not judged' in texts["junit"]


def test_gone_in_the_middle_is_3() -> None:
    """What was checked by then stands; the rest isn't judged."""
    asked: list[str] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        if len(asked) > 20:
            raise ConnectionError
        return list(answering("401 Unauthorized")(environ, start_response))

    with MockServer(app) as server:
        done = checked(server.url, "--only", "auth.key-missing", "--only", "auth.key-invalid")

    assert 3 == done.exit_code
    assert "the target stopped answering" in done.output
    assert len(asked) < 40


def test_silence_is_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contract_tests.target._TIMEOUT", urllib3.Timeout(connect=5, read=0.1))
    release = threading.Event()

    def app(_: dict[str, Any], __: StartResponse) -> list[bytes]:
        release.wait(10)
        return []

    with MockServer(app) as server:
        done = checked(server.url, "--only", "auth")
        release.set()

    assert 3 == done.exit_code
    assert "can't be reached: no answer within" in done.output


def test_a_certificate_that_nobody_trusts_is_3(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError):
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    done = checked(f"https://127.0.0.1:{listener.getsockname()[1]}", "--only", "auth")
    thread.join(5)
    listener.close()

    assert 3 == done.exit_code
    assert "its certificate is not trusted" in done.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_its_reports(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, or the end of a CI job, comes while the gate waits for an answer."""
    arrived, release = threading.Event(), threading.Event()
    seen: list[str] = []

    def app(environ: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        if len(seen) > 30:
            arrived.set()
            release.wait(20)
        return list(answering("401 Unauthorized")(environ, start_response))

    file = tmp_path / "run.json"
    with MockServer(app) as server:
        process = subprocess.Popen(
            [sys.executable, "-m", "contract_tests", "run", server.url, "--report", f"json={file}"],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert arrived.wait(30)
        process.send_signal(number)
        release.set()
        out, err = process.communicate(timeout=60)
    report = json.loads(file.read_text())

    assert process.returncode in (1, 3), out + err
    assert "interrupted" == report["ended"]
    assert report["counts"]["not checked"] > 0
    assert "Traceback" not in out + err


@pytest.fixture
def telling() -> tuple[MockFlask, dict[str, str]]:
    """Return a mock that repeats the caller's key in its errors, and keys that look real."""
    app = create_app()
    world = app.mock.world
    organization, other = world.organization("lark"), world.organization("alder")
    keys = {
        name: f"{LIVE}{place}" for place, name in enumerate(("full", "second", "revoked", "other"))
    }
    world.add_key(organization, secret=keys["full"])
    world.add_key(organization, secret=keys["second"])
    world.add_key(organization, secret=keys["revoked"], revoked=True)
    world.add_key(other, secret=keys["other"])
    organization.windows.set_limits(minute=100_000, day=100_000)
    served = app.wsgi_app

    def wsgi_app(environ: dict[str, Any], start_response: StartResponse) -> Any:
        key = environ.get("HTTP_AUTHORIZATION") or environ.get("HTTP_X_API_KEY") or ""

        def start(status: str, headers: Any, *rest: Any) -> Any:
            return start_response(status, [*headers, ("X-Your-Key", key)], *rest)

        body = b"".join(served(environ, start))
        return [body.replace(b'{"error":"', b'{"key":"' + key.encode() + b'","error":"')]

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # the telling server
    return app, keys


def test_no_key_reaches_output_or_reports(
    telling: tuple[MockFlask, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, keys = telling
    for name, key in keys.items():
        monkeypatch.setenv(f"KEY_{name.upper()}", key)
    profile = tmp_path / "profile.yaml"
    reports = {name: tmp_path / f"run.{name}" for name in WRITERS}
    with MockServer(app) as server:
        listed = "".join(f"  {name}: ${{KEY_{name.upper()}}}\n" for name in keys)
        profile.write_text(
            f"base_url: {server.url}\nkeys:\n{listed}accounts: {{healthy: 1001, other: 2001}}\n"
            "allow: {writes: true}\n"
        )
        asked = ",".join(f"{name}={file}" for name, file in reports.items())
        done = CliRunner().invoke(
            main,
            [
                "run",
                "--profile",
                str(profile),
                "--only",
                "auth.key-revoked",
                "--only",
                "error",
                "--report",
                asked,
            ],
        )

    assert 1 == done.exit_code, done.output
    assert "$FANSMETRIC_REVOKED" in done.output
    for text in (done.output, done.stderr, *(file.read_text() for file in reports.values())):
        assert text is not None
        assert LIVE not in text
