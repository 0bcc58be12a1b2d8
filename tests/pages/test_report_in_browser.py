"""The gate's HTML report in a real browser: its filters, its links, its breaches, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mockserver import rules
from mockserver.rules import RULES, Level
from tests.pages.browsing import WIDTHS, Visit, visiting
from tests.pages.reporting import MARKUP, report

pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ALL = f"{len(RULES)} of {len(RULES)} rules"
BROKEN = [rules.KEY_MISSING.id, rules.FLAT.id]

# Playwright leaves its event loop's pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report; return its path."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report(), encoding="utf-8")
    return file


@pytest.fixture
def visit(chromium: Browser, file: Path) -> Iterator[Visit]:
    """Return a visitor of the report, which asks for nothing but itself and complains of nothing."""
    with visiting(chromium, file.as_uri()) as visit:
        yield visit


def shown(visit: Visit) -> list[str]:
    """Return the ids of the rules that are shown."""
    visible = visit.page.locator("tr.rule:visible")
    ids: list[str] = visible.evaluate_all("rows => rows.map(row => row.id)")
    return ids


def test_filters_join(visit: Visit) -> None:
    """Choices of one kind add up, kinds narrow each other, and an empty area goes."""
    visit.open("")
    page, count = visit.page, visit.page.locator("#shown")
    expect(count).to_have_text(ALL)
    page.get_by_role("checkbox", name="broken").check()
    assert BROKEN == shown(visit)
    page.get_by_role("checkbox", name="not checked").check()
    assert {rules.BEARER.id, *BROKEN} <= set(shown(visit))
    assert rules.X_API_KEY.id not in shown(visit)
    page.get_by_role("checkbox", name="not checked").uncheck()
    page.get_by_label("Area", exact=True).select_option(rules.FLAT.area)

    assert [rules.FLAT.id] == shown(visit)
    expect(count).to_have_text(f"1 of {len(RULES)} rules")
    expect(page.locator("tbody:visible")).to_have_count(1)


def test_levels_and_words_filter(visit: Visit) -> None:
    """Words are sought in the evidence too, and nothing found is said in words."""
    visit.open("")
    page = visit.page
    page.get_by_role("checkbox", name="inferred").check()
    assert [r.id for r in RULES.values() if r.level is Level.INFERRED] == shown(visit)
    page.get_by_role("button", name="Show all").click()
    page.get_by_label("Search").fill("GET /V1/3")
    assert [rules.FLAT.id] == shown(visit)
    page.get_by_label("Search").fill("no such words")
    expect(page.locator("#shown")).to_have_text("No rule matches")
    page.get_by_role("button", name="Show all").click()

    expect(page.locator("#shown")).to_have_text(ALL)
    assert list(RULES) == shown(visit)


def test_link_leads_to_its_rule(visit: Visit) -> None:
    """It is in view with its breaches open, though a filter hides it."""
    visit.open(f"#{rules.FLAT.id}")
    row = visit.page.locator(f'[id="{rules.FLAT.id}"]')
    expect(row).to_be_in_viewport()
    expect(visit.page.locator(f'[id="{rules.FLAT.id}"] + .evidence .breach').first).to_be_visible()
    visit.page.get_by_label("Search").fill("no such words")
    expect(row).to_be_hidden()
    visit.page.get_by_role("link", name=rules.KEY_MISSING.id, exact=True).first.evaluate(
        "a => a.click()"
    )

    expect(visit.page.locator(f'[id="{rules.KEY_MISSING.id}"]')).to_be_in_viewport()
    expect(visit.page.locator("#shown")).to_have_text(ALL)


def test_breaches_open_and_close_together(visit: Visit) -> None:
    visit.open("")
    every = visit.page.locator("details")
    visit.page.get_by_role("button", name="Open all breaches").click()
    expect(visit.page.locator("details[open]")).to_have_count(every.count())
    visit.page.get_by_role("button", name="Close all breaches").click()

    expect(visit.page.locator("details[open]")).to_have_count(0)


def test_markup_shows_as_text(visit: Visit) -> None:
    visit.open("")
    visit.page.get_by_role("button", name="Open all breaches").click()

    expect(visit.page.locator("pre", has_text=MARKUP).first).to_be_visible()
    assert 0 == visit.page.locator("main img, .breach pre b b").count()


def test_line_is_copied(visit: Visit) -> None:
    """The button is there once a breach is open; the line is copied, or selected where that is forbidden."""
    visit.open("")
    visit.page.get_by_role("button", name="Open all breaches").click()
    line = visit.page.locator(".repeat pre").first
    button = visit.page.locator(".repeat button").first
    button.click()

    visit.page.wait_for_function(
        "([button, line]) => button.textContent === 'Copied' || String(getSelection()) === line.textContent",
        arg=[button.element_handle(), line.element_handle()],
    )


def test_paper_has_everything_but_controls(visit: Visit) -> None:
    """Every breach is printed, open or not, on as many pages as it takes; afterwards they are as before."""
    visit.open("")
    page = visit.page
    page.get_by_label("Search").fill(rules.FLAT.id)
    page.get_by_role("button", name="Show all").click()
    before = page.locator("details[open]").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    assert page.locator("details").count() == page.locator("details[open]").count() > before
    for hidden in ("#filters", ".skip"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".repeat pre").last).to_be_visible()
    assert "rgb(255, 255, 255)" == page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert before == page.locator("details[open]").count()
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
    assert pages > 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_every_width(visit: Visit, scheme: str) -> None:
    visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    visit.open("")
    visit.page.get_by_role("button", name="Open all breaches").click()
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 1000})
        assert width == visit.page.evaluate("document.documentElement.scrollWidth")
