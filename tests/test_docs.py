"""The documentation says what is so: its commands, figures, transcripts and links are checked."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from contract_tests.cli import main as gate
from contract_tests.profile import read_profile
from mockserver import create_app
from mockserver.cli import key_table
from mockserver.cli import main as mock
from mockserver.clock import Clock, parse_time
from mockserver.contract import load_contract
from mockserver.control.reference import as_markdown
from mockserver.defects import DEFECTS, PAIRS
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


def test_sdist_holds_what_the_tests_read() -> None:
    """So that whoever packages the suite can run them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = {*project["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]}
    packed |= {"README.md", "LICENSE", "pyproject.toml"}  # always there
    read = {
        name
        for file in Path(__file__).parent.rglob("*.py")
        for name in re.findall(r'\bROOT / "([^"]+)"', file.read_text("utf-8"))
    }

    assert {".ci", "docs", "README.md"} < read
    assert set() == read - packed


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


def test_matrix_lists_every_defect() -> None:
    """The page of what the gate catches is the one that was written for these defects."""
    page = (ROOT / "docs" / "defects.md").read_text()
    for defect in DEFECTS.values():
        assert f"| `{defect.name}` | {defect.sentence} | `{defect.rule.id}` |" in page
    for pair in PAIRS:
        assert f"| `{pair.first} + {pair.second}` | {pair.reason} |" in page
    assert f"{len(DEFECTS) + len(PAIRS)} cases: {len(DEFECTS) + len(PAIRS)} caught" in page
    (found,) = re.findall(r"Plain Schemathesis catches (\d+) of them", page)
    assert f"Plain Schemathesis catches {found} of these {len(DEFECTS) + len(PAIRS)}" in README
    assert f"plants {len(DEFECTS)} defects and {len(PAIRS)} pairs" in README


def test_transcript_of_prism_has_every_rule() -> None:
    page = (ROOT / "docs" / "prism.md").read_text()

    assert set(RULES) <= set(re.findall(r"^([a-z]+\.[a-z0-9-]+) +", page, re.MULTILINE))


def test_profile_of_prism_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "prism.md").read_text(), re.DOTALL)
    for variable in re.findall(r"\$\{(\w+)\}", block):
        monkeypatch.setenv(variable, "fm_api_test_prism")
    file = tmp_path / "profile.yaml"
    file.write_text(block)

    assert {"full", "revoked"} < set(read_profile(file, load_contract()).keys)


def test_reference_of_the_control_api_is_what_is_printed() -> None:
    """Run `mockserver control > docs/control.md` after each change of its OpenAPI file."""
    assert as_markdown() == (ROOT / "docs" / "control.md").read_text()


def test_options_of_the_guides_exist() -> None:
    """Every long option that a guide gives to one of our commands is one of its options."""
    known = {
        ("contract-tests", name): {option for p in command.params for option in p.opts}
        for name, command in gate.commands.items()
    } | {
        ("mockserver", name): {option for p in command.params for option in p.opts}
        for name, command in mock.commands.items()
    }
    for page in PAGES:
        for program, name, rest in re.findall(
            r"(contract-tests|mockserver) (\w+)((?: [^`\n]*)?)", page.read_text()
        ):
            for option in re.findall(r"(?<!\w)--[a-z-]+", rest):
                assert option in known.get((program, name), set()), f"{page.name}: {name} {option}"


def test_threats_are_proven_by_tests_that_exist() -> None:
    """The page names the files that defend and the tests that prove it; a renamed one is noticed."""
    page = (ROOT / "docs" / "threat-model.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    files = re.findall(r"`((?:mockserver|contract_tests)/[\w/.]*)`", page)

    assert 40 < len(named)
    assert [] == [name for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert [] == [file for file in files if not (ROOT / file).exists()]
