"""The JSON report is what its schema says, whatever a run ends with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from contract_tests.embedded import embedded_mock
from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.profile import Profile
from contract_tests.reports import machine
from contract_tests.reports.machine import as_json
from contract_tests.reports.outcome import Outcome
from contract_tests.run import Options, chosen_rules, planned, run
from contract_tests.sampling import covering
from contract_tests.target import Target
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.contract import Contract

SCHEMA: dict[str, Any] = json.loads(
    (Path(machine.__file__).parent / "report.schema.json").read_text(encoding="utf-8")
)
KEY = Secret("full", "fm_api_test_of_the_schema")


def reported(ledger: Ledger, **changes: Any) -> Any:
    run_of = {
        "base_url": "http://127.0.0.1:4010",
        "spec": "openapi.yaml",
        "operations": 93,
        "requests": 12,
        "seconds": 0.25,
        "strict": False,
    }
    return json.loads(as_json(Outcome(**{**run_of, **changes}, ledger=ledger)))


def problems(report: Any) -> list[str]:
    found = jsonschema_rs.Draft202012Validator(SCHEMA).iter_errors(report)
    return [f"{error.instance_path}: {error.message}" for error in found]


def broken() -> Ledger:
    request = Request("GET", "/v1/accounts", (), (("X-API-Key", "", KEY),))
    answer = Exchange(request, 500, {"content-type": "text/html"}, b"<script>]]>\x1b[0m\xff")
    ledger = Ledger()
    ledger.break_(Breach(rules.BEARER, "GET /v1/accounts", "200", "500", answer))
    ledger.break_(Breach(rules.DEFAULT_LIMITS, "*", "(1000, 50000)", "(None, None)"))
    return ledger


def failed() -> Ledger:
    ledger = Ledger()
    ledger.fail(rules.BEARER, "GET /v1/accounts: KeyError: 'data'")
    return ledger


@pytest.mark.parametrize(
    ("ledger", "exit_code"),
    [
        pytest.param(broken(), 1, id="broken"),
        pytest.param(failed(), 3, id="error"),
        pytest.param(Ledger(), 4, id="not checked"),
    ],
)
def test_every_ending_fits(ledger: Ledger, exit_code: int) -> None:
    report = reported(ledger)

    assert exit_code == report["exit_code"]
    assert [] == problems(report)


def against(profile: Profile, contract: Contract, *only: str) -> Any:
    """Return the report of a real run."""
    chosen = chosen_rules(only)
    ledger = Ledger(chosen)
    run(
        contract, Target(profile), planned(contract, Options(only, sample=covering), chosen), ledger
    )
    return reported(ledger, base_url=profile.base_url)


@pytest.mark.parametrize("control", [True, False], ids=["clean", "without keys"])
def test_real_runs_fit(contract: Contract, control: bool) -> None:
    with embedded_mock() as mock:
        profile = mock if control else Profile(mock.base_url)
        report = against(profile, contract, "auth", "envelope")

    assert [] == problems(report)
    assert control == (report["counts"]["not checked"] == 0)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every part of a schema that describes an object."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_nothing_else_is_allowed() -> None:
    """Only headers have names of their own; everything else is listed and closed."""
    closed = [part for part in objects(SCHEMA) if part["additionalProperties"] is False]

    assert [SCHEMA["$defs"]["headers"]] == [p for p in objects(SCHEMA) if p not in closed]
    assert all(set(part["required"]) <= set(part["properties"]) for part in closed)
    assert machine.VERSION == SCHEMA["properties"]["version"]["const"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"version": 2}, id="version"),
        pytest.param({"exit_code": 2}, id="exit code"),
        pytest.param({"more": 1}, id="unknown member"),
        pytest.param({"first_broken": ["auth"]}, id="no rule id"),
        pytest.param({"counts": {"kept": 1}}, id="counts"),
    ],
)
def test_refuses_what_no_run_reports(change: dict[str, Any]) -> None:
    assert problems(reported(broken()) | change)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"verdict": "kept"}, id="kept with a breach"),
        pytest.param({"verdict": "not checked", "breaches": []}, id="not checked without a reason"),
        pytest.param({"verdict": "kept", "breaches": [], "judged": 0}, id="kept but never judged"),
        pytest.param({"breaches": [{"operation": "*", "allowed": "200"}]}, id="half a breach"),
    ],
)
def test_verdict_and_evidence_agree(change: dict[str, Any]) -> None:
    report = reported(broken())
    report["rules"][0] |= change

    assert problems(report)
