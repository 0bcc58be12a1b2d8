"""Keys are taken out of whatever a server sends back, however it writes them."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from contract_tests.masking import _patterns_of, masked, masked_bytes

KEY = 'fm_live/abc"<def>'
FORMS = {
    "plain": KEY,
    "url": quote(KEY, safe=""),
    "json": json.dumps(KEY),
    "php": json.dumps(KEY).replace("/", "\\/"),
    "html": html.escape(KEY),
    "capitals": KEY.upper(),
    "url-every-byte": "".join(f"%{byte:02x}" for byte in KEY.encode()),
    "url-twice": quote(quote(KEY, safe=""), safe=""),
    "json-every-character": "".join(f"\\u{ord(c):04X}" for c in KEY),
    "underscores-in-json": KEY.replace("_", "\\u005f"),
    "c": "".join(f"\\x{byte:02x}" for byte in KEY.encode()),
    "html-numbers": "".join(f"&#{ord(c)};" for c in KEY),
    "html-hex": "".join(f"&#x{ord(c):X};" for c in KEY),
    "url-in-html": html.escape(quote(KEY, safe="")).replace("%", "&#37;"),
    "hex": KEY.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str) -> None:
    """Nothing of it is left, neither its first character nor its last."""
    sent = FORMS[form].strip('"')
    shown = masked(f"no such key: {sent}.", {KEY, ""})

    assert "no such key: ***." == shown


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    assert b"\xff\x00 *** \xe2\x82" == masked_bytes(b"\xff\x00 fm_ab \xe2\x82", ["fm_ab"])


def test_of_two_keys_the_longer_goes_first() -> None:
    """What begins like another one leaves no end behind."""
    assert "*** ***" == masked("fm_ab fm_abc", ["fm_ab", "fm_abc"])


def test_without_keys_nothing_changes() -> None:
    assert "text" == masked("text", [""])


@pytest.mark.parametrize("around", [b"", b"k:", b"Bearer ", b"a:b:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64(encode: Callable[[bytes], bytes], around: bytes) -> None:
    """What is left are the characters that have bits of a neighbour's, which tell of two characters at most."""
    shown = masked(f"{{{encode(around + KEY.encode() + around).decode()}}}", [KEY])
    rest = encode(around).decode().rstrip("=")

    assert "***" in shown
    assert len(shown) <= len("{***}") + 2 * len(rest) + 6


def test_what_stands_around_a_key_is_left() -> None:
    text = f"%41&amp;{quote(KEY, safe='')}%42 \\u0043 {KEY}"

    assert "%41&amp;***%42 \\u0043 ***" == masked(text, [KEY])


def test_another_key_costs_no_more_than_itself() -> None:
    """A run makes thousands; those that were known before are looked for as before."""
    keys = {f"fm_key_{number:04}": None for number in range(1_000)}
    masked("text", keys.keys())
    before = _patterns_of.cache_info().misses
    keys["fm_key_last"] = None

    assert "*** ***" == masked("fm_key_last fm_key_0000", keys.keys())
    assert 1 == _patterns_of.cache_info().misses - before
