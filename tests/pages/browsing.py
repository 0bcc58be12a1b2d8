"""A real browser for the tests of the pages: what is started, and a visit that must be quiet and stay on the host."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = (390, 1440)
"""A phone's and a desk's, in CSS pixels."""

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
_PATIENCE = 30_000
"""Milliseconds: a busy machine draws slowly."""


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the machine's Chromium until the block ends."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=_FLAGS)
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page in its own window, and whatever went on behind it."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    """What the console and the scripts complained of."""
    asked: list[Request] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to ``path`` and wait until it is drawn."""
        self.page.goto(self.url + path)
        if path.startswith("/docs"):
            self.page.wait_for_selector("#reference[data-ready=yes]")
        elif path == "/_mock/":
            self.page.get_by_text("live", exact=True).wait_for()

    def note(self, message: ConsoleMessage) -> None:
        """Keep what a console says that isn't mere information."""
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def forgive(self, status: int) -> int:
        """Forget the lines in which the browser itself reports answers of ``status``; return how many."""
        refusals = [error for error in self.errors if f"status of {status}" in error]
        self.errors = [error for error in self.errors if error not in refusals]
        return len(refusals)


@contextmanager
def visiting(browser: Browser, url: str) -> Iterator[Visit]:
    """Open a window for a visit to ``url``; afterwards nothing was complained of, and nobody else was asked."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    visit = Visit(context.new_page(), url)
    visit.page.on("console", visit.note)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", lambda request: visit.asked.append(request))  # noqa: PLW0108 - Playwright marks its handlers, and a builtin takes no mark
    yield visit
    context.close()
    assert [] == visit.errors
    ours = (url, "data:", "blob:")
    assert [] == [r.url for r in visit.asked if not r.url.startswith(ours)]
