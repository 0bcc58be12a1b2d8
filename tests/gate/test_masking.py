"""Keys are taken out of whatever a server sends back, however it writes them."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest

from contract_tests.masking import masked, masked_bytes

KEY = 'fm_live/abc"<def>'
FORMS = {
    "plain": KEY,
    "url": quote(KEY, safe=""),
    "json": json.dumps(KEY),
    "php": json.dumps(KEY).replace("/", "\\/"),
    "html": html.escape(KEY),
    "capitals": KEY.upper(),
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
