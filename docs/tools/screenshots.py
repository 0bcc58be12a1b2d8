"""Take the pictures of the running product: ``python -m docs.tools.screenshots`` writes them to docs/images.

Time stands still in the mock and nothing moves in the browser, so another run takes the same pictures.
It needs Playwright for Python, a Chromium on the PATH, and the extra ``pages``.
"""

from __future__ import annotations

import base64
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import httpx

from contract_tests.embedded import profile_of
from contract_tests.gate import Asked, check_target
from contract_tests.reports.html import as_html
from mockserver import create_app
from mockserver.clock import Clock, parse_time
from mockserver.contract import load_contract
from mockserver.defects import defect_named, site_of
from mockserver.server import MockServer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

IMAGES = Path(__file__).resolve().parents[1] / "images"
FROZEN = "2026-01-31T10:20:30Z"
SHOWN = "http://127.0.0.1:4010"
"""The address in the pictures, whatever port is free."""
DEFECTS = ("revoked-key-passes", "error-with-code")
WIDTHS = {1440: 900, 390: 844}
"""The widths of the pictures, and their heights."""
QUALITY = 0.8

# Draws a PNG as WebP, which the browser can and Playwright can't.
_AS_WEBP = """async ([png, quality]) => {
  const image = new Image();
  image.src = 'data:image/png;base64,' + png;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a picture shows."""

    name: str
    url: str
    ready: str = "h1"
    """What can be seen once the page has drawn itself."""
    clicks: tuple[str, ...] = ()
    """What is clicked then, one after the other."""
    then: str = ""
    """What the clicks show."""
    top: str = ""
    """Where the picture begins, if that isn't the top of the page."""


_CHATS = "#operations-Chats-listChats"
WORLD = Subject(
    "world",
    f"{SHOWN}/_mock/",
    "#stream:text-is('live')",
    (".pick[data-id=wren]", "text=Show in the journal"),
    "#exchanges summary",
    "#detail",
)
SUBJECTS = (
    Subject("landing", f"{SHOWN}/"),
    Subject(
        "reference",
        f"{SHOWN}/docs",
        "#reference[data-ready=yes]",
        (f"{_CHATS} .opblock-summary-control",),
        f"{_CHATS} .opblock-body",
        _CHATS,
    ),
    WORLD,
    Subject("rules", f"{SHOWN}/rules#rate.headroom"),
)


def still() -> Clock:
    """Return a clock that stands."""
    clock = Clock()
    clock.freeze(parse_time(FROZEN))
    return clock


def report() -> str:
    """Return the HTML report of a run on a mock with two planted defects."""
    app = create_app(clock=still())
    site_of(app.mock).plant([defect_named(name) for name in DEFECTS])
    with MockServer(app) as server:
        asked = Asked(fast=True)
        outcome = check_target(load_contract(), profile_of(server), asked, lambda _: None)
        # How long it took, what came first and how often it had to ask differ from run to run.
        for finding in outcome.findings:
            finding.breaches.sort(key=lambda breach: breach.operation.split()[::-1])
        asked_for = round(outcome.requests, -3)
        told = replace(outcome, spec="openapi.yaml", seconds=20.0, requests=asked_for)
        return as_html(told).replace(server.url, SHOWN)


def live(url: str) -> None:
    """Let some clients call, so that there is something to see."""
    with httpx.Client(base_url=url) as client:
        for key, path in (
            *[("fm_api_test_tiny", "/v1/accounts")] * 4,
            ("fm_api_test_full", "/v1/1001/chats?limit=5"),
            ("fm_api_test_full", "/v1/1003/chats"),
            ("fm_api_test_readonly", "/v1/1001/tracking-links"),
            ("fm_api_test_pastdue", "/v1/accounts"),
        ):
            client.get(path, headers={"X-API-Key": key})


def take(browser: Browser, subject: Subject, width: int, scheme: Literal["light", "dark"]) -> None:
    """Write one picture."""
    page = browser.new_page(
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    page.goto(subject.url)
    page.wait_for_selector(subject.ready)
    for selector in subject.clicks:
        page.click(selector)
    if subject.then:
        page.wait_for_selector(subject.then)
    if subject.top:
        page.eval_on_selector(subject.top, "e => e.scrollIntoView()")
    page.evaluate("document.activeElement?.blur()")
    png = page.screenshot(animations="disabled", caret="hide")
    page.goto("about:blank")
    webp = page.evaluate(_AS_WEBP, [base64.b64encode(png).decode(), QUALITY])
    suffix = "" if scheme == "light" else f"-{scheme}"
    file = IMAGES / f"{subject.name}-{width}{suffix}.webp"
    file.write_bytes(base64.b64decode(webp))
    page.close()
    print(f"{file.name}: {file.stat().st_size:,} bytes")


def main() -> None:
    """Start a mock and a browser, and take every picture."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("docs: there is no Chromium on the PATH to take pictures with")
    with (
        MockServer(create_app(clock=still())) as server,
        TemporaryDirectory() as folder,
        sync_playwright() as driver,
    ):
        live(server.url)
        file = Path(folder) / "report.html"
        file.write_text(report(), "utf-8")
        mapped = f"MAP 127.0.0.1:4010 {server.url.removeprefix('http://')}"
        flags = ["--no-sandbox", "--disable-gpu", f"--host-resolver-rules={mapped}"]
        browser = driver.chromium.launch(executable_path=chromium, args=flags)
        written = file.as_uri()
        subjects = (
            *SUBJECTS,
            Subject("report", written),
            Subject(
                "breach",
                f"{written}#auth.key-revoked",
                clicks=("details.breach summary:visible",),
                then="details.breach[open]",
            ),
        )
        for subject in subjects:
            for width in WIDTHS:
                take(browser, subject, width, "light")
        take(browser, WORLD, 1440, "dark")
        browser.close()


if __name__ == "__main__":
    main()
