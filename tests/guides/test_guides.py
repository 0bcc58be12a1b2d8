"""The guides are followed step by step, as a reader would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mockserver import create_app
from mockserver.server import MockServer
from tests.guides.session import READERS_OWN, Session, Step, fits, readdressed, steps

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ["index", "curl", "windows", "fixture"]
"""Guides that need nothing but a folder."""
SETS_UP = {"index": ["pip install '.[pages]'"]}

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "curl", "git"))), reason="needs bash, curl and git"
)


def read(name: str) -> list[Step]:
    return steps((DOCS / f"{name}.md").read_text("utf-8"))


@pytest.mark.parametrize("name", PAGES)
def test_guide(name: str, tmp_path: Path) -> None:
    """Every command of the page prints what stands below it."""
    with Session(tmp_path) as session:
        for step in read(name):
            session.follow(step)


def test_checking_a_real_server(tmp_path: Path) -> None:
    """The server of the guide is a mock here; the profile and the commands are the guide's."""
    with MockServer(create_app()) as server:
        address = server.url
        with Session(tmp_path, address, "https://staging.example.com") as session:
            for step in read("real-server"):
                session.follow(step)


def test_adding_an_operation(tmp_path: Path) -> None:
    """The steps are taken in a copy of the checkout, whose mock and gate then know the operations."""
    root = DOCS.parent
    shutil.copyfile(root / "openapi.yaml", tmp_path / "openapi.yaml")
    for folder in ("mockserver", "contract_tests", "fixtures"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, tmp_path / folder, ignore=ignored)
    with Session(tmp_path, package=tmp_path) as session:
        for step in read("operation"):
            session.follow(step)


@pytest.mark.parametrize("name", [*PAGES, "real-server", "operation"])
def test_every_command_is_run(name: str) -> None:
    """Only what sets the reader's machine up is left out."""
    left = [step.text for step in read(name) if READERS_OWN.match(step.text)]

    assert SETS_UP.get(name, []) == left


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        pytest.param("a\n", "a  \n", True, id="trailing-blanks"),
        pytest.param("a…c\n", "abbc\n", True, id="within-a-line"),
        pytest.param("a\n…\nd\n", "a\nb\nc\nd\n", True, id="lines"),
        pytest.param("a\n…\n", "a\n", True, id="no-line"),
        pytest.param("a…\n", "a\nb\n", True, id="rest"),
        pytest.param("a\n", "a\nb\n", False, id="more"),
        pytest.param("a\n…\nd\n", "a\nb\n", False, id="less"),
        pytest.param("[a]\n", "a\n", False, id="no-pattern"),
    ],
)
def test_answers_are_compared(shown: str, printed: str, *, same: bool) -> None:
    assert same is fits(shown, printed)


def test_addresses_are_whole() -> None:
    """A port that begins like the guide's is another one, and what is put in stays."""
    text = "http://127.0.0.1:4010/v1 http://127.0.0.1:40109"

    assert "http://127.0.0.1:40101/v1 http://127.0.0.1:40109" == readdressed(
        text, "http://127.0.0.1:4010", "http://127.0.0.1:40101"
    )
