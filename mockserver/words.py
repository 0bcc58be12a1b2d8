"""Words that depend on a number."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Return ``count`` with ``noun``, such as ``1 rule`` or ``1,200 rules``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
