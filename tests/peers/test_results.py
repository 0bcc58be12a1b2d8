"""The page and the picture say what the JSON holds."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as Xml

import pytest

from benchmarks.peers import chart, table
from benchmarks.peers.report import Report, ServerFigures, server_named
from benchmarks.peers.targets import OURS, judged

RESULTS = Path(__file__).parent.parent.parent / "benchmarks" / "results"


@pytest.fixture
def report() -> Report:
    """Return a copy of the committed figures."""
    return cast("Report", json.loads((RESULTS / "peers.json").read_text()))


def ours(report: Report) -> ServerFigures:
    found = server_named(report, OURS)
    assert found is not None
    return found


def test_committed_page_and_picture_are_made_of_the_committed_figures(report: Report) -> None:
    assert table.page(report) == (RESULTS / "peers.md").read_text()
    assert chart.picture(report) == (RESULTS / "peers.svg").read_text()


def test_every_server_is_on_the_page_whether_it_starts_or_not(report: Report) -> None:
    page = table.page(report)

    assert [] == [s["name"] for s in report["servers"] if f"| {s['name']} |" not in page]


def test_server_that_failed_is_shown_with_its_reason(report: Report) -> None:
    failed = copy.deepcopy(ours(report))
    failed["name"], failed["failure"] = "broken", "it said | <no>"
    failed["calls"], failed["crowd"] = {}, None
    report["servers"].append(failed)

    assert "doesn't start: it said \\| &lt;no>" in table.page(report)
    assert ">broken<" not in chart.picture(report)


def test_picture_is_well_formed(report: Report) -> None:
    report["machine"] = "2 cores of <A & B>"
    picture = Xml.fromstring(chart.picture(report))  # noqa: S314  # our own text
    texts = [node.text for node in picture.iter("{http://www.w3.org/2000/svg}text")]

    assert f"2 cores of <A & B>; {report['date']}" in texts
    assert f"{ours(report)['calls']['list']['cpu_us']:,.0f}" in texts


def test_targets_are_judged_by_ratios(report: Report) -> None:
    calls = ours(report)["calls"]
    calls["list"]["cpu_us"], calls["send"]["cpu_us"], calls["401"]["cpu_us"] = 100, 151, 99
    met = {target.promise: target.met for target in judged(report)}

    assert not met["CPU of a POST of 1 KB to that of the list"]
    assert met["CPU of a refusal with 401 (GET, unknown key) to that of the list"]


def test_what_was_not_measured_is_not_judged(report: Report) -> None:
    report["servers"], report["growth"] = [], []

    assert [] == judged(report)
    assert "No server was asked" in table.page(report)
