"""Our rules inside plain Schemathesis name themselves in its findings."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

import contract_tests
from mockserver import create_app
from mockserver.call import Call
from mockserver.contract import Operation
from mockserver.data import default_spec
from mockserver.envelope import Reply
from mockserver.server import MockServer

CONFIG = """
[auth.openapi.bearerKey]
bearer = "fm_api_test_unlimited"
[generation]
database = "none"
[cache]
enabled = false
"""


def explored(url: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Let Schemathesis send the examples of one operation, with our rules as its checks."""
    (directory / "schemathesis.toml").write_text(CONFIG)
    command = ["run", str(default_spec()), f"--url={url}", "--phases=examples", "--checks=fansmetric_rules"]  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *command, "--include-operation-id=listTags"],
        cwd=directory,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(contract_tests.__file__).parent.parent),
            "SCHEMATHESIS_HOOKS": "contract_tests.hooks",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("price", [1, 2])
def test_names_the_rule(price: int, tmp_path: Path) -> None:
    app = create_app(check_responses=False)
    original = app.mock.answer

    def priced(call: Call, operation: Operation) -> Reply:
        reply = original(call, operation)
        body = orjson.loads(reply.body)
        body["_meta"]["_credits"]["used"] = price
        return replace(reply, body=orjson.dumps(body))

    app.mock.answer = priced  # type: ignore[method-assign]  # the planted fault
    with MockServer(app) as server:
        done = explored(server.url, tmp_path)

    assert int(price != 1) == done.returncode, done.stdout + done.stderr
    assert ("credit.success broken" in done.stdout) == (price != 1)
