"""Live progress: a bar on a terminal, a plain line now and then in CI."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[str], None]
"""Takes what was just done."""

_EVERY = 10.0
"""Seconds between two plain lines."""


@contextmanager
def progress_of(what: str, total: int) -> Iterator[Advance]:
    """Yield what to call after each of ``total`` steps; all of it goes to stderr."""
    console = Console(stderr=True)
    if not console.file.isatty():  # FORCE_COLOR asks for colors, not for a bar in a file
        yield _Lines(console, what, total).advance
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        bar = shown.add_task(what, total=total)
        yield lambda done: shown.update(bar, advance=1, description=done)


class _Lines:
    """Progress where nothing can be overwritten."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console, self._what, self._total = console, what, total
        self._done = 0
        self._told = time.monotonic()

    def advance(self, _: str) -> None:
        """Count a step, and say so if the last line is some time ago."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _EVERY:
            self._told = now
            self._console.print(f"{self._what}: {self._done:,} of {self._total:,}")
