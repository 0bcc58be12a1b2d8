"""The HTML report: whole in one file, whatever a hostile server answers, and with no key in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.reports import html
from contract_tests.reports.html import as_html
from contract_tests.reports.machine import as_json, as_markdown
from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.rules import RULES, Rule

KEY = Secret("full", "fm_api_test_of_the_report")
HOSTILE = (
    b"<script>alert(1)</script></pre></script>]]><img src=https://example.com/x onerror=alert(1)>"
    b"\x1b[31mred\x00\x07\xe2\x80\xae" + KEY.value.encode()
)
VOID = {"meta", "input", "link", "img", "br"}


class Page(HTMLParser):
    """A page as a browser reads it: every tag with its attributes, and the text inside each kind of tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.misnested: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        return [a for name, a in self.tags if name == tag and attributes.items() <= a.items()]


def exchange(body: bytes = HOSTILE, **headers: str) -> Exchange:
    request = Request(
        "POST", "/v1/1001/chats?limit=1", (), (("Authorization", "Bearer ", KEY),), b'{"a": "<b>"}'
    )
    answer = {"content-type": "text/html", "set-cookie": "session=1"} | headers
    return Exchange(request, 200, answer, body, frozenset({KEY.value, KEY.value[:-1], ""}))


def breach(rule: Rule, operation: str = "POST /v1/{account_id}/chats", **changes: str) -> Breach:
    texts = {"allowed": "401 without <b>a</b> body", "found": "200 without <b>a</b> body"} | changes
    return Breach(rule, operation, texts["allowed"], texts["found"], exchange())


def outcome(ledger: Ledger, *, strict: bool = False, require: tuple[str, ...] = ()) -> Outcome:
    return Outcome("http://127.0.0.1:4010", "openapi.yaml", 93, 1234, 5.25, ledger, strict, require)


def mixed() -> Outcome:
    """Return a run in which each verdict occurs."""
    ledger = Ledger()
    for rule in list(RULES.values())[8:]:
        ledger.keep(rule, "GET /health")
    ledger.break_(breach(rules.KEY_MISSING))
    ledger.leave(rules.BEARER, "needs <i>a key</i>\x1b[0m")
    ledger.fail(rules.X_API_KEY, "GET /health: KeyError: 'data'")
    return outcome(ledger)


def result(of: Outcome) -> str:
    return Page(as_html(of)).texts["h1"][0]


def test_is_one_whole_page() -> None:
    page = Page(as_html(mixed()))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    anchors = [a["href"] for _, a in page.tags if "href" in a]

    assert [] == page.misnested + page.open
    assert len(set(ids)) == len(ids)
    assert {anchor.removeprefix("#") for anchor in anchors} <= set(ids)
    assert not any({"src", "style", "onclick", "action"} & set(a) for _, a in page.tags)
    assert not {"link", "img", "iframe", "object", "base"} & {tag for tag, _ in page.tags}


def test_has_one_row_per_rule_in_words() -> None:
    page = Page(as_html(mixed()))
    rows = page.all("tr", **{"class": "rule"})
    text = page.texts["table"][0]

    assert list(RULES) == [row["id"] for row in rows]
    assert ["not-checked", "error"] == [row["data-verdict"] for row in rows[:2]]
    assert all(rule.sentence.replace("`", "") in text for rule in RULES.values())
    assert "Why not: needs <i>a key</i>\\x1b[0m" in text
    assert "What broke: GET /health: KeyError: 'data'" in text


def test_policy_lets_only_our_parts_run() -> None:
    page = Page(as_html(mixed()))
    (policy,) = page.all("meta", **{"http-equiv": "Content-Security-Policy"})
    parts = [f"'sha256-{digest(page.texts[tag][0])}'" for tag in ("script", "style")]

    assert 1 == len(page.all("script")) == len(page.all("style"))
    assert all(part in policy["content"] for part in parts)
    assert policy["content"].startswith("default-src 'none';")
    assert "unsafe" not in policy["content"]


def digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_what_a_server_answers_is_text() -> None:
    text = as_html(mixed())
    page = Page(text)
    answer = page.texts["pre"][1]

    assert 1 == text.count("<script")
    assert "<script>alert(1)</script></pre></script>]]><img src=https://example.com/x" in answer
    assert answer.endswith("\\x1b[31mred\\x00\\x07\\u202e***")
    assert not re.search(r"[^\x20-\uffff\n\t]", text)
    assert "session=1" not in text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(KEY.value.encode(), id="plain"),
        pytest.param(b'{"error": "' + KEY.value.encode() + b'"}', id="json"),
        pytest.param(b'{"error": "\\u0066' + KEY.value[1:].encode() + b'"}', id="escaped"),
        pytest.param(b"x" * 990 + KEY.value.encode(), id="where the body is cut"),
        pytest.param(b"[" * 600 + b'"' + KEY.value.encode() + b'"' + b"]" * 600, id="deep"),
    ],
)
def test_no_key_is_in_it(body: bytes) -> None:
    shown = exchange(body, **{"content-type": f"text/{KEY.value}"})
    found = replace(breach(rules.KEY_MISSING, found=f"200 with {KEY.value}"), exchange=shown)
    ledger = Ledger()
    ledger.break_(found)
    text = as_html(outcome(ledger))

    assert "fm_api" not in text
    assert "Authorization: Bearer $FANSMETRIC_FULL" in text
    assert "200 with ***" in text


def test_breach_shows_what_differs_and_how_to_repeat_it() -> None:
    page = Page(as_html(mixed()))
    request, _, repeat = page.texts["pre"]

    assert ["401", "200"] == page.texts["mark"]
    assert request.startswith("POST /v1/1001/chats?limit=1\nAuthorization: Bearer $FANSMETRIC_FULL")
    assert repeat.startswith("curl -sS -X POST")


def test_json_has_lines_of_its_own() -> None:
    ledger = Ledger()
    ledger.break_(replace(breach(rules.FLAT), exchange=exchange(b'{"error":{"code":"\x1f"}}')))
    ledger.break_(replace(breach(rules.ENVELOPE), exchange=exchange(b'{"data":[1]}')))
    page = Page(as_html(outcome(ledger)))

    assert '{"error":{"code":"\\x1f"}}' in page.texts["pre"][1]
    assert '{\n  "data": [\n    1\n  ]\n}' in page.texts["pre"][4]


def test_picture_says_in_words_what_it_shows() -> None:
    page = Page(as_html(mixed()))
    auth = page.texts["desc"][0].partition(".")[0]
    bars = page.all("rect")
    starts, widths = ([float(bar[name][:-1]) for bar in bars] for name in ("x", "width"))

    assert "auth: 5 kept, 1 broken, 6 not checked, 1 error" == auth
    assert {"kept", "broken", "not-checked", "error"} == {bar["class"] for bar in bars}
    assert starts[:4] == pytest.approx([sum(widths[:i]) for i in range(4)], abs=0.02)
    assert 100 == max(widths)


def test_result_is_in_words() -> None:
    advisory = next(rule for rule in RULES.values() if rule.level is rules.Level.INFERRED)
    ledger = Ledger([rules.BEARER, advisory])
    nothing = outcome(ledger)

    assert "Nothing was checked" == result(nothing)
    ledger.keep(rules.BEARER, "GET /health")
    assert "Every checked rule is kept" == result(outcome(ledger))
    required = outcome(ledger, require=(advisory.id,))
    assert f"Required but not checked: {advisory.id}" == result(required)
    left_out = outcome(ledger, require=(rules.MINUTE.id,))
    assert f"Required but not checked: {rules.MINUTE.id}" == result(left_out)
    ledger.break_(breach(advisory))
    assert "No rule that counts is broken, 1 rule only advisory" == result(outcome(ledger))
    assert "broken (advisory)" in as_html(outcome(ledger))
    assert "1 rule broken" == result(outcome(ledger, strict=True))
    ledger.break_(breach(rules.BEARER))
    assert "1 rule broken, 1 more only advisory" == result(outcome(ledger))


def test_notes_stand_under_names_of_their_own() -> None:
    """What the run has to say isn't the baseline's, and the JSON and the Markdown report have it too."""
    ledger = Ledger()
    ledger.notes.append("waited <61> s for new minutes and after 429s, to use nothing up")
    run = outcome(ledger)
    page = as_html(run)

    assert (
        "<dt>Note</dt><dd>waited &lt;61&gt; s for new minutes and after 429s, to use nothing up</dd>"
        in page
    )
    assert "Baseline" not in page
    assert ["waited <61> s for new minutes and after 429s, to use nothing up"] == json.loads(
        as_json(run)
    )["notes"]
    assert "waited" in as_markdown(run)


def test_a_job_summary_begins_with_what_is_broken() -> None:
    """What is kept on a part of its operations comes last, and what is kept everywhere not at all."""
    run = mixed()
    run.ledger.leave(rules.HEADROOM, "not judged: GET /v1/x answered 500", "GET /v1/x")
    rows = [line.split(" | ") for line in as_markdown(run).splitlines() if line.startswith("| ")]
    told = [row[2] for row in rows[1:]]

    assert ["broken", "error", *["not checked"] * (len(told) - 3), "kept"] == told
    assert "judged on 1 of 2 operations: GET /v1/x answered 500" in rows[-1][4]


def test_stays_small_when_everything_is_broken() -> None:
    """All rules on all operations, by a server whose every character needs an escape."""
    ledger = Ledger()
    worst = exchange(b'"<&>' * 5_000)
    for rule in RULES.values():
        for number in range(93):
            ledger.break_(
                replace(breach(rule, f"GET /v1/{number}", found="<" * 9_000), exchange=worst)
            )
    text = as_html(outcome(ledger))

    assert len(text.encode()) < 3_000_000
    assert len(RULES) == text.count("the JSON report has them all")
    assert len(RULES) <= text.count('<details class="breach">') <= 20 * len(RULES)


def test_shows_twenty_breaches_of_a_rule() -> None:
    ledger = Ledger([rules.BEARER])
    for number in range(23):
        ledger.break_(breach(rules.BEARER, f"GET /v1/{number}"))
    text = as_html(outcome(ledger))

    assert 20 == text.count('<details class="breach">')
    assert "And 3 more; the JSON report has them all." in text


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_read(scheme: int) -> None:
    style = (Path(html.__file__).parent / "page" / "report.css").read_text()
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", style.split(":root {")[scheme + 1]))
    pairs = [(ink, paper) for ink in ("text", "quiet", "link") for paper in ("page", "card")]
    pairs += [("text", "code"), ("quiet", "code"), ("text", "marked"), ("page", "text")]
    pairs += [(kind, f"{kind}-soft") for kind in ("kept", "broken", "not-checked", "error")]
    pairs += [(kind, "card") for kind in ("kept", "broken", "not-checked", "error")]
    contrasts = {}
    for ink, paper in pairs:
        dim, bright = sorted((luminance(colours[ink]), luminance(colours[paper])))
        contrasts[ink, paper] = (bright + 0.05) / (dim + 0.05)

    assert {} == {pair: round(c, 2) for pair, c in contrasts.items() if c < 4.5}
