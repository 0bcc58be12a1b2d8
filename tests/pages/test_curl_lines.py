"""The line that sends an exchange again, as a shell reads it when somebody pastes it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pages.browsing import Visit

LINE = """async (given) => {
  const { curlLine } = await import("/_mock/page/curl.js");
  const exchange = { method: "POST", path: "/v1/1001/tags", query: "", headers: {}, key_places: [], ...given };
  return curlLine(exchange, "http://127.0.0.1:4010");
}"""

BODIES = {
    "plain": '{"name": "Decaf"}',
    "quotes": """{"name": "it's \\"$HOME\\" `id` \\\\ !!"}""",
    "lines": "a\nb",
    "end-of-a-paste": "\x1b[201~\x03\ntouch harmed\n",
    "carriage-return": "x\r\ntouch harmed\r",
    "controls": "\x01\t\x7f\x04it's \\x41 5",
    "high-controls": "\u009b201~\u0085 \u00e4",
    "hidden-key": "a\tfm_api_***'\tb",
}


@pytest.mark.parametrize("case", BODIES)
def test_bodies_stay_data(case: str, visit: Visit) -> None:
    """No control character reaches the terminal as itself, and the shell makes the same body of the line."""
    visit.open("/_mock/")
    line = visit.page.evaluate(LINE, {"body": BODIES[case]})
    script = (
        f"export LC_ALL=C.UTF-8 FANSMETRIC_KEY=KEY; curl() {{ printf '%s\\0' \"$@\"; }}; {line}"
    )
    read = subprocess.run(["bash", "-c", script], capture_output=True, check=True)  # noqa: S607 - the line is what is tested

    assert line.replace("\n", "").isprintable()
    assert BODIES[case].replace("fm_api_***", "KEY") == read.stdout.decode().split("\0")[-2]


@pytest.mark.parametrize(
    ("size", "title"),
    [
        (4_000, "Send it again"),
        (5_000, "Send it again, with the part of its body that was kept"),
    ],
)
def test_says_that_a_body_was_cut(size: int, title: str, visit: Visit) -> None:
    """A line with a part of the body must not pass for the same request."""
    visit.open("/_mock/")
    visit.page.evaluate(
        """(size) => fetch("/v1/1001/tags", { method: "POST", body: '"' + "a".repeat(size - 2) + '"',
        headers: { "X-API-Key": "fm_api_test_full", "Content-Type": "application/json" } })""",
        size,
    )
    visit.page.locator("#exchanges summary").first.click()

    assert title == visit.page.locator(".exchange h3").last.inner_text()
    assert 1 == visit.forgive(400)
