"""The exploration judges whatever Schemathesis provokes, and says what found a breach."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest
import yaml

from contract_tests.embedded import profile_of
from contract_tests.exchange import Secret
from contract_tests.exploration import explore
from contract_tests.exploring import _Explorer, exploring
from contract_tests.minted import Minter
from contract_tests.plan import EXPLORED, SCHEMES, SPENT, Explored, Plan
from contract_tests.profile import Profile
from contract_tests.target import Target
from contract_tests.verdicts import Ledger, Verdict
from mockserver import create_app, rules
from mockserver.contract import Contract, load_contract
from mockserver.data import default_spec
from mockserver.defects import defect_named, site_of
from mockserver.rules import RULES, Rule
from mockserver.server import MockServer

PATHS = ("/v1/{account_id}/me", "/v1/{account_id}/tags")
NO_LIMIT = 10**9


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a contract of three operations."""
    document = yaml.safe_load(default_spec().read_text())
    document["paths"] = {path: document["paths"][path] for path in PATHS}
    file = tmp_path_factory.mktemp("spec") / "openapi.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def explored(spec: Path, contract: Contract, *defects: str, **changes: object) -> Explored:
    """Explore a mock with defects in it."""
    app = create_app()
    site_of(app.mock).plant([defect_named(name) for name in defects])
    with MockServer(app) as server:
        profile = profile_of(server)
        minter = Minter(Target(profile), contract.permissions)
        tenant = minter.tenant(limit_minute=NO_LIMIT, limit_day=NO_LIMIT)
        tenant.hold()
        names = tuple(rule.id for rule in EXPLORED)
        plan = Plan(server.url, str(spec), "bearerKey", tenant.key, 1, 2, names, held=True)
        return explore(replace(plan, **changes))  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_finds_nothing_on_the_clean_mock(scheme: str, spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, scheme=scheme)
    judged = {id for id, finding in found.findings.items() if finding.times}

    assert {Verdict.KEPT, Verdict.NOT_CHECKED} == {f.verdict for f in found.findings.values()}
    assert {rules.ENVELOPE.id, rules.DATA_SCHEMA.id, rules.COUNTS_DOWN.id, rules.FLAT.id} <= judged
    assert ([], 0) == (found.errors, found.unanswered)
    assert found.requests > 50


@pytest.mark.parametrize(
    ("defects", "rule"),
    [
        (("large-numbers-clamped", "small-numbers-clamped"), rules.DOUBTFUL),
        (("bad-integers-ignored",), rules.BAD_QUERY),
    ],
    ids=["clamped", "ignored"],
)
def test_tells_what_a_page_calls_bad_from_what_we_do(
    defects: tuple[str, ...], rule: Rule, spec: Path, contract: Contract
) -> None:
    found = explored(spec, contract, *defects)

    assert {rule.id} == {
        id for id, finding in found.findings.items() if finding.verdict is Verdict.BROKEN
    }


@pytest.mark.parametrize(
    "defect", ["success-costs-two", "me-is-free", "error-nested", "body-not-checked"]
)
def test_names_the_rule(defect: str, spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, defect)
    rule = defect_named(defect).rule
    (finding,) = [f for f in found.findings.values() if f.verdict is Verdict.BROKEN]

    assert rule is finding.rule or rule == finding.rule
    assert all(breach.after and "Bearer" in breach.after for breach in finding.breaches)


def test_one_finding_hides_no_other(spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, "meta-missing", "error-nested", "number-as-text")
    broken = {id for id, finding in found.findings.items() if finding.verdict is Verdict.BROKEN}

    assert {rules.ENVELOPE.id, rules.FLAT.id, rules.DATA_SCHEMA.id} <= broken


def test_evidence_names_the_key_and_never_shows_it(spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, "success-costs-two")
    shown = str([b.shown("http://x") for f in found.findings.values() for b in f.breaches])

    assert "$FANSMETRIC_KEY" in shown
    assert "fm_api_test_org" not in shown


def test_reads_only_where_writes_are_not_allowed(spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, writes=False)
    where = {label for finding in found.findings.values() for label in finding.exercised}

    assert where
    assert all(label.startswith("GET ") for label in where)


def test_stops_at_its_budget(spec: Path, contract: Contract) -> None:
    found = explored(spec, contract, budget=30)

    assert (SPENT, 30, 0) == (found.ended, found.requests, found.unanswered)


def test_findings_are_merged(spec: Path, contract: Contract) -> None:
    ledger = Ledger()
    ledger.merge(explored(spec, contract, "success-costs-two").findings)

    assert Verdict.BROKEN is ledger.findings[rules.CREDIT_SUCCESS.id].verdict
    assert Verdict.NOT_CHECKED is ledger.findings[rules.KEY_REVOKED.id].verdict


def test_explorations_of_one_organization_take_turns(spec: Path) -> None:
    """Two at a time would take from each other's windows where nobody can have an organization of its own."""
    contract, app = load_contract(spec), create_app()
    app.mock.world.organizations["heron"].windows.set_limits(minute=NO_LIMIT, day=NO_LIMIT)
    key = Secret("full", "fm_api_test_unlimited")
    with MockServer(app) as server:
        target = Target(Profile(server.url, keys={"full": key}, allow_writes=True))
        target.reach()
        ledger = Ledger()
        rules_ = RULES.values()
        with exploring(contract, target, rules_, ledger, seed=1, examples=1) as exploration:
            exploration.collect(target, ledger)
    exchanges = app.mock.world.organizations["heron"].journal
    places = [exchange.key_places for exchange in exchanges if exchange.key_places]
    turns = [place for place, _ in groupby(places)]

    assert [("authorization",), ("x-api-key",)] == turns
    assert Verdict.KEPT is ledger.findings[rules.ENVELOPE.id].verdict


def test_an_exploration_that_dies_is_an_error(spec: Path) -> None:
    """Killed for its memory, say: the run goes on and doesn't pass; nothing waits for ever."""
    plan = Plan(
        "http://127.0.0.1:1", str(spec), "bearerKey", Secret("full", "x"), 1, 1, ("error.flat",)
    )
    explorer = _Explorer(plan)
    explorer._process.kill()
    found = explorer.result()
    explorer.end()

    assert ["its process ended with -9"] == found.errors


def test_an_exploration_that_fails_is_an_error(tmp_path: Path, contract: Contract) -> None:
    """Whatever Schemathesis raises is told by its kind, and what the rule checks found is kept."""
    gone = replace(contract, source=str(tmp_path / "gone.yaml"))
    ledger = Ledger()
    with MockServer(create_app()) as server:
        target = Target(profile_of(server))
        with exploring(gone, target, [rules.FLAT], ledger, seed=1, examples=1) as exploration:
            exploration.collect(target, ledger)

    assert Verdict.ERROR is ledger.findings[rules.FLAT.id].verdict
    assert "Error" in ledger.findings[rules.FLAT.id].reason
