"""The gate with another contract than the packaged one: what is left of it is judged, what isn't is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from contract_tests.cli import main
from contract_tests.embedded import embedded_mock, profile_of
from contract_tests.gate import Asked, check_target
from contract_tests.prove import plant
from contract_tests.reports.outcome import Outcome
from contract_tests.run import tell_lacks
from contract_tests.verdicts import Ledger, Verdict
from mockserver import create_app, rules
from mockserver.contract import Contract, load_contract
from mockserver.rules import Rule
from mockserver.server import MockServer
from tests.gate.smaller import only

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HEALTH = ("getHealth",)
TAGS = ("getHealth", "listTags", "createTag", "deleteTag")
"""An open operation, a list, and two that write; all on FansMetric's own data."""
LOOKUPS = ("getMessage", "listMessages", "getTrackingLink")
"""Reads, each of which names a record."""
LIST = ("listTags",)
WRITES = ("sendMessage", "createTag", "deleteTag")

Judged = Callable[..., Outcome]


@pytest.fixture
def judged(contract: Contract, tmp_path: Path) -> Judged:
    """Return what runs the gate with a smaller contract on the packaged mock, into which defects are planted."""

    def run(names: Collection[str], *asked: Rule, defects: Collection[str] = ()) -> Outcome:
        smaller = load_contract(only(contract, names, tmp_path / "openapi.yaml"))
        with MockServer(create_app()) as server:
            profile = profile_of(server)
            plant(profile, list(defects))
            ids = tuple(rule.id for rule in asked)
            return check_target(smaller, profile, Asked(only=ids, fast=True), lambda _: None)

    return run


def told(outcome: Outcome, verdict: Verdict) -> dict[str, str]:
    """Return the reason of each rule that has the verdict."""
    return {f.rule.id: f.reason for f in outcome.findings if f.verdict is verdict}


@pytest.mark.parametrize(
    ("names", "kept"),
    [(TAGS, 79), (LOOKUPS, 86), (WRITES, 82), (HEALTH, 7)],
    ids=["tags", "lookups", "writes", "health"],
)
def test_whatever_can_be_judged_is(names: Collection[str], kept: int, judged: Judged) -> None:
    """No rule is left out because the contract lacks an operation that a check had come to rely on."""
    outcome = judged(names)
    reasons = told(outcome, Verdict.NOT_CHECKED)

    assert {} == told(outcome, Verdict.ERROR)
    assert {} == told(outcome, Verdict.BROKEN)
    assert kept <= outcome.ledger.counted(Verdict.KEPT), reasons
    assert all(reason.startswith("the contract has no ") for reason in reasons.values()), reasons


@pytest.mark.parametrize(
    ("names", "rule", "reason"),
    [
        (HEALTH, rules.COUNTS_DOWN, "the contract has no operation that takes a key"),
        (HEALTH, rules.BEARER, "the contract has no authenticated operations"),
        (TAGS, rules.BAD_STATE, "the contract has no operation unsendMessage"),
        (WRITES, rules.BAD_STATE, "the contract has no operation unsendMessage"),
        (
            TAGS,
            rules.SYNC_LOST,
            "the contract has no operations that need upstream, on one account",
        ),
        (
            WRITES,
            rules.PERMISSION_NO_EFFECT,
            "the contract has no operation that reads on an account, which would show a change",
        ),
        (
            WRITES,
            rules.ORDER["413", "400"],
            "the contract has no operation that takes a number in its query",
        ),
        (
            TAGS,
            rules.ORDER["400", "404-record"],
            "the contract has no operation that takes a body or a number in its query"
            " and that looks up a record",
        ),
    ],
    ids=lambda value: value.id if isinstance(value, Rule) else "",
)
def test_says_what_the_contract_lacks(
    names: Collection[str], rule: Rule, reason: str, judged: Judged
) -> None:
    outcome = judged(names, rule)

    assert {rule.id: reason} == told(outcome, Verdict.NOT_CHECKED)
    assert 4 == outcome.exit_code


@pytest.mark.parametrize(
    ("defect", "names", "rule"),
    [
        ("success-costs-two", LOOKUPS, rules.CREDIT_SUCCESS),
        ("permission-not-checked", WRITES, rules.PERMISSION_REQUIRED),
        ("key-valid-at-its-expiry", LOOKUPS, rules.EXPIRY_INSTANT),
    ],
)
def test_catches_a_defect(defect: str, names: Collection[str], rule: Rule, judged: Judged) -> None:
    outcome = judged(names, rule, defects=[defect])

    assert [rule.id] == [finding.rule.id for finding in outcome.ledger.broken()]


def test_the_embedded_mock_serves_it(contract: Contract, tmp_path: Path) -> None:
    """Though the packaged world has roles with permissions that only the packaged contract has."""
    file = only(contract, TAGS, tmp_path / "openapi.yaml")
    done = CliRunner().invoke(
        main, ["run", "--fast", "--spec", str(file), "--only", "permission.granted"]
    )

    assert 0 == done.exit_code, done.output
    assert "1 kept" in done.output


def test_a_contract_that_cannot_be_served_is_one_line(
    contract: Contract, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = only(contract, TAGS, tmp_path / "openapi.yaml")
    file.write_text(
        file.read_text().replace("action: create", "action: handler\n        handler: none")
    )
    with pytest.raises(Exception, match="names the handler 'none'"), embedded_mock(file):
        pass

    assert "" == capfd.readouterr().err


def test_a_method_that_only_the_server_has_breaks_nothing(judged: Judged) -> None:
    """A server may well be ahead of the contract, and says so in Allow."""
    asked = (rules.UNKNOWN_METHOD, rules.METHOD_BEFORE_KEY, rules.DATA_SCHEMA)
    outcome = judged(["createTag"], *asked)

    assert {} == told(outcome, Verdict.BROKEN)
    assert len(asked) == outcome.ledger.counted(Verdict.KEPT)


@pytest.mark.parametrize(
    ("answer", "broken"),
    [
        ((405, "GET, POST"), {"error.method"}),
        ((405, "GET, HEAD"), set()),
        ((405, "GET, LIST"), {"error.method"}),
        ((405, "POST"), {"error.method"}),
        ((405, ""), {"error.method"}),
        ((404, "GET"), {"error.method", "order.405-over-401"}),
        ((401, "GET"), {"error.method", "order.405-over-401"}),
    ],
    ids=["one-too-many", "head", "unheard-of", "without-its-own", "none", "404", "401"],
)
def test_a_server_may_not_say_what_is_not_so(
    answer: tuple[int, str], broken: set[str], contract: Contract, tmp_path: Path
) -> None:
    """Whoever lists a method refuses it with 405 nowhere."""
    status, allow = answer
    app = create_app().wsgi_app

    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if not path.endswith("/tags") or method in ("GET", "HEAD"):
            environ["REQUEST_METHOD"] = "GET" if method == "HEAD" else method
            return app(environ, start_response)
        headers = [("Content-Type", "application/json"), ("Allow", allow)]
        start_response(f"{status} No", headers)
        return [b'{"error": "No."}']

    smaller = load_contract(only(contract, LIST, tmp_path / "openapi.yaml"))
    asked = Asked(only=("error.method", "order.405-over-401"), fast=True)
    with MockServer(served) as server:
        outcome = check_target(smaller, profile_of(server), asked, lambda _: None)

    assert broken == set(told(outcome, Verdict.BROKEN))


@pytest.mark.parametrize(
    ("flags", "code", "kept", "noted"),
    [((), 4, 0, True), (("--control",), 0, 1, False)],
    ids=["url-only", "control"],
)
def test_a_control_api_is_used_when_it_is_named(
    flags: tuple[str, ...], code: int, kept: int, noted: bool, contract: Contract, tmp_path: Path
) -> None:
    """Of a URL alone the gate has no key, and says how it could have one."""
    file = only(contract, TAGS, tmp_path / "openapi.yaml")
    asked = ["--fast", "--spec", str(file), "--only", "permission.granted", *flags]
    with MockServer(create_app()) as server:
        done = CliRunner().invoke(main, ["run", server.url, *asked])

    assert code == done.exit_code, done.output
    assert f"{kept} kept" in done.output
    assert noted is ("with --control every check gets" in done.output.replace("\n", ""))


def test_a_control_api_that_is_not_there_is_wrong_use() -> None:
    def nothing(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("404 Not Found", [("Content-Type", "application/json")])
        return [b'{"error": "No."}']

    with MockServer(nothing) as server:
        done = CliRunner().invoke(main, ["run", server.url, "--control", "--fast"])

    assert 2 == done.exit_code, done.output
    assert "has no control API for the gate: GET /_mock answers 404" in done.output


def renamed(contract: Contract, names: Collection[str], permission: str, file: Path) -> Path:
    """Write a smaller contract in which one permission has another name."""
    file = only(contract, names, file)
    file.write_text(file.read_text().replace(f": {permission}\n", ": api_of_nobody\n"))
    return file


def test_another_permission_than_the_targets(contract: Contract, tmp_path: Path) -> None:
    """What the target can't grant isn't judged where it is needed; everywhere else it is."""
    changed = load_contract(renamed(contract, TAGS, "api_tags_create", tmp_path / "openapi.yaml"))
    with MockServer(create_app()) as server:
        outcome = check_target(
            changed, profile_of(server), Asked(only=("permission",), fast=True), lambda _: None
        )
    granted, required = (
        outcome.ledger.findings[rule.id]
        for rule in (rules.PERMISSION_GRANTED, rules.PERMISSION_REQUIRED)
    )

    assert {} == told(outcome, Verdict.ERROR)
    assert 2 == granted.times
    assert "control API says: unknown permission api_of_nobody" in granted.elsewhere_told
    assert 3 == required.times


def test_an_operation_that_the_target_lacks_is_named_first(
    contract: Contract, tmp_path: Path
) -> None:
    """A valid request that gets a 405 is no success, and what else is broken there follows from it."""
    file = only(contract, LIST, tmp_path / "openapi.yaml")
    file.write_text(file.read_text().replace("    get:\n", "    patch:\n"))
    ahead = load_contract(file)
    with MockServer(create_app()) as server:
        outcome = check_target(ahead, profile_of(server), Asked(fast=True), lambda _: None)
    first = outcome.ledger.broken()[0]

    assert rules.ENVELOPE is first.rule
    assert [("PATCH /v1/{account_id}/tags", "405")] == [
        (b.operation, b.found) for b in first.breaches
    ]


def test_a_run_that_never_began_blames_no_contract(contract: Contract) -> None:
    """What the contract has it doesn't lack, though nothing was tried."""
    ledger = Ledger()
    tell_lacks(contract, ledger)

    assert {"no answer showed it"} == {finding.reason for finding in ledger.findings.values()}
