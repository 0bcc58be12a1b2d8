"""The CI files do what they say: their shell runs, and the guide quotes them."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION: Any = yaml.safe_load((ROOT / "action.yml").read_text())
EXAMPLES = ROOT / "examples" / "ci"


@pytest.mark.parametrize(
    ("arguments", "code"), [("--only auth.key-missing", 0), ("--only rate.nothing", 2)]
)
def test_the_action_checks_and_reports(arguments: str, code: int, tmp_path: Path) -> None:
    """Its script runs against the embedded mock, with the command as installed."""
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "check")
    binaries = tmp_path / "fansmetric-contract" / "bin"
    binaries.mkdir(parents=True)
    command = binaries / "contract-tests"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m contract_tests "$@"\n')
    command.chmod(0o755)
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    inputs = dict.fromkeys(("URL", "PROFILE", "BASELINE"), "")
    done = subprocess.run(
        [str(shutil.which("bash")), "-e", "-c", step["run"]],
        env={
            **os.environ,
            **inputs,
            **{name: str(file) for name, file in files.items()},
            "ARGUMENTS": arguments,
            "REPORTS": str(tmp_path / "reports"),
            "RUNNER_TEMP": str(tmp_path),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert code == done.returncode, done.stdout + done.stderr
    assert f"exit-code={code}" in files["GITHUB_OUTPUT"].read_text()
    if code == 0:
        assert "1 kept" in files["GITHUB_STEP_SUMMARY"].read_text()
        assert 4 == len(list((tmp_path / "reports").iterdir()))


def test_the_action_passes_its_inputs() -> None:
    step = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "check")

    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} == set(step["env"].values())


def test_examples_are_well_formed() -> None:
    workflow = yaml.safe_load((EXAMPLES / "github.yml").read_text())
    used = next(s for s in workflow["jobs"]["contract"]["steps"] if "OWNER" in s.get("uses", ""))
    job = yaml.safe_load((EXAMPLES / "gitlab.yml").read_text())["contract"]
    tox = configparser.ConfigParser()
    tox.read(EXAMPLES / "tox.ini")

    assert set(used["with"]) <= set(ACTION["inputs"])
    assert any("contract-tests run" in line for line in job["script"])
    assert "contract-tests run" in tox["testenv:contract"]["commands"]


@pytest.mark.parametrize("name", ["gitlab.yml", "tox.ini"])
def test_examples_install_nobody_elses_package(name: str) -> None:
    """The package isn't on PyPI, where anybody may take its name; a job gives it the keys."""
    text = (EXAMPLES / name).read_text()

    assert "fansmetric-contract[gate] @ git+https://github.com/OWNER/REPOSITORY@" in text
    assert text.count("fansmetric-contract[") == 1


def test_the_guide_quotes_the_examples() -> None:
    guide = (ROOT / "docs" / "ci.md").read_text()
    for name in ("github.yml", "gitlab.yml", "tox.ini"):
        section = guide.partition(f"examples/ci/{name}")[2]
        block = section.partition("```")[2].partition("\n")[2].partition("```")[0]
        assert block in (EXAMPLES / name).read_text(), name
