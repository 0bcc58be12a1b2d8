"""Reports of a run: on the terminal, as a page, and as JSON, JUnit and Markdown for machines and CI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from contract_tests.reports.html import as_html
from contract_tests.reports.machine import as_json, as_junit, as_markdown
from contract_tests.reports.outcome import Outcome
from mockserver.errors import SuiteError, Unavailable
from mockserver.files import write_whole

WRITERS: dict[str, Callable[[Outcome], str]] = {
    "json": as_json,
    "junit": as_junit,
    "html": as_html,
    "md": as_markdown,
}
"""The writer of each report format."""


def parse_reports(text: str) -> dict[str, Path]:
    """Return the files of ``json=FILE,junit=FILE,html=FILE,md=FILE``.

    Raises ``SuiteError`` at an unknown format or a missing file name.
    """
    found = {}
    for part in filter(None, text.split(",")):
        name, _, file = part.partition("=")
        if name not in WRITERS or not file:
            known = ", ".join(f"{known}=FILE" for known in WRITERS)
            raise SuiteError(f"--report: {part!r} is none of {known}")
        found[name] = Path(file)
    return found


def write_reports(outcome: Outcome, files: dict[str, Path]) -> None:
    """Write each report. Raises ``Unavailable`` when a file can't be written."""
    for name, file in files.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, WRITERS[name](outcome))
        except OSError as error:
            raise Unavailable(f"{file}: can't be written ({error.strerror})") from None
