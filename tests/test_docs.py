"""The documentation says what is so: its commands, figures, transcripts and links are checked."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from contract_tests.profile import read_profile
from mockserver import create_app
from mockserver.cli import key_table
from mockserver.clock import Clock, parse_time
from mockserver.contract import load_contract
from mockserver.rules import RULES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FROZEN = "2026-01-31T10:20:30Z"
"""The time at which the README's transcript was made."""


def test_ci_runs_the_command_of_the_readme() -> None:
    commands = re.findall(r"^\$ (python3 -m venv .*)$", README, re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text().splitlines()

    assert 2 == len(commands)
    assert commands[1] in ci


def test_figures_are_those_of_the_contract() -> None:
    assert f"answers all {len(load_contract())} operations" in README
    assert f"with {len(RULES)} rules beside it" in README


def test_key_table_is_what_serve_prints() -> None:
    clock = Clock()
    clock.freeze(parse_time(FROZEN))
    table = key_table(create_app(clock=clock).mock.world)

    assert table in README


def test_refusal_is_what_the_mock_answers() -> None:
    """The curl line gives the answer that stands below it."""
    line = re.search(r"^\$ (curl .*)$", README, re.MULTILINE)
    assert line is not None
    words = shlex.split(line[1])
    name, _, key = words[words.index("-H") + 1].partition(": ")
    client: FlaskClient = create_app().test_client()
    path = words[-1].removeprefix("http://127.0.0.1:4010")
    answer = client.open(path, method=words[words.index("-X") + 1], headers={name: key})
    shown = README[line.end() :].partition("```")[0]

    assert f"HTTP/1.1 {answer.status_code} " in shown
    assert f"X-Mock-Rule: {answer.headers['X-Mock-Rule']}" in shown
    assert answer.get_data(as_text=True) in shown


def test_profile_of_the_guide_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = (ROOT / "docs" / "gate.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    for variable in re.findall(r"\$\{(\w+)\}", block):
        monkeypatch.setenv(variable, "fm_api_test_guide")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "past-due.txt").write_text("fm_api_test_guide")
    file = tmp_path / "profile.yaml"
    file.write_text(block)

    assert {"full", "past_due"} < set(read_profile(file, load_contract()).keys)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [] == [link for link in links if not (page.parent / link).exists()]
