"""The page of the running mock in a real browser, which nobody but the mock speaks with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from mockserver import create_app
from mockserver.server import MockServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from mockserver.app import MockFlask
    from mockserver.organizations import Organization

MARKUP = "<img src=x onerror=alert(1)><b>bold</b>"
WATCH = """
window.drawn = [];
new MutationObserver((changes) => {
  if (changes.some((change) => change.addedNodes.length)) window.drawn.push(Date.now());
}).observe(document.getElementById("exchanges"), { childList: true });
"""


class Open:
    """The page of a mock with two organizations, and what a person does there."""

    def __init__(self, page: Page, app: MockFlask, url: str) -> None:
        self.page, self.url, self.world = page, url, app.mock.world
        self.complaints: list[str] = []
        self.asked: set[str] = set()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        page.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        page.goto(f"{url}/_mock/")
        page.get_by_text("live", exact=True).wait_for()

    def choose(self, id: str) -> Organization:
        """Choose an organization in the list, and return it."""
        self.page.locator(f".pick[data-id={id}]").click()
        self.page.locator("#detail code", has_text=id).first.wait_for()
        return self.world.organization(id)

    def press(self, name: str, within: str = "#detail") -> None:
        self.page.locator(within).get_by_role("button", name=name, exact=True).click()

    def told(self, text: str) -> None:
        """Wait until the page says what was done."""
        self.page.get_by_role("status").get_by_text(text).wait_for()

    def call(self, id: str, path: str = "/v1/accounts") -> int:
        """Call the mocked API from outside; return the status."""
        key = self.world.add_key(self.world.organization(id)).secret
        return requests.get(self.url + path, headers={"X-API-Key": key}, timeout=10).status_code

    def entries(self) -> Locator:
        return self.page.locator("#exchanges summary")


@pytest.fixture(scope="module")
def mock() -> Iterator[tuple[MockFlask, str]]:
    app = create_app()
    with MockServer(app) as server:
        yield app, server.url


@pytest.fixture
def world(mock: tuple[MockFlask, str], chromium: Browser) -> Iterator[Open]:
    """Return the page in a fresh world; afterwards nothing was complained of, and nobody else was asked."""
    app, url = mock
    app.mock.world.reset()
    app.mock.world.clock.reset()
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    opened = Open(context.new_page(), app, url)
    yield opened
    context.close()
    assert [] == opened.complaints
    assert {urlsplit(url).netloc} == opened.asked


def test_call_from_outside_appears(world: Open) -> None:
    """It opens to the exchange, the rule that refused and a line that sends it again, without the key."""
    assert 404 == world.call("lark", "/v1/9999999/chats")
    world.entries().first.wait_for()
    world.entries().first.click()
    entry = world.page.locator(".exchange")

    assert "404 GET /v1/9999999/chats lark" == " ".join(world.entries().inner_text().split())
    assert re.search(r"Rule that refused\s+\S+\.\S+: \w+", entry.inner_text())
    assert (
        f'curl {world.url}/v1/9999999/chats -H "X-API-Key: $FANSMETRIC_KEY"'
        == entry.locator(".curl").inner_text()
    )
    assert "fm_api_" not in world.page.locator("body").inner_text().replace("fm_api_test_full", "")


def test_calls_appear_within_a_second(world: Open) -> None:
    """From an exchange's own time to its being drawn; the fastest counts, for a busy machine slows any one."""
    world.page.evaluate(WATCH)
    for number in range(5):
        world.call("lark")
        world.entries().nth(number).wait_for()
    drawn = [at / 1000 for at in world.page.evaluate("drawn")]
    answered = [exchange.at for exchange in world.world.organization("lark").journal]

    assert min(seen - at for seen, at in zip(drawn, answered, strict=True)) < 1


def test_calls_appear_while_the_page_stands_still(world: Open) -> None:
    """The journal is told, and doesn't ask: none of the page's timers runs on."""
    world.page.clock.install(time=0)
    world.page.clock.pause_at(1_000)
    world.call("lark")

    world.entries().first.wait_for()


def test_whatever_has_no_button_is_sent_by_hand(world: Open) -> None:
    """Every call of the control API is offered, but the stream that the page listens to itself."""
    lark = world.choose("lark")
    before = set(lark.keys)
    form = world.page.locator("#anything")
    form.locator("summary").click()
    form.get_by_label("Call").select_option("Make a key")
    form.get_by_label("Body").fill('{"permissions": ["api_chats_list"]}')
    world.press("Send POST", "#anything")
    world.told("It is done")
    (made,) = set(lark.keys) - before
    described = {
        operation["summary"]
        for path in requests.get(f"{world.url}/_mock/openapi.json", timeout=10)
        .json()["paths"]
        .values()
        for operation in path.values()
        if "operationId" in operation and operation["operationId"] != "stream_journal"
    }

    assert {"api_chats_list"} == lark.keys[made].role.permissions
    assert made in form.locator("#answer").inner_text()
    assert described == set(form.locator("option").all_inner_texts())


def test_what_is_sent_by_hand_must_be_whole(world: Open) -> None:
    """Neither a path with a gap nor half a body leaves the page."""
    form = world.page.locator("#anything")
    form.locator("summary").click()
    form.get_by_label("Call").select_option("Make a key")
    world.press("Send POST", "#anything")
    world.page.get_by_role("alert").get_by_text("{organization}").wait_for()
    form.get_by_label("Path").fill("/organizations/lark/keys")
    form.get_by_label("Body").fill("{")
    world.press("Send POST", "#anything")

    world.page.get_by_role("alert").get_by_text("The body isn't JSON").wait_for()


def test_advancing_the_clock_restores_a_spent_window(world: Open) -> None:
    world.choose("lark")
    world.press("Exhaust minute")
    world.told("lark: the minute is used up.")
    spent = world.call("lark")
    world.press("Advance by 1 min")
    world.told("lark: 1 min passed.")

    assert (429, 200) == (spent, world.call("lark"))
    world.page.get_by_label("Minute: 999 of 1000 left").last.wait_for()


def test_fault_hits_the_next_call_of_its_organization_only(world: Open) -> None:
    world.choose("lark")
    world.page.get_by_text("Plant a fault").click()
    form = world.page.locator("#detail form", has_text="Kind")
    form.get_by_label("Status", exact=True).fill("503")
    form.get_by_label("Operation").fill("listAccounts")
    form.get_by_role("button", name="Plant").click()
    world.told("lark: the fault is planted.")

    assert 200 == world.call("alder")
    assert [503, 200] == [world.call("lark"), world.call("lark")]
    world.page.get_by_text("met 1 of 1").wait_for()


def test_everything_else_by_hand(world: Open) -> None:
    """Session, subscription, key, windows, faults, reset and removal do what they say."""
    lark = world.choose("lark")
    world.press("Lose the session of account 1001")
    world.told("Account 1001: sync_lost.")
    assert "sync_lost" == lark.accounts[1001].state
    world.page.get_by_label("State of the billing").select_option("past_due")
    world.told("lark: the subscription is past_due.")
    assert 402 == world.call("lark")
    key = next(iter(lark.keys.values()))
    world.press(f"Revoke the key {key.id}")
    world.told(f"Key {key.id} is revoked.")
    assert key.revoked
    world.page.get_by_label("Left of the day").fill("7")
    world.press("Set")
    world.told("lark: the windows are set.")
    assert 7 == lark.windows.day.remaining
    world.press("Freeze")
    world.told("lark: the clock stands still.")
    assert "frozen" == lark.clock.mode
    world.press("Reset")
    world.told("lark is as it was made.")
    assert "active" == world.world.organization("lark").subscription
    world.press("Remove")
    world.told("lark is removed.")
    assert "lark" not in world.world.organizations


def test_world_clock_and_reset(world: Open) -> None:
    world.press("Freeze", "header")
    world.told("The world: the clock stands still.")
    before = world.world.clock.now()
    world.press("Advance by 1 day", "header")
    world.told("The world: 1 day passed.")
    assert before + 86_400 == world.world.clock.now()
    world.world.remove_organization("alder")
    world.page.locator("summary", has_text="Reset the world").click()
    world.press("Reset the world", "header")
    world.told("The world is as it was seeded.")
    assert "alder" in world.world.organizations


def test_markup_shows_as_text(world: Open) -> None:
    """An organization's name, a path and a body that hold markup are shown as they are."""
    world.page.get_by_text("Mint an organization").click()
    form = world.page.locator("#mint")
    form.get_by_label("Name").fill(MARKUP)
    form.get_by_role("button", name="Mint").click()
    world.told("The organization is made, with a key.")
    world.call("lark", f"/v1/{MARKUP}")
    world.entries().first.click()

    assert MARKUP == world.page.locator("#detail h2").inner_text()
    assert f"/v1/{MARKUP}" == world.page.locator("#exchanges .path").inner_text()
    assert 0 == world.page.locator("main img, #exchanges summary b b, #detail b b").count()


def test_states_of_keys(world: Open) -> None:
    """An expired key is told from a revoked one, and from one that expires later."""
    world.choose("lark")
    badges = {
        name: world.page.locator("#detail li", has_text=name).locator(".badge").first.inner_text()
        for name in ("test_full", "test_revoked", "test_expired")
    }

    assert {"test_full": "valid", "test_revoked": "revoked", "test_expired": "expired"} == badges


def test_refusal_shows_as_text(world: Open) -> None:
    world.choose("lark")
    world.page.get_by_label("Left of the minute").fill("1001")
    world.press("Set")
    world.page.get_by_role("alert").get_by_text("remaining minute must be between 0 and").wait_for()

    assert "1001" == world.page.get_by_label("Left of the minute").input_value()
    assert ["Failed to load resource: the server responded with a status of 400 (BAD REQUEST)"] == (
        world.complaints
    )
    world.complaints.clear()  # the browser's own line about a refusal


def test_earlier_exchanges_of_an_organization_are_shown(world: Open) -> None:
    """They stand below what comes after them, newest first."""
    for path in ("/v1/first", "/v1/second"):
        world.call("lark", path)
    world.choose("lark")
    world.press("Show in the journal")
    world.page.locator("#exchanges li").nth(1).wait_for()
    world.call("lark", "/v1/third")
    world.page.locator("#exchanges .path", has_text="third").wait_for()

    assert ["/v1/third", "/v1/second", "/v1/first"] == (
        world.page.locator("#exchanges .path").all_inner_texts()
    )


def test_journal_is_filtered_and_searched_by_keyboard(world: Open) -> None:
    world.page.get_by_label("Search by id or name").fill("ALDER")
    world.page.get_by_text("1–1 of 1").wait_for()  # noqa: RUF001 - the page's own dash
    world.page.locator(".pick").focus()
    world.page.keyboard.press("Enter")
    world.page.get_by_role("button", name="Show in the journal").press("Enter")
    world.page.get_by_label("Status").last.fill("2xx")
    with world.page.expect_response(lambda answer: "status=2xx" in answer.url):
        world.page.keyboard.press("Enter")
    statuses = [world.call("lark"), world.call("alder", "/v1/nowhere"), world.call("alder")]
    world.entries().first.wait_for()

    assert [200, 404, 200] == statuses
    assert ["200 GET /v1/accounts alder"] == [
        " ".join(text.split()) for text in world.entries().all_inner_texts()
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_fits_every_width(width: int, scheme: str, world: Open) -> None:
    world.page.set_viewport_size({"width": width, "height": 900})
    world.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    world.choose("lark")
    world.call("lark", "/v1/" + "long" * 200)
    world.entries().first.click()

    assert width == world.page.evaluate("document.documentElement.scrollWidth")
