"""Follow every link of the built site, and see that no page needs the Internet.

``zensical build --strict`` checks links between pages as they are written; this checks what was built:
files, images and anchors too. Run it from the root: ``python -m docs.tools.links site``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("source", "srcset"),
    ("iframe", "src"),
}
"""What a browser fetches by itself."""


class Built(HTMLParser):
    """What a page of the site links to, loads, and can be linked at."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = {""}
        self.feed(file.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id":
                self.anchors.add(value)
            elif (tag, name) in LOADED:
                self.loaded.add(value)
            elif (tag, name) == ("a", "href"):
                self.links.add(value)


def findings(site: Path) -> Iterator[str]:
    """Yield one line for each link that leads nowhere and each thing loaded from elsewhere."""
    # The page for unknown addresses may be shown anywhere, so its links begin at the root.
    files = [file for file in sorted(site.rglob("*.html")) if file.name != "404.html"]
    built = {file.resolve(): Built(file) for file in files}
    for page in built.values():
        name = page.file.relative_to(site)
        for link in sorted(page.loaded):
            if urlsplit(link).netloc:
                yield f"{name} loads {link}"
        for link in sorted(page.links | page.loaded):
            if not leads_somewhere(page, link, built):
                yield f"{name} links to {link}, which isn't there"
    if not files:
        yield f"{site} holds no page"


def leads_somewhere(page: Built, link: str, built: dict[Path, Built]) -> bool:
    """Say whether ``link`` is another host's, or a file of the site and, if it says so, a place in it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.file.parent / unquote(parts.path)).resolve() if parts.path else page.file
    if target.is_dir():
        target /= "index.html"
    reached = built.get(target.resolve())
    return unquote(parts.fragment) in reached.anchors if reached else target.is_file()


if __name__ == "__main__":
    lines = list(findings(Path(sys.argv[1])))
    sys.exit("\n".join(lines) or 0)
