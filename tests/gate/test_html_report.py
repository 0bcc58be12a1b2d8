"""The page for people: whole in one file, and whatever a server answers is text on it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.reports import WRITERS
from contract_tests.reports.html import as_html
from contract_tests.reports.machine import as_json
from contract_tests.reports.outcome import Outcome
from contract_tests.samples import bearer
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.rules import RULES

KEY = Secret("full", "fm_api_live_51f0c9a7e2")
HOSTILE = "</pre><script>alert(1)</script>]]> \x1b[31mred\x1b[0m \x00 " + KEY.value
SCHEMA: Any = json.loads(
    (Path(__file__).parents[2] / "contract_tests" / "reports" / "report.schema.json").read_text()
)


def outcome(ledger: Ledger) -> Outcome:
    return Outcome(
        "https://api.example.com", "/x/openapi.yaml", 93, 1234, 5.0, ledger, strict=False
    )


def hostile() -> Ledger:
    """Return a ledger with every verdict, and an answer that would act if it could."""
    ledger = Ledger()
    request = Request("GET", "/v1/1001/chats?q=<b>", (), (bearer(KEY),))
    body = json.dumps({"error": HOSTILE}).encode()
    exchange = Exchange(request, 200, {"content-type": "text/html"}, body, frozenset({KEY.value}))
    ledger.break_(
        Breach(
            rules.KEY_REVOKED,
            "GET /v1/{account_id}/chats",
            "401",
            HOSTILE.replace(KEY.value, ""),
            exchange,
        )
    )
    for place in range(40):
        ledger.break_(Breach(rules.FLAT, f"GET /v1/{place}", "flat", "nested", exchange))
    ledger.break_(Breach(rules.EXACT, "*", "20 successes", "21"))
    ledger.keep(rules.BEARER, "GET /v1/{account_id}/chats")
    ledger.fail(rules.DAY, "KeyError: <i>")
    ledger.leave(rules.MINUTE, "needs <u>leave</u>")
    return ledger


class Page(HTMLParser):
    """Collects what the tests ask about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        self.addresses += [str(found[n]) for n in ("src", "href") if n in found]


def test_shows_every_rule_once() -> None:
    page = Page(as_html(outcome(hostile())))

    assert set(RULES) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.tags.count("article") == len(RULES)


def test_whatever_a_server_answers_is_text() -> None:
    text = as_html(outcome(hostile()))
    page = Page(text)

    assert 1 == page.tags.count("script")
    assert not {"i", "u", "em"} & set(page.tags)
    assert "\x1b" not in text
    assert "\x00" not in text
    assert KEY.value not in text
    assert "$FANSMETRIC_FULL" in text


def test_needs_nothing_else() -> None:
    """It loads nothing, and its policy lets no other script or style in."""
    text = as_html(outcome(hostile()))
    script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    assert all(address.startswith("#") for address in Page(text).addresses)
    assert f"script-src 'sha256-{digest}'" in text.replace("&#39;", "'")
    assert " style=" not in text


def test_stays_small() -> None:
    """A server that breaks everything everywhere still gives a page that opens."""
    ledger, exchange = Ledger(), Exchange(Request("GET", "/v1/x"), 500, {}, b"x" * 5_000)
    for rule in RULES.values():
        for place in range(93):
            ledger.break_(Breach(rule, f"GET /v1/{place}", "this", "that", exchange))
    text = as_html(outcome(ledger))

    assert len(text) < 3_000_000
    assert "And on 81 more operations" in text


@pytest.mark.parametrize("ended", ["", "interrupted"])
def test_json_report_matches_its_schema(ended: str) -> None:
    ledger = hostile()
    ledger.ended = ended
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)
    for found in (outcome(ledger), outcome(Ledger()), replace(outcome(ledger), strict=True)):
        validator.validate(json.loads(as_json(found)))


def test_schema_is_closed() -> None:
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)
    report = json.loads(as_json(outcome(Ledger())))

    assert not validator.is_valid({**report, "surprise": 1})
    assert not validator.is_valid({**report, "version": 2})


@pytest.mark.parametrize("name", WRITERS)
def test_no_report_shows_a_key_or_acts(name: str) -> None:
    text = WRITERS[name](outcome(hostile()))

    assert KEY.value not in text
    assert "\x1b" not in text
