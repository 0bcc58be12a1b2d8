"""The pages in a real browser: they draw themselves, send calls, and speak to nobody else."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from mockserver import create_app
from mockserver.pages import assets
from mockserver.server import MockServer
from tests.pages.browsing import WIDTHS, Visit, visiting

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
from playwright.sync_api import expect  # noqa: E402 - only where it is installed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Response

pytestmark = [
    pytest.mark.skipif(
        assets.renderer_folder() is None, reason="needs the extra: pip install '.[pages]'"
    ),
    # Playwright leaves its event loop's pipes to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PAGES = ["/", "/rules", "/docs", "/docs/control", "/_mock/"]
LIST_CHATS = "#operations-Chats-listChats"
SHADE = "getComputedStyle(document.body).backgroundColor"
TOKEN = "s3cret-of-this-test"


@pytest.mark.parametrize("path", PAGES)
def test_page_fits(visit: Visit, path: str) -> None:
    """Nothing is wider than the window, and the page follows the wanted scheme."""
    visit.open(path)
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 1000})
        assert width == visit.page.evaluate("document.documentElement.scrollWidth")
    visit.page.emulate_media(color_scheme="light")
    light = visit.page.evaluate(SHADE)
    visit.page.emulate_media(color_scheme="dark")

    assert ("rgb(251, 250, 248)", "rgb(21, 24, 28)") == (light, visit.page.evaluate(SHADE))


@pytest.mark.parametrize("path", PAGES)
def test_first_load_is_light(visit: Visit, path: str) -> None:
    """All that a page brings, but for the renderer of the references, packed as on a wire."""
    answers: list[Response] = []
    visit.page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - Playwright marks its handlers, and a builtin takes no mark
    visit.open(path)
    apart = ("/_pages/swagger-ui/", "/_mock/journal/stream")
    bodies = [a.body() for a in answers if not any(part in a.url for part in apart)]

    assert len(bodies) > 2
    assert sum(len(gzip.compress(body)) for body in bodies) < 300_000


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
    assert 2 == visit.forgive(401)
    sent = [r.headers.get("authorization") for r in visit.asked if "/v1/1001/chats" in r.url]
    assert ["Bearer fm_api_test_full", "Bearer fm_api_test_revoked", None] == sent


def test_control_api_is_tried_with_every_method(served: MockServer, visit: Visit) -> None:
    """Reads and writes alike, for they come from a page of the mock itself."""
    visit.open("/docs/control")
    answers = {"World-get-summary": '"operations": 93', "World-reset-world": '"organizations"'}
    for operation, part in answers.items():
        block = visit.page.locator(f"#operations-{operation}")
        block.locator(".opblock-summary-control").click()
        block.locator(".execute").click()
        answer = block.locator(".live-responses-table")
        expect(answer.locator("tbody td.response-col_status")).to_contain_text("200")
        expect(answer.locator(".highlight-code").first).to_contain_text(part)
    (reset,) = [r for r in visit.asked if r.url.endswith("/_mock/reset")]
    assert ("POST", served.url) == (reset.method, reset.header_value("origin"))


def test_token_is_typed_once(chromium: Browser) -> None:
    """Then the live world lives, the reference tries what it shows, and signing out ends both."""
    with MockServer(create_app(token=TOKEN)) as server, visiting(chromium, server.url) as visit:
        page = visit.page
        page.goto(server.url + "/_mock/")
        page.get_by_label("Token").fill("another")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("That isn't the token.")
        assert 1 == visit.forgive(403)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        page.get_by_role("button", name="Freeze").click()
        expect(page.get_by_text("The world: the clock stands still.")).to_be_visible()
        (cookie,) = page.context.cookies()
        assert (True, "Strict") == (cookie.get("httpOnly"), cookie.get("sameSite"))
        visit.open("/docs/control")
        summary = page.locator("#operations-World-get-summary")
        summary.locator(".opblock-summary-control").click()
        summary.locator(".execute").click()
        expect(summary.locator(".live-responses-table")).to_contain_text('"operations": 93')
        page.get_by_role("link", name="Signed in").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        page.goto(server.url + "/docs/control")
        expect(page.get_by_label("Token")).to_be_visible()


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
