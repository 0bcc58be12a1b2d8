"""Words that depend on a number, and texts that come from elsewhere."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """Return ``count`` with ``noun``, such as ``1 rule`` or ``1,200 rules``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def printable(text: str) -> str:
    """Return ``text`` with what isn't printable replaced, so that no terminal obeys it; lines stay lines."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
