"""What the fuzz targets share: the budget, the corpus, and what every loader of files must hold to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from mockserver.errors import SuiteError

LONGER = os.environ.get("FANSMETRIC_FUZZ")
"""A number of inputs for each target, for a longer search by hand; then they differ from run to run."""

CORPUS = Path(__file__).with_name("corpus")
"""Inputs that are tried on each run, a folder for each target."""

SLOWEST = 5.0
"""Seconds of the processor that no input may take."""

LONGEST = 1_500
"""Characters that no message may have."""


Attempt = Callable[[bytes], None]
"""Tries one input; a target's fixture, so that no failure shows the whole contract."""


def budget(examples: int) -> settings:
    """Return the settings of a target that tries ``examples`` inputs, always the same, unless more are asked for."""
    return settings(
        max_examples=int(LONGER or examples),
        derandomize=not LONGER,
        phases=[Phase.generate, Phase.shrink] if LONGER else [Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def corpus(target: str) -> list[Any]:
    """Return the files that are kept for a target, as parameters of a test."""
    files = sorted(file for file in (CORPUS / target).rglob("*") if file.is_file())
    assert files, f"nothing is kept for {target}"
    return [pytest.param(file, id=str(file.relative_to(CORPUS / target))) for file in files]


def outcome(read: Callable[[], Any], error: type[SuiteError], place: Path) -> str | None:
    """Read an input, which must succeed, or fail in one line of ``error`` that names ``place``.

    Returns the line, or ``None``. Whatever else is raised goes through, and fails the test.
    """
    begun = process_time()
    line = None
    try:
        read()
    except error as refused:
        line = str(refused)
    assert process_time() - begun < SLOWEST
    if line is not None:
        assert line.startswith(f"{place}"), line
        assert line.isprintable(), line
        assert len(line) - len(str(place)) < LONGEST, line
    return line
