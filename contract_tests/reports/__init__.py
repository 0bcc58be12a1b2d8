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

    Raises ``SuiteError`` at an unknown format, a missing file name, or a file that is named twice.
    """
    found: dict[str, Path] = {}
    for part in filter(None, text.split(",")):
        name, _, file = part.partition("=")
        if name not in WRITERS or not file:
            known = ", ".join(f"{known}=FILE" for known in WRITERS)
            raise SuiteError(f"--report: {part!r} is none of {known}")
        if name in found or Path(file) in found.values():
            raise SuiteError(f"--report: {part!r} names a format or a file for the second time")
        found[name] = Path(file)
    return found


def prepare_reports(files: dict[str, Path]) -> None:
    """Make the folders of the reports, before a run that may take long. Raises ``Unavailable``."""
    for file in files.values():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{file}: can't be written ({error.strerror})") from None


def write_reports(outcome: Outcome, files: dict[str, Path]) -> None:
    """Write each report. Raises ``Unavailable`` when files can't be written, after the others were."""
    failed = []
    for name, file in files.items():
        try:
            write_whole(file, WRITERS[name](outcome))
        except OSError as error:
            failed.append(f"{file}: can't be written ({error.strerror})")
    if failed:
        raise Unavailable("; ".join(failed))
