"""The site holds every page, and what is made from code is what the code makes today."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.tools import rules, stage, windows
from docs.tools.links import findings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MOST_BYTES = 1_500_000
"""What all pictures together may weigh."""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the site's pages."""
    folder = tmp_path_factory.mktemp("staged")
    stage.stage(folder)
    return folder


def entries(nav: Any) -> Iterator[str]:
    """Yield the pages of a navigation."""
    for entry in nav:
        values = entry.values() if isinstance(entry, dict) else [entry]
        for value in values:
            yield from entries(value) if isinstance(value, list) else [value]


def test_navigation_holds_every_page_once() -> None:
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))

    assert sorted(stage.pages().values()) == sorted(entries(config["nav"]))


def test_pages_are_staged(staged: Path) -> None:
    """Whatever a page links to is there, and no link leaves the site's folder."""
    for page in staged.glob("*.md"):
        prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.S | re.M)
        for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", prose):
            assert (staged / target).is_file(), f"{page.name}: {target}"
            assert ".." not in target


def test_sections_of_the_readme_are_included(staged: Path) -> None:
    design = (staged / "design.md").read_text("utf-8")
    start = (staged / "index.md").read_text("utf-8")

    assert "| flask | " in design
    assert "(repository/mockserver/pipeline.py)" in design
    assert "**What it is not:**" in start
    assert "<!-- site:" not in design + start


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[a](nowhere.md)", id="link"),
        pytest.param("<!-- site: README.md#nowhere -->", id="section"),
        pytest.param("[a](../README.md#nowhere)", id="section-of-the-readme"),
    ],
)
def test_what_leads_nowhere_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(stage.Dangling, match="nowhere"):
        stage.Page("docs/page.md", "page.md", tmp_path).write(text)


def test_code_is_left_alone(tmp_path: Path) -> None:
    text = "```text\n[a](nowhere.md)\n```\n\n`[a](nowhere.md)`\n"
    stage.Page("docs/page.md", "page.md", tmp_path).write(text)

    assert text == (tmp_path / "page.md").read_text("utf-8")


def test_table_of_rules_is_current() -> None:
    """Run `python -m docs.tools.rules > docs/rules.md` after each change of a rule, check or defect."""
    assert rules.page() == (DOCS / "rules.md").read_text("utf-8")


@pytest.mark.parametrize("name", windows.PICTURES)
def test_pictures_of_the_windows_are_current(name: str) -> None:
    """Run `python -m docs.tools.windows` after each change of the windows."""
    lanes, description = windows.PICTURES[name]

    assert windows.picture(lanes(), description) == (DOCS / "images" / name).read_text("utf-8")


def test_every_picture_is_shown_and_light() -> None:
    pages = "".join(page.read_text("utf-8") for page in DOCS.glob("*.md"))
    images = list((DOCS / "images").iterdir())

    assert [] == [image.name for image in images if f"images/{image.name}" not in pages]
    assert MOST_BYTES > sum(image.stat().st_size for image in images)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param('<a href="other.html#here">', [], id="sound"),
        pytest.param('<a href="gone.html">', ["links to gone.html"], id="page"),
        pytest.param('<a href="other.html#gone">', ["links to other.html#gone"], id="anchor"),
        pytest.param('<img src="gone.png">', ["links to gone.png"], id="picture"),
        pytest.param(
            '<script src="https://cdn.example/a.js"></script>',
            ["loads https://cdn.example/a.js"],
            id="other-host",
        ),
        pytest.param('<a href="https://other.example/">', [], id="link-to-another-host"),
    ],
)
def test_built_links_are_followed(body: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(body)
    (tmp_path / "other.html").write_text('<h2 id="here">')

    assert found == [
        re.sub(r"^index\.html |, which isn't there$", "", line) for line in findings(tmp_path)
    ]


def test_a_site_without_pages_is_no_site(tmp_path: Path) -> None:
    assert [f"{tmp_path} holds no page"] == list(findings(tmp_path))
