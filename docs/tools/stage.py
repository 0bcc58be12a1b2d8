"""Gather the pages of the site in one folder, with links that work there.

The pages are written to be read on a code host: they link to files anywhere in the repository.
Here each such file becomes a page of the site or a file beside it, and the links follow.
Run it from the root: ``python -m docs.tools.stage``.
"""

from __future__ import annotations

import re
import shutil
import sys
from os.path import normpath
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
STAGED = ROOT / "build" / "docs"
ELSEWHERE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "contract_tests/README.md": "gate-inside.md",
    "tests/gate/independent/README.md": "independent-server.md",
    "benchmarks/README.md": "benchmarks.md",
}
"""Pages of the site that lie outside `docs/`, and what they are called there."""

_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(`[^`\n]*`)|\[((?:`[^`]*`|[^\[\]`])*)\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)")
_SECTION = re.compile(r"^<!-- site: ([\w./-]+)#([\w-]+) -->$", re.MULTILINE)


class Dangling(Exception):
    """Raised when a page links to, or includes, what isn't there."""


def pages() -> dict[str, str]:
    """Return where each Markdown file of the repository that is a page lies, and its name in the site."""
    own = {f"docs/{file.name}": file.name for file in sorted((ROOT / "docs").glob("*.md"))}
    return own | ELSEWHERE


def stage(folder: Path = STAGED) -> None:
    """Write every page, and every file that one links to, into ``folder``.

    Raises ``Dangling``, which names page and target, when a link leads nowhere.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "docs" / "images", folder / "images")
    shutil.copyfile(ROOT / "docs" / "tools" / "site.css", folder / "site.css")
    for source, name in pages().items():
        page = Page(source, name, folder)
        page.write((ROOT / source).read_text("utf-8"))


class Page:
    """One page on its way into the site."""

    def __init__(self, source: str, name: str, folder: Path) -> None:
        self.source, self.name, self.folder = source, name, folder

    def write(self, text: str) -> None:
        parts = _SECTION.split(self._moved(text, self.source))
        for at in range(1, len(parts), 3):
            parts[at] = self._moved(section(parts[at], parts[at + 1]), parts[at])
            parts[at + 1] = ""
        (self.folder / self.name).write_text("".join(parts), "utf-8")

    def _moved(self, text: str, base: str) -> str:
        """Return ``text``, which stands in the file ``base``, with links that work on this page."""
        parts = _FENCE.split(text)
        parts[::2] = [_LINK.sub(lambda link: self._link(link, base), part) for part in parts[::2]]
        return "".join(parts)

    def _link(self, link: re.Match[str], base: str) -> str:
        code, words, target, anchor = link.groups(default="")
        if code:
            return code
        path = normpath(PurePosixPath(base).parent / target)
        if (ROOT / path).is_dir():
            return words if "`" in words else f"{words} (`{path}`)"
        if not (ROOT / path).is_file():
            raise Dangling(f"{base} links to {target}, which isn't there")
        place = self._place(path, anchor)
        if place == self.name and not anchor:
            return words
        return f"[{words}]({place}{anchor})"

    def _place(self, path: str, anchor: str) -> str:
        """Return where a file of the repository lies in the site; one that is no page is copied."""
        if path == "README.md":
            return including(anchor)
        if path in pages():
            return pages()[path]
        if path.startswith("docs/images/"):
            return path.removeprefix("docs/")
        copy = self.folder / "repository" / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)
        return f"repository/{path}"


def including(anchor: str) -> str:
    """Return the page of the site that shows a section of the README."""
    for source, name in pages().items():
        if f"<!-- site: README.md{anchor} -->" in (ROOT / source).read_text("utf-8"):
            return name
    if anchor:
        raise Dangling(f"no page of the site shows README.md{anchor}")
    return "index.md"


def section(file: str, anchor: str) -> str:
    """Return what stands under one heading of a Markdown file, up to the next one of its rank."""
    for found in re.split(r"^#{1,2} ", (ROOT / file).read_text("utf-8"), flags=re.MULTILINE)[1:]:
        heading, _, body = found.partition("\n")
        if anchor == re.sub(r"\W+", "-", heading.lower()).strip("-"):
            return body.strip("\n")
    raise Dangling(f"{file} has no section {anchor}")


if __name__ == "__main__":
    try:
        stage()
    except Dangling as dangling:
        sys.exit(f"docs: {dangling}")
