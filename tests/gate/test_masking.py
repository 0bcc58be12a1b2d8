"""Keys are taken out of whatever a server sends back, however it writes them."""

from __future__ import annotations

import html
import json
from urllib.parse import quote

import pytest

from contract_tests.masking import masked

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
    shown = masked(f"no such key: {FORMS[form]}.", {KEY, ""})

    assert "***" in shown
    assert "abc" not in shown.lower()


def test_of_two_keys_the_longer_goes_first() -> None:
    """What begins like another one leaves no end behind."""
    assert "*** ***" == masked("fm_ab fm_abc", ["fm_ab", "fm_abc"])


def test_without_keys_nothing_changes() -> None:
    assert "text" == masked("text", [""])
