"""A server may lack the operations that no page shows: that breaks no run, unless it is asked for."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from contract_tests.cli import main
from mockserver import create_app
from mockserver.contract import Contract
from mockserver.server import MockServer


def without(contract: Contract, folder: Path, *, also: str = "") -> Path:
    """Write the contract without its inferred operations, and without one more."""
    document = deepcopy(dict(contract.document))
    for operation in contract:
        if operation.level == "inferred" or operation.id == also:
            del document["paths"][operation.path][operation.method.lower()]
    file = folder / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


@pytest.mark.parametrize(
    ("lacking", "flags", "code"),
    [("", [], 0), ("", ["--strict"], 1), ("listSubscribers", [], 1)],
    ids=["inferred", "strict", "documented"],
)
def test_missing_operations(
    lacking: str, flags: list[str], code: int, contract: Contract, tmp_path: Path
) -> None:
    """A 404 in the place of a 401 is grave only where a page shows the operation."""
    asked = ["--fast", "--only", "auth.key-missing", *flags]
    with MockServer(create_app(spec=without(contract, tmp_path, also=lacking))) as server:
        done = CliRunner().invoke(main, ["run", server.url, *asked])

    assert code == done.exit_code, done.output
    assert ("broken (advisory)" in done.output) is not bool(code)
