"""Text from a server, made harmless for whoever reads it: a terminal, an XML parser, a Markdown page."""

from __future__ import annotations

import re

from mockserver.words import printable

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#|!])")


def in_one_line(text: str) -> str:
    """Return ``text`` printable and in one line."""
    return " ".join(printable(text).split())


def in_markdown(text: str) -> str:
    """Return ``text`` in one line of which Markdown makes nothing but the text."""
    return _MARKUP.sub(r"\\\1", in_one_line(text))
