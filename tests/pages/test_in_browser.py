"""The pages in a real browser: they draw themselves, send calls, and speak to nobody else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from mockserver import create_app
from mockserver.pages import assets
from mockserver.server import MockServer

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect  # noqa: E402 - only where it is installed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.skipif("FANSMETRIC_BROWSER" not in os.environ, reason="run by `tox -e browser`"),
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on the PATH"),
    pytest.mark.skipif(
        assets.renderer_folder() is None, reason="needs the extra: pip install '.[pages]'"
    ),
    # Playwright leaves its event loop's pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PAGES = ["/", "/rules", "/docs", "/docs/control"]
LIST_CHATS = "#operations-Chats-listChats"
SHADE = "getComputedStyle(document.body).backgroundColor"
expect.set_options(timeout=30_000)  # a busy machine draws slowly


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    """Serve a mock of these tests' own."""
    with MockServer(create_app()) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run one browser for all tests."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
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

    def note(self, message: ConsoleMessage) -> None:
        """Keep what a console says that isn't mere information."""
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


@pytest.fixture
def visit(mock: MockServer, chromium: Browser) -> Iterator[Visit]:
    """Return a visitor, whose visit must be quiet and stay on the host."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    visit = Visit(context.new_page(), mock.url)
    visit.page.on("console", visit.note)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", lambda request: visit.asked.append(request))  # noqa: PLW0108 - Playwright marks its handlers, and a builtin takes no mark
    yield visit
    context.close()
    assert [] == visit.errors
    ours = (mock.url, "data:", "blob:")
    assert [] == [r.url for r in visit.asked if not r.url.startswith(ours)]


@pytest.mark.parametrize("path", PAGES)
def test_page_fits(visit: Visit, path: str) -> None:
    """Nothing is wider than the window, and the page follows the wanted scheme."""
    visit.open(path)
    for width in (390, 1440):
        visit.page.set_viewport_size({"width": width, "height": 1000})
        assert width == visit.page.evaluate("document.documentElement.scrollWidth")
    visit.page.emulate_media(color_scheme="light")
    light = visit.page.evaluate(SHADE)
    visit.page.emulate_media(color_scheme="dark")

    assert ("rgb(251, 250, 248)", "rgb(21, 24, 28)") == (light, visit.page.evaluate(SHADE))


def test_try_it_sends_the_chosen_key(visit: Visit) -> None:
    """The answer is the mock's, envelope and all, to a call with the key of the list."""
    visit.open("/docs#/Chats/listChats")
    operation = visit.page.locator(LIST_CHATS)
    live = operation.locator(".live-responses-table")
    expect(operation.locator(".opblock-description")).to_contain_text(
        "Permission api_chats_list · reference · source: chats/list-chats"
    )
    assert "fm_api_test_full" == visit.page.locator("#key").input_value()
    operation.locator(".execute").click()
    expect(live.locator("tbody td.response-col_status")).to_contain_text("200")
    expect(live.locator(".highlight-code").first).to_contain_text('"_meta"')
    for key in ("fm_api_test_revoked", ""):
        visit.page.select_option("#key", key)
        operation.locator(".btn-clear").click()
        operation.locator(".execute").click()
        expect(live.locator("tbody td.response-col_status")).to_contain_text("401")
        expect(live.locator(".highlight-code").first).to_contain_text('"error"')
    # The browser itself reports each refusal on the console.
    refusals = [error for error in visit.errors if "status of 401" in error]
    visit.errors = [error for error in visit.errors if error not in refusals]
    assert 2 == len(refusals)
    sent = [r.headers.get("authorization") for r in visit.asked if "/v1/1001/chats" in r.url]
    assert ["Bearer fm_api_test_full", "Bearer fm_api_test_revoked", None] == sent


def test_control_api_is_read_from_the_page(visit: Visit) -> None:
    """Reads can be tried; writes, which the control API would refuse, have no button."""
    visit.open("/docs/control")
    for operation, buttons in (("get_summary", 1), ("reset_world", 0)):
        block = visit.page.locator(f"#operations-World-{operation}")
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".opblock-body")).to_be_visible()
        expect(block.locator(".execute")).to_have_count(buttons)
    summary = visit.page.locator("#operations-World-get_summary")
    summary.locator(".execute").click()
    expect(summary.locator(".live-responses-table .highlight-code").first).to_contain_text(
        '"operations": 93'
    )


def test_rules_are_filtered(visit: Visit) -> None:
    visit.open("/rules")
    visit.page.fill("[name=text]", "both rate HEADERS")
    expect(visit.page.locator("#shown")).to_have_text("No rule matches")
    visit.page.fill("[name=text]", "revoked key refused")
    expect(visit.page.locator(".rule:visible")).not_to_have_count(0)
    assert "auth.key-revoked" in visit.page.locator(".rule:visible").first.inner_text()


def test_link_leads_to_its_rule(visit: Visit) -> None:
    """Its card is in view, with its proofs open."""
    visit.open("/rules#rate.minute")
    card = visit.page.locator('[id="rate.minute"]')
    expect(card).to_be_in_viewport()
    expect(card.locator("details li").first).to_be_visible()


def test_line_is_copied(visit: Visit) -> None:
    """To the clipboard, or selected where the browser keeps that from the page."""
    visit.open("/")
    button = visit.page.locator(".line button").first
    button.click()
    expect(button).to_have_text("Copied")
