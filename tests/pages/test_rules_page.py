"""The page of the rules is the catalogue, whole and escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient

from mockserver import create_app, rules
from mockserver.app import MockFlask
from mockserver.defects import DEFECTS
from mockserver.pages.catalogue import with_code
from mockserver.roles import Key, Role

HOSTILE = "<script>alert('x')</script>\"&"


def cards_of(html: str) -> dict[str, str]:
    """Return the text of each rule's card by its anchor."""
    found = re.findall(r'<article class="rule" id="([^"]+)"(.*?)</article>', html, re.DOTALL)
    return {id: " ".join(unescape(re.sub(r"<[^>]+>", "", text)).split()) for id, text in found}


def test_every_rule_with_its_facts(browser: FlaskClient) -> None:
    cards = cards_of(browser.get("/rules").text)

    assert list(rules.RULES) == list(cards)
    for rule in rules.RULES.values():
        facts = (rule.level, rule.sentence, rule.source, f"Applies to{rule.applies}", *rule.needs)
        for fact in facts:
            assert " ".join(fact.replace("`", "").split()) in cards[rule.id], rule.id


def test_every_defect_under_its_rule(browser: FlaskClient) -> None:
    cards = cards_of(browser.get("/rules").text)
    for defect in DEFECTS.values():
        said = f"{defect.name} {defect.sentence.replace('`', '')}"
        assert " ".join(said.split()) in cards[defect.rule.id]
    assert all(re.search(r"[1-9]\d* planted defect", card) for card in cards.values())


def test_sentences_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(rules.MINUTE, sentence=HOSTILE, source=f"`{HOSTILE}`")
    monkeypatch.setitem(rules.RULES, rules.MINUTE.id, bad)
    html = create_app().test_client().get("/rules").text  # another mock has drawn it already

    assert 2 == html.count("&lt;script&gt;alert(")
    assert "<script>" not in html


def test_code_between_backticks() -> None:
    assert "a <code>&lt;b&gt;</code> &amp; c" == str(with_code("a `<b>` & c"))


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_keys_are_escaped(paged: MockFlask, browser: FlaskClient, path: str) -> None:
    """Fixtures may hold anything; the line to copy survives a shell too."""
    world = paged.mock.world
    secret = world.seed.keys[0].secret
    before = world.keys[secret]
    world.keys[secret] = Key(secret, Role(HOSTILE, frozenset()), before.organization, note=HOSTILE)
    html = browser.get(path, headers={"Accept": "text/html"}).text
    world.keys[secret] = before

    assert "&lt;script&gt;" in html
    assert "<script>" not in html
