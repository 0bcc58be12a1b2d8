"""Keys taken out of what a server sent, in every way in which it may have written them."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

import orjson

MASK = "***"
"""What stands in the place of a key."""


def masked(text: str, keys: Iterable[str]) -> str:
    """Return ``text`` without any of ``keys``, whatever its case and however it is escaped."""
    pattern = _pattern(frozenset(filter(None, keys)))  # an empty key is none
    return text if pattern is None else pattern.sub(MASK, text)


def masked_bytes(data: bytes, keys: Iterable[str]) -> bytes:
    """Return ``data`` without any of ``keys``, as ``masked`` does."""
    text = masked(data.decode("utf-8", "surrogateescape"), keys)
    return text.encode("utf-8", "surrogateescape")


@lru_cache(maxsize=64)
def _pattern(keys: frozenset[str]) -> re.Pattern[str] | None:
    forms = {form for key in keys for form in _forms(key)}
    # A cut key begins like a whole one, so the longest comes first.
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if forms else None


def _forms(key: str) -> set[str]:
    """Return the ways in which a key may stand in plain text, in a URL, in JSON, or in HTML."""
    in_json = orjson.dumps(key).decode()[1:-1]
    return {key, quote(key, safe=""), in_json, in_json.replace("/", "\\/"), html.escape(key)}
