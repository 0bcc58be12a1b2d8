"""The command: its tables, its server, and errors of one line with the documented exit code."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from click.testing import CliRunner

import mockserver
from mockserver import create_app
from mockserver.cli import announcement, main
from mockserver.rules import RULES

if TYPE_CHECKING:
    from click.testing import Result

    from mockserver.app import MockFlask
    from mockserver.contract import Contract

ROOT = Path(mockserver.__file__).parent.parent


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def rows_of(*arguments: str) -> list[dict[str, str]]:
    """Return what a command prints with `--json`."""
    result = run(*arguments, "--json")
    assert 0 == result.exit_code, result.output
    rows: list[dict[str, str]] = json.loads(result.stdout)
    return rows


def test_routes(contract: Contract) -> None:
    """Every operation with its permission, level and source, as JSON and as a table."""
    rows = rows_of("routes")
    table = run("routes").stdout

    assert [op.id for op in contract] == [row["operation"] for row in rows]
    assert {
        "method": "GET",
        "path": "/v1/{account_id}/tags",
        "operation": "listTags",
        "permission": "api_tags_list",
        "level": "inferred",
    }.items() <= rows[[op.id for op in contract].index("listTags")].items()
    assert len(contract) + 1 == len(table.splitlines())


def test_rules() -> None:
    """The catalogue in its order, each rule with its level, sentence and source."""
    rows = rows_of("rules")

    assert [(r.id, str(r.level), r.sentence, r.source) for r in RULES.values()] == [
        (row["rule"], row["level"], row["sentence"], row["source"]) for row in rows
    ]
    assert len(RULES) + 1 == len(run("rules").stdout.splitlines())


def test_keys() -> None:
    """The seeded keys, with what each shows."""
    rows = {row["key"]: row for row in rows_of("keys")}

    assert "lark" == rows["fm_api_test_full"]["organization"]
    assert "1003 (sync_lost)" in rows["fm_api_test_full"]["accounts"]
    assert "until" in rows["fm_api_test_expired"]["what it shows"]
    assert all(row["what it shows"] for row in rows.values())


@pytest.mark.parametrize("command", ["serve", "routes", "rules", "keys"])
def test_help(command: str) -> None:
    result = run(command, "--help")

    assert (0, True) == (result.exit_code, result.stdout.startswith("Usage: "))


BAD_WORLD = "roles: {full: ['*']}\norganizations: [{id: a, accounts: [], keys: [{key: fm_api_a, role: boss}]}]\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a directory with fixtures and specs that are wrong in different ways."""
    (tmp_path / "dangling").mkdir()
    (tmp_path / "dangling" / "world.yaml").write_text(BAD_WORLD)
    (tmp_path / "empty").mkdir()
    (tmp_path / "no-yaml").mkdir()
    (tmp_path / "no-yaml" / "world.yaml").write_text("roles: [")
    (tmp_path / "bad.yaml").write_text("openapi: 3.0.0\n")
    (tmp_path / "cut.yaml").write_text("openapi: [")
    (tmp_path / "no-folder").mkdir()
    (tmp_path / "no-folder" / "collections").touch()
    os.mkfifo(tmp_path / "pipe.yaml")
    return tmp_path


@pytest.mark.parametrize("command", ["serve", "keys"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param("--fixtures {files}/nowhere", "is no directory", id="no-fixtures"),
        pytest.param("--fixtures {files}/empty", "world.yaml: can't be read", id="no-world"),
        pytest.param("--fixtures {files}/no-yaml", "world.yaml: not valid YAML", id="world-cut"),
        pytest.param("--fixtures {files}/dangling", "world.yaml: key fm_api_a: there is no role boss", id="dangling-role"),
        pytest.param("--fixtures {files}/bad.yaml", "is no directory", id="fixtures-a-file"),
        pytest.param("--fixtures {files}/" + "n" * 300, "can't be read (File name too long)", id="fixtures-too-long"),
        pytest.param("--fixtures {files}/no-folder", "collections: is no directory", id="collections-a-file"),
        pytest.param("--spec {files}/pipe.yaml", "pipe.yaml: can't be read (it is a pipe that nobody", id="spec-a-pipe"),
        pytest.param("--spec {files}/nowhere.yaml", "nowhere.yaml: can't be read", id="no-spec"),
        pytest.param("--spec {files}", "can't be read", id="spec-a-directory"),
        pytest.param("--spec {files}/bad.yaml", "bad.yaml: openapi: must be 3.1.x, found '3.0.0'", id="spec-version"),
        pytest.param("--spec {files}/cut.yaml", "cut.yaml: not valid YAML", id="spec-cut"),
    ],
)  # fmt: skip
def test_wrong_files(command: str, arguments: str, message: str, files: Path) -> None:
    """Exit code 2, and one line on stderr that names the file and what is wrong."""
    result = run(command, *(argument.format(files=files) for argument in arguments.split()))

    assert (2, 1) == (result.exit_code, len(result.stderr.splitlines())), result.output
    assert result.stderr.startswith("mockserver: ")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serve --freeze noon", "mockserver: --freeze: 'noon' is no ISO 8601 time, such as"),
        ("serve --freeze 2026-13-01", "--freeze: '2026-13-01' is no ISO 8601 time"),
        ("serve --freeze=", "--freeze: '' is no ISO 8601 time"),
        ("serve --port 70000", "'--port'"),
        ("serve --port http", "'--port'"),
        ("serve --colour", "No such option"),
        ("routes extra", "unexpected extra argument"),
        ("rout", "No such command 'rout'"),
    ],
)
def test_wrong_flags(arguments: str, message: str) -> None:
    result = run(*arguments.split())

    assert 2 == result.exit_code, result.output
    assert message in result.stderr


@pytest.mark.parametrize(
    ("host", "message"),
    [
        pytest.param("127.0.0.1", "port {port} on 127.0.0.1 can't be had: ", id="taken"),
        pytest.param("no-such-host.invalid", "can't be had: ", id="no-host"),
        pytest.param("lark..test", "on lark..test can't be had: ", id="no-name"),
    ],
)
def test_port_not_to_be_had(host: str, message: str) -> None:
    """Exit code 3, in one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port), "--host", host)

    assert (3, 1) == (result.exit_code, len(result.stderr.splitlines())), result.output
    assert message.format(port=port) in result.stderr


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Serve from another directory, frozen; give the process, the URL and what it printed."""
    code = "from mockserver.cli import main; main()"
    arguments = ["serve", "--port", "0", "--freeze", "2026-01-31T10:00:00Z"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    printed = ""
    while "Try: curl" not in printed:
        line = process.stdout.readline()
        assert line, process.communicate()
        printed += line
    url = next(word for word in printed.split() if word.startswith("http://"))
    yield process, url, printed
    process.kill()
    process.communicate()


def test_a_world_without_keys_has_nothing_to_try(tmp_path: Path) -> None:
    world = {"roles": {}, "organizations": [{"id": "a", "accounts": [], "keys": []}]}
    (tmp_path / "world.yaml").write_text(json.dumps(world))
    lines = list(announcement(create_app(tmp_path).mock, "http://127.0.0.1:4010", is_open=True))

    assert "Serving" in lines[1]
    assert not any("Try:" in line for line in lines)


def test_an_address_of_all_machines_is_shown_as_this_one(app: MockFlask) -> None:
    lines = list(announcement(app.mock, "http://0.0.0.0:4010", is_open=False))

    assert "http://127.0.0.1:4010/_mock/" in lines[1]
    assert "this machine only" in lines[2]
    assert "0.0.0.0" not in "".join(lines)  # noqa: S104 - what must not be shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve(
    number: signal.Signals,
    served: tuple[subprocess.Popen[str], str, str],
    contract: Contract,
) -> None:
    """It says what it serves and how to try it, answers, and ends with 0 when it is told to."""
    process, url, printed = served
    key = {"Authorization": "Bearer fm_api_test_full"}
    tried: Any = requests.get(f"{url}/v1/1001/chats", headers=key, timeout=10).json()
    clock = requests.get(f"{url}/_mock/organizations/lark/clock", timeout=10).json()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=10)

    assert f"{len(contract)} operations, {len(contract.permissions)} permissions" in printed
    assert "fm_api_test_tiny" in printed
    assert f"curl -i -H 'Authorization: Bearer fm_api_test_full' {url}/v1/1001/chats" in printed
    assert "data" in tried
    assert "2026-01-31T10:00:00+00:00" == clock["now"]
    assert (0, "") == (process.returncode, stderr)


def test_exit_codes_are_told() -> None:
    assert "0 done, 2 wrong use" in " ".join(run("--help").stdout.split())


def test_tables_show_text_of_files_as_text(tmp_path: Path) -> None:
    """A note in a fixture doesn't steer the terminal."""
    (tmp_path / "world.yaml").write_text(
        "roles: {full: ['*']}\n"
        "organizations:\n"
        '- {id: a, accounts: [{id: 1}], keys: [{key: fm_api_test_a, role: full, note: "\\e[31mred"}]}\n'
    )
    result = CliRunner().invoke(main, ["keys", "--fixtures", str(tmp_path)])

    assert 0 == result.exit_code, result.output
    assert "[31mred" in result.output
    assert "\x1b" not in result.output


def test_python_finds_the_command_too() -> None:
    """Where scripts aren't on the search path, as often on Windows."""
    command = [sys.executable, "-m", "mockserver", "rules", "--json"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (0, "") == (result.returncode, result.stderr)
    assert list(RULES) == [row["rule"] for row in json.loads(result.stdout)]
