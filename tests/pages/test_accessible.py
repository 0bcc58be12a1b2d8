"""What axe finds on each page, on a phone and a desk, light and dark: nothing serious."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests

from mockserver import create_app
from mockserver.pages import assets
from mockserver.server import MockServer
from tests.pages.browsing import WIDTHS, Visit, visiting
from tests.pages.reporting import report

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

RENDERERS_OWN = {"nested-interactive"}
"""Swagger UI puts buttons into the button that opens an operation, and we don't rewrite its elements."""

SETTLED = """async () => {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  await Promise.allSettled(document.getAnimations().map((each) => each.finished));
}"""

# Playwright leaves its event loop's pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
needs_renderer = pytest.mark.skipif(
    assets.renderer_folder() is None, reason="needs the extra: pip install '.[pages]'"
)


def found(page: Page) -> list[tuple[str, str, str]]:
    """Return the serious findings on the page as it is now: the rule, why, and the element."""
    answer: dict[str, Any] = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        (violation["id"], node["failureSummary"], node["html"])
        for violation in answer["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
        if not (violation["id"] in RENDERERS_OWN and "opblock-summary" in node["html"])
    ]


def in_every_way(page: Page) -> list[tuple[str, str, str]]:
    """Return what is found at each width in each scheme."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    every = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLED)  # a colour on its way to another would be judged
            every += found(page)
    return every


def landing(visit: Visit) -> None:
    visit.open("/")


def rules(visit: Visit) -> None:
    visit.open("/rules#rate.minute")


def reference(visit: Visit) -> None:
    """Open an operation, send it, and get its answer."""
    visit.open("/docs#/Chats/listChats")
    sent(visit.page)


def reference_with_a_body(visit: Visit) -> None:
    visit.open("/docs/control#/Organizations/change-organization")
    visit.page.locator(".opblock-body").first.wait_for()


def control_reference(visit: Visit) -> None:
    visit.open("/docs/control#/World/reset-world")
    sent(visit.page)


def sent(page: Page) -> None:
    page.locator(".execute").first.click()
    page.locator(".live-responses-table").first.wait_for()


def world(visit: Visit) -> None:
    """Choose an organization, open every form, and an entry of the journal."""
    visit.open("/_mock/")
    page = visit.page
    page.locator(".pick[data-id=lark]").click()
    for text in ("Plant a fault", "Mint an organization", "Reset the world"):
        page.get_by_text(text).first.click()
    headers = {"X-API-Key": "fm_api_test_full"}
    requests.post(visit.url + "/v1/x", headers=headers, json={}, timeout=10)
    page.locator("#exchanges summary").first.click()
    page.locator(".exchange").wait_for()


@pytest.mark.parametrize(
    "show",
    [
        landing,
        rules,
        pytest.param(reference, marks=needs_renderer),
        pytest.param(reference_with_a_body, marks=needs_renderer),
        pytest.param(control_reference, marks=needs_renderer),
        world,
    ],
    ids=lambda show: show.__name__,
)
def test_page(show: Callable[[Visit], None], visit: Visit) -> None:
    show(visit)

    assert [] == in_every_way(visit.page)


def test_sign_in(chromium: Browser) -> None:
    """Before and after a wrong token."""
    with MockServer(create_app(token="s3cret")) as server, visiting(chromium, server.url) as visit:
        visit.page.goto(server.url + "/_mock/")
        before = in_every_way(visit.page)
        visit.page.get_by_label("Token").fill("x")
        visit.page.keyboard.press("Enter")
        visit.page.get_by_role("alert").wait_for()
        visit.forgive(403)

        assert ([], []) == (before, in_every_way(visit.page))


def test_report(chromium: Browser, tmp_path: Path) -> None:
    """With every breach open."""
    file = tmp_path / "report.html"
    file.write_text(report(), encoding="utf-8")
    with visiting(chromium, file.as_uri()) as visit:
        visit.page.goto(file.as_uri())
        visit.page.get_by_role("button", name="Open all breaches").click()

        assert [] == in_every_way(visit.page)


def test_finds_what_is_wrong(visit: Visit) -> None:
    """A page with a pale text and a nameless field doesn't pass."""
    visit.open("/")
    visit.page.locator("main").evaluate(
        "main => { main.style.color = '#aaa'; main.append(document.createElement('input')); }"
    )

    assert {"color-contrast", "label"} <= {rule for rule, _, _ in found(visit.page)}
