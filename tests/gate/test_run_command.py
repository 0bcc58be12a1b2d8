"""`contract-tests run`: exit codes, one-line errors, and reports that agree with each other."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from contract_tests.cli import main
from mockserver import create_app
from mockserver.rules import RULES
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments])


def let_everybody_in(_: dict[str, Any], start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b"{}"]


def test_clean_mock_is_0_and_reports_agree(tmp_path: Path) -> None:
    files = {name: tmp_path / f"run.{name}" for name in ("json", "junit", "md", "html")}
    asked = ",".join(f"{name}={file}" for name, file in files.items())
    done = invoke("run", "--fast", "--only", "auth.key-missing", "--report", asked)
    report = json.loads(files["json"].read_text())
    suite = ET.parse(files["junit"]).getroot()  # noqa: S314 - our own file

    assert 0 == done.exit_code, done.output
    assert {"kept": 1, "broken": 0, "not checked": 0, "error": 0} == report["counts"]
    assert len(report["rules"][0]["operations"]) == int(suite.get("tests", "0")) > 1
    assert "1 kept" in files["md"].read_text()
    assert "Every checked rule is kept" in files["html"].read_text()
    assert done.output.startswith("1 rule on ")


def test_a_bare_server_breaks_the_run(tmp_path: Path) -> None:
    """Without keys, little can be judged, and what can be is."""
    file = tmp_path / "run.json"
    with MockServer(let_everybody_in) as server:
        done = invoke("run", server.url, "--only", "auth", "--report", f"json={file}")
    verdicts = {rule["id"]: rule["verdict"] for rule in json.loads(file.read_text())["rules"]}

    assert 1 == done.exit_code, done.output
    assert "broken" == verdicts["auth.key-missing"]
    assert "not checked" == verdicts["auth.bearer"]


@pytest.mark.parametrize(
    ("require", "code"),
    [
        pytest.param("auth.key-missing", 0, id="checked"),
        pytest.param("rate.minute", 4, id="left-out"),
        pytest.param("rate", 4, id="area"),
    ],
)
def test_a_required_rule_must_be_among_the_checked(require: str, code: int) -> None:
    done = invoke("run", "--fast", "--only", "auth.key-missing", "--require", require)

    assert code == done.exit_code, done.output
    assert bool(code) == ("required but not checked: rate." in done.output)


def test_reports_that_cannot_be_written_are_told_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    within = invoke("run", "--report", f"json={tmp_path}/file/run.json")
    twice = invoke("run", "--report", f"json={tmp_path}/a,md={tmp_path}/a")

    assert (3, 2) == (within.exit_code, twice.exit_code)
    assert "can't be written" in within.output
    assert "for the second time" in twice.output
    assert 1 == len(within.output.splitlines()) == len(twice.output.splitlines())


def test_nothing_checked_is_4() -> None:
    with MockServer(create_app()) as server:
        done = invoke("run", server.url, "--only", "rate.day")

    assert 4 == done.exit_code
    assert "needs leave to exhaust the day window" in done.output


def test_required_but_not_checked_is_4() -> None:
    with MockServer(create_app()) as server:
        done = invoke("run", server.url, "--only", "auth", "--require", "auth.key-revoked")

    assert 4 == done.exit_code


def test_unreachable_is_3() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = invoke("run", f"http://127.0.0.1:{unused.getsockname()[1]}", "--only", "auth")

    assert 3 == done.exit_code
    assert "can't be reached" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--only", "auth.nothing"], "no rule or area auth.nothing", id="rule"),
        pytest.param(["--report", "pdf=x"], "--report: 'pdf=x'", id="report"),
        pytest.param(["--allow-exhaust", "hour"], "minute, day or both", id="window"),
        pytest.param(["localhost:80"], "no http or https URL", id="url"),
        pytest.param(["http://me:pw@127.0.0.1:1"], "holds a name or a password", id="password"),
        pytest.param(["http://127.0.0.1:1/\x1b[31m"], "is no URL", id="acting-url"),
        pytest.param(["--profile", "gone.yaml"], "gone.yaml: can't be read", id="profile"),
    ],
)
def test_wrong_use_is_2(arguments: list[str], message: str) -> None:
    done = invoke("run", *arguments)

    assert 2 == done.exit_code
    assert message in done.output
    assert 1 == len(done.output.strip().splitlines())


def test_every_rule_has_a_check() -> None:
    """The list says of each rule that it is checked."""
    rows = invoke("rules").output.splitlines()[1:]

    assert len(RULES) == len(rows)
    assert all(" yes " in row for row in rows)


def test_url_beside_a_profile_is_checked_too(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("base_url: http://127.0.0.1:1\n")
    done = invoke("run", "http://me:pw@127.0.0.1:1", "--profile", str(profile))

    assert 2 == done.exit_code
    assert "holds a name or a password" in done.output


def test_errors_show_text_of_files_as_text(tmp_path: Path) -> None:
    """Whoever wrote the file doesn't steer the terminal of whoever reads the error."""
    profile = tmp_path / "profile.yaml"
    profile.write_text('base_url: http://127.0.0.1:1\nrestricted_permissions: ["\\e[31mred"]\n')
    done = invoke("run", "--profile", str(profile))

    assert 2 == done.exit_code
    assert "[31mred" in done.output
    assert "\x1b" not in done.output
