"""Known gaps: accepted with a reason, for one target and until a day; what is out of date is reported."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from contract_tests.baseline import BaselineError, Gap, judge, read_baseline
from contract_tests.cli import main
from contract_tests.verdicts import Breach, Ledger
from mockserver import create_app, rules
from mockserver.contract import Contract
from mockserver.defects import defect_named, site_of
from mockserver.server import MockServer

URL = "https://staging.example.com"
ENTRY = {
    "rule": rules.LIMITS.id,
    "target": URL,
    "reason": "Rolled out in March.",
    "expires": "2027-03-01",
}
BEFORE, AFTER = date(2027, 2, 28), date(2027, 3, 1)


def written(directory: Path, *entries: dict[str, Any]) -> Path:
    file = directory / "baseline.yaml"
    file.write_text(yaml.safe_dump(list(entries)))
    return file


def broken(*operations: str) -> Ledger:
    ledger = Ledger([rules.LIMITS, rules.HEADROOM])
    for operation in operations:
        ledger.break_(Breach(rules.LIMITS, operation, "integers", "none"))
    return ledger


def test_accepts_until_the_day(tmp_path: Path, contract: Contract) -> None:
    gaps = read_baseline(written(tmp_path, ENTRY), contract)
    ledger = broken("GET /v1/accounts")

    assert {rules.LIMITS.id} == set(judge(gaps, ledger, URL, BEFORE).accepted)
    late = judge(gaps, ledger, URL, AFTER)
    assert ({}, (rules.LIMITS.id,)) == (late.accepted, tuple(gap.rule for gap in late.expired))
    assert [f"{rules.LIMITS.id}: its entry in the baseline expired on 2027-03-01"] == late.notes()


@pytest.mark.parametrize(
    ("operations", "kept"),
    [(["GET /v1/accounts"], True), (["GET /v1/{account_id}/me"], False), (None, False)],
    ids=["judged", "not-judged", "everywhere"],
)
def test_an_operation_that_was_not_judged_is_not_kept(
    operations: list[str] | None, kept: bool, tmp_path: Path, contract: Contract
) -> None:
    """An entry can go once the rule is kept wherever the entry says, not while that isn't known."""
    entry = {**ENTRY, **({"operations": operations} if operations else {})}
    gaps = read_baseline(written(tmp_path, entry), contract)
    ledger = broken()
    ledger.keep(rules.LIMITS, "GET /v1/accounts")
    ledger.leave(rules.LIMITS, "not judged: GET /v1/me answered 500", "GET /v1/{account_id}/me")

    assert kept == bool(judge(gaps, ledger, URL, BEFORE).passed)


def test_inferred_operations_need_no_entry(tmp_path: Path, contract: Contract) -> None:
    """What breaks no run by itself leaves an accepted rule accepted, unless all is strict."""
    entry = {**ENTRY, "operations": ["GET /v1/accounts"]}
    gaps = read_baseline(written(tmp_path, entry), contract)
    ledger = broken("GET /v1/accounts", "GET /v1/me")

    mild = judge(gaps, ledger, URL, BEFORE, mild={"GET /v1/me"})
    assert ({rules.LIMITS.id}, {}) == (set(mild.accepted), mild.beyond)
    strict = judge(gaps, ledger, URL, BEFORE)
    assert ({}, {rules.LIMITS.id: ("GET /v1/me",)}) == (strict.accepted, strict.beyond)


def test_accepts_for_its_target_only(tmp_path: Path, contract: Contract) -> None:
    gaps = read_baseline(written(tmp_path, ENTRY), contract)

    assert (
        {} == judge(gaps, broken("GET /v1/accounts"), "https://other.example.com", BEFORE).accepted
    )


def test_accepts_on_its_operations_only(tmp_path: Path, contract: Contract) -> None:
    gaps = read_baseline(written(tmp_path, {**ENTRY, "operations": ["GET /v1/accounts"]}), contract)
    more = broken("GET /v1/accounts", "GET /v1/gifs/search")

    assert judge(gaps, broken("GET /v1/accounts"), URL, BEFORE).accepted
    assert {} == judge(gaps, more, URL, BEFORE).accepted


def test_entries_of_one_rule_add_up(tmp_path: Path, contract: Contract) -> None:
    """Each gap may have a reason and a day of its own; what has expired accepts nothing."""
    operations = ("GET /v1/accounts", "GET /v1/gifs/search")
    entries = [{**ENTRY, "operations": [operation]} for operation in operations]
    late = [entries[0], {**entries[1], "expires": "2027-01-01"}]
    gaps, one_late = (
        read_baseline(written(tmp_path, *these), contract) for these in (entries, late)
    )

    assert judge(gaps, broken(*operations), URL, BEFORE).accepted
    found = judge(one_late, broken(*operations), URL, BEFORE)
    assert ({}, 1) == (found.accepted, len(found.expired))


def test_names_what_is_new_and_what_is_mended(tmp_path: Path, contract: Contract) -> None:
    """Among many known breaches nobody finds the new one, nor the one that is there no more."""
    known = ["GET /v1/accounts", "GET /v1/gifs/search"]
    gaps = read_baseline(written(tmp_path, {**ENTRY, "operations": known}), contract)
    ledger = broken("GET /v1/accounts", "GET /v1/me")
    ledger.keep(rules.LIMITS, "GET /v1/gifs/search")
    found = judge(gaps, ledger, URL, BEFORE)

    assert {} == found.accepted
    assert [
        f"{rules.LIMITS.id}: the baseline doesn't accept it on GET /v1/me",
        f"{rules.LIMITS.id}: is kept now on GET /v1/gifs/search; take it out of its entry in the baseline",
    ] == found.notes()


@pytest.mark.parametrize(
    ("number", "rest"), [(10, ""), (11, " and 1 more"), (12, " and 2 more")], ids=str
)
def test_a_note_names_ten_operations_and_counts_the_rest(
    number: int, rest: str, contract: Contract
) -> None:
    known = "GET /v1/accounts"
    labels = [operation.label for operation in contract if operation.label != known]
    gap = Gap(rules.LIMITS.id, URL, "x", AFTER, frozenset({known}))
    (note,) = judge([gap], broken(*labels[:number]), URL, BEFORE).notes()

    named = ", ".join(labels[:10])
    assert f"{rules.LIMITS.id}: the baseline doesn't accept it on {named}{rest}" == note


def test_entries_for_other_targets_only_are_reported(tmp_path: Path, contract: Contract) -> None:
    """A base URL that is written in another way accepts nothing, which somebody has to know."""
    gaps = read_baseline(written(tmp_path, ENTRY), contract)
    found = judge(gaps, broken("GET /v1/accounts"), f"{URL}:443", BEFORE)

    assert [f"no entry of the baseline is for this target, only for {URL}"] == found.notes()
    assert [] == judge([], broken("GET /v1/accounts"), URL, BEFORE).notes()


def test_reports_what_is_kept_after_all() -> None:
    ledger = broken()
    ledger.keep(rules.LIMITS, "GET /v1/accounts")
    found = judge([Gap(rules.LIMITS.id, URL, "x", AFTER)], ledger, URL, BEFORE)

    assert [f"{rules.LIMITS.id}: is kept now; remove its entry from the baseline"] == found.notes()


@pytest.mark.parametrize("expires", ["2999-01-01", "2000-01-01"])
def test_an_accepted_gap_breaks_no_run(expires: str, tmp_path: Path) -> None:
    """The run is green while the entry is valid, and says so; red afterwards."""
    app = create_app()
    site_of(app.mock).plant([defect_named("missing-key-is403")])
    report = tmp_path / "run.json"
    with MockServer(app) as server:
        entry = {**ENTRY, "rule": "auth.key-missing", "target": server.url, "expires": expires}
        file = written(tmp_path, entry)
        done = CliRunner().invoke(
            main,
            [
                "run",
                server.url,
                "--only",
                "auth.key-missing",
                "--baseline",
                str(file),
                "--report",
                f"json={report}",
            ],
        )
    valid = expires.startswith("2999")
    (rule,) = json.loads(report.read_text())["rules"]

    assert (0 if valid else 1) == done.exit_code, done.output
    assert valid == ("broken (accepted until 2999-01-01: Rolled out in March.)" in done.output)
    assert valid != ("expired on 2000-01-01" in done.output)
    assert "broken" == rule["verdict"]
    assert valid == (rule["accepted"] is not None)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        pytest.param({**ENTRY, "rule": "rate.nothing"}, "0.rule: there is no rule", id="rule"),
        pytest.param({**ENTRY, "expires": "soon"}, "0.expires: ", id="no-day"),
        pytest.param({**ENTRY, "expires": "2027-02-30"}, "0.expires: 2027-02-30 is no day", id="day"),
        pytest.param({**ENTRY, "operations": ["GET /nowhere"]}, "there is no GET /nowhere", id="operation"),
        pytest.param({k: v for k, v in ENTRY.items() if k != "reason"}, "reason", id="no-reason"),
    ],
)  # fmt: skip
def test_refuses(entry: dict[str, Any], message: str, tmp_path: Path, contract: Contract) -> None:
    file = written(tmp_path, entry)
    with pytest.raises(BaselineError) as caught:
        read_baseline(file, contract)

    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)
