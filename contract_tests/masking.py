"""Keys taken out of what a server sent, in every way in which it may have written them."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html.entities import html5
from itertools import islice

MASK = "***"
"""What stands in the place of a key."""

_ROUNDS = 3
"""How often a text is read that was escaped more than once, as a URL within a URL is."""
_TOGETHER = 32
"""Keys that one pattern looks for; a run may make thousands, and a pattern of all would have to be made anew for each."""
_LEAST_CODED = 6
"""Characters of Base64 or hex that can't stand in a text by chance."""
_ESCAPE = re.compile(
    r"%(?P<url>[0-9a-f]{2})|\\u00(?P<json>[0-9a-f]{2})|\\x(?P<c>[0-9a-f]{2})|\\(?P<plain>[/\"\\'])"
    r"|&#x0{0,6}(?P<hex>[0-9a-f]{2});|&#0{0,6}(?P<number>[0-9]{2,3});|&(?P<name>quot|amp|lt|gt|apos);",
    re.IGNORECASE,
)
"""One visible ASCII character as URLs, JSON, programs and HTML may write it; a key has no others."""

_URL_SAFE = str.maketrans("+/", "-_")

Span = tuple[int, int]


def masked(text: str, keys: Iterable[str]) -> str:
    """Return ``text`` without any of ``keys``, whatever its case and however it is escaped or encoded."""
    patterns = list(_patterns(keys))
    plain, places = text, list[int]()
    found = _found(patterns, text)
    for _ in range(_ROUNDS):
        if _ESCAPE.search(plain) is None:
            break
        plain, places = _read(plain, places)
        found += [(places[start], places[end]) for start, end in _found(patterns, plain)]
    return _without(text, found) if found else text


def masked_bytes(data: bytes, keys: Iterable[str]) -> bytes:
    """Return ``data`` without any of ``keys``, as ``masked`` does."""
    text = masked(data.decode("utf-8", "surrogateescape"), keys)
    return text.encode("utf-8", "surrogateescape")


def _read(text: str, places: list[int]) -> tuple[str, list[int]]:
    """Return ``text`` with its escapes read, and where each character and the end stand in the first text.

    ``places`` says so of ``text`` itself; empty, it is the first text.
    """
    parts, kept, end = list[str](), list[int](), 0
    for escape in _ESCAPE.finditer(text):
        parts += (text[end : escape.start()], _character(escape))
        kept += range(end, escape.start() + 1)
        end = escape.end()
    parts.append(text[end:])
    kept += range(end, len(text) + 1)
    return "".join(parts), [places[place] for place in kept] if places else kept


def _character(escape: re.Match[str]) -> str:
    kind, written = escape.lastgroup, escape[escape.lastgroup or 0]
    if kind == "plain":
        return written
    if kind == "name":
        return html5[f"{written.lower()};"]
    return chr(int(written, 10 if kind == "number" else 16))


def _found(patterns: Iterable[re.Pattern[str]], text: str) -> list[Span]:
    return [match.span() for pattern in patterns for match in pattern.finditer(text)]


def _without(text: str, spans: list[Span]) -> str:
    """Return ``text`` with a mask in the place of each run of spans that overlap."""
    parts, end = list[str](), 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += (text[end:start], MASK)
        end = max(end, stop)
    return "".join(parts) + text[end:]


def _patterns(keys: Iterable[str]) -> Iterator[re.Pattern[str]]:
    rest = iter(tuple(keys))  # at once, for more keys may be sent meanwhile
    while some := tuple(islice(rest, _TOGETHER)):
        yield from _patterns_of(some)


@lru_cache(maxsize=1_024)
def _patterns_of(keys: tuple[str, ...]) -> list[re.Pattern[str]]:
    """Return a pattern for each way to write the keys, for where all begin alike they are found fast."""
    written = (_forms(key) for key in keys if key)  # an empty key is none
    return [
        _pattern({form for forms in way for form in forms}) for way in zip(*written, strict=True)
    ]


def _pattern(forms: set[str]) -> re.Pattern[str]:
    # A cut key begins like a whole one, so the longest comes first.
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)) or "(?!)", re.IGNORECASE)


def _forms(key: str) -> Iterator[set[str]]:
    """Yield what a key may be in a text whose escapes are read: itself, in hex, in Base64."""
    yield {key.lower()}
    for way in ({key.encode().hex()}, *_in_base64(key.encode())):
        yield {form.lower() for form in way if len(form) >= _LEAST_CODED}


def _in_base64(key: bytes) -> Iterator[set[str]]:
    """Yield what Base64 makes of a key, in both of its alphabets, by how many bytes stand before it in a group."""
    for before in range(3):
        whole = b64encode(bytes(before) + key).decode()
        # A character of six bits that has some of a neighbour's isn't the key's alone.
        form = whole[-(-before * 8 // 6) : (before + len(key)) * 8 // 6]
        yield {form, form.translate(_URL_SAFE)}
