"""The gate against a server that isn't ours: what it says of a good one, and of each broken one."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from contract_tests.cli import main
from contract_tests.pace import Pace
from contract_tests.profile import KEYS, read_profile
from contract_tests.run import Options, Task, chosen_rules, planned, run
from contract_tests.target import Target
from contract_tests.verdicts import Ledger, Verdict
from mockserver.contract import Contract
from mockserver.rules import Scope
from tests.gate.independent.defects import answers, counting, entry
from tests.gate.independent.people import FOREIGN, HEALTHY, LOST, RECORDS, RESTRICTED, secret
from tests.gate.independent.server import IndependentServer
from tests.gate.independent.service import Service

NOON = 1_800_014_400.0
"""Where the server's clock stands, so that no window begins anew during a run."""
FEW = 60
"""A minute that is quickly used up, and lasts for one area."""
SOME = frozenset(
    {
        "getHealth",
        "listAccounts",  # no account in its path
        "listChats",  # pages by offset, enumerated parameters
        "listMessages",  # pages by id, and a permission of the restricted key
        "getTopHighlights",  # an enumerated step of the path
        "sendMessage",
        "updateMassMessage",
        "renameUserList",
        "listTags",  # FansMetric's own data
        "deleteTag",
    }
)
"""The operations that stand for all, where a test doesn't ask every one: each method, each kind."""
IN_A_FILE = "past_due"
"""The key that the profile takes from a file; the others come from the environment."""

MAYBE_THE_OTHER = "not judged: 429, but maybe of the other window"

Judge = Callable[..., Ledger]


@pytest.fixture
def profile_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return what writes the profile of a server: its keys, its accounts, and what may be done there."""
    # The server's clock stands, so no minute would come that a pace could wait for.
    monkeypatch.setattr(Pace, "_pause", lambda *_: None)
    references = {name: f"${{INDEPENDENT_{name.upper()}}}" for name in KEYS if name != IN_A_FILE}
    for name in references:
        monkeypatch.setenv(f"INDEPENDENT_{name.upper()}", secret(name))
    (tmp_path / IN_A_FILE).write_text(secret(IN_A_FILE))
    file = tmp_path / "profile.yaml"

    def write(url: str, exhaust: str = "minute") -> Path:
        profile = {
            "base_url": url,
            "keys": {**references, IN_A_FILE: f"file:{IN_A_FILE}"},
            "restricted_permissions": sorted(RESTRICTED),
            "accounts": {"healthy": HEALTHY, "sync_lost": LOST, "other": FOREIGN},
            "values": dict(RECORDS),
            "allow": {"writes": True, "exhaust": exhaust.split()},
        }
        file.write_text(yaml.safe_dump(profile))
        return file

    return write


@pytest.fixture
def judged(contract: Contract, profile_of: Callable[..., Path]) -> Judge:
    """Return what runs rules against a service, of which only a profile is known."""

    def judge(service: Service, *only: str, every: bool = False, exhaust: str = "minute") -> Ledger:
        with IndependentServer(service) as server:
            file = profile_of(server.url, exhaust)
            chosen = chosen_rules(only)
            ledger = Ledger(chosen)
            tasks = [t for t in planned(contract, Options(), chosen) if every or stands_for_all(t)]
            run(contract, Target(read_profile(file, contract)), tasks, ledger)
        return ledger

    return judge


def stands_for_all(task: Task) -> bool:
    """Whether a task is part of a short run; checks of the order choose few operations themselves."""
    asked = task.operation
    return asked is None or asked.id in SOME or task.check.rule.area == "order"


def found(ledger: Ledger, verdict: Verdict) -> dict[str, str]:
    """Return the rules with a verdict, and what led to it."""
    return {
        id: finding.reason + "".join(f"; {b.operation}: {b.found}" for b in finding.breaches)
        for id, finding in ledger.findings.items()
        if finding.verdict is verdict
    }


def test_server_knows_nothing_of_the_suite() -> None:
    files = sorted(Path(__file__).with_name("independent").rglob("*.py"))
    imported = {
        name
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }

    assert files
    assert not {name for name in imported if name.startswith(("mockserver", "contract_tests"))}


def test_connection_outlives_an_early_refusal() -> None:
    """A body that nobody read is drained, so that the next request isn't taken for its rest."""
    with IndependentServer(Service(lambda: NOON)) as server:
        connection = HTTPConnection("127.0.0.1", server.server_port)
        connection.request("POST", "/v1/accounts", body=b"x" * 100_000)
        refused = connection.getresponse()
        refused.read()
        kept = connection.sock
        connection.request("GET", "/health")
        healthy = connection.getresponse().status
        outlived = connection.sock is kept
        connection.close()

    assert (405, 200) == (refused.status, healthy)
    assert outlived


def test_good_server_breaks_nothing(judged: Judge) -> None:
    """All rules in one run; what only a control API could show says so."""
    ledger = judged(Service(lambda: NOON))
    left = found(ledger, Verdict.NOT_CHECKED)

    assert {} == found(ledger, Verdict.BROKEN)
    assert {} == found(ledger, Verdict.ERROR)
    assert {} == {
        id: why for id, why in left.items() if not why.startswith(("needs ", "not judged: "))
    }
    assert "needs an organization of its own for each check" == left["permission.no-effect"]
    assert 69 <= ledger.counted(Verdict.KEPT)


def test_every_operation_is_served(judged: Judge, contract: Contract) -> None:
    """The server isn't good because little of it was asked."""
    ledger = judged(Service(lambda: NOON), "envelope", "pagination", every=True)

    assert {} == found(ledger, Verdict.BROKEN)
    assert {op.label for op in contract.in_scope(Scope.AUTHENTICATED)} == ledger.findings[
        "envelope.data"
    ].exercised


BROKEN: list[tuple[str, type[Service]]] = [
    ("auth.key-revoked", entry.AcceptsRevoked),
    ("auth.key-expired", entry.AcceptsExpired),
    ("auth.x-api-key", entry.IgnoresHeaderKey),
    ("auth.headers-equivalent", entry.IgnoresHeaderKey),
    ("auth.other-scheme", entry.TakesAnyScheme),
    ("auth.two-keys", entry.PrefersFirstKey),
    ("auth.no-credit", counting.ChargesStrangers),
    ("permission.granted", entry.RefusesRoles),
    ("permission.org-boundary", entry.ReadsForeignAccounts),
    ("rate.shared-by-org", counting.CountsPerKey),
    ("rate.orgs-independent", counting.CountsEverybodyTogether),
    ("credit.charged-errors", counting.ErrorsAreFree),
    ("credit.success", counting.CreditIsFree),
    ("error.413-chunked", counting.WeighsByHeader),
    ("error.413-at-limit", counting.RefusesAtTheLimit),
    ("error.402-past-due", entry.LetsDebtorsRead),
    ("error.400-enum", answers.EnumFallsBack),
    ("error.400-query", answers.TakesAnyNumber),
    ("error.400-query", answers.TripsOverNumbers),
    ("error.400-doubtful", answers.ClampsNumbers),
    ("error.400-body", answers.TakesAnyBody),
    ("error.404", answers.InventsRecords),
    ("error.424", answers.WorksWithoutSession),
    ("error.424-local", answers.LosesEverything),
    ("error.flat", answers.NestsErrors),
    ("error.json", answers.MislabelsErrors),
    ("error.method", answers.HidesMethods),
    ("envelope.success", answers.LeavesOutMeta),
    ("pagination.relative", answers.LinksAbsolutely),
    ("pagination.last", answers.EndsWithNull),
    ("pagination.complete", answers.RepeatsAtTheBoundary),
    ("pagination.keeps-query", answers.ForgetsQuery),
    ("order.403-over-400", entry.ValidatesBeforePermission),
    ("order.404-route-over-401", entry.AsksForKeyFirst),
]


@pytest.mark.parametrize(
    ("rule", "defect"), BROKEN, ids=[f"{rule}-{defect.__name__}" for rule, defect in BROKEN]
)
def test_broken_promise_is_found(rule: str, defect: type[Service], judged: Judge) -> None:
    assert rule in found(judged(defect(lambda: NOON), rule), Verdict.BROKEN)


@pytest.mark.parametrize(
    ("flags", "code", "verdict"),
    [([], 0, "broken (advisory)"), (["--strict"], 1, "broken")],
    ids=["plain", "strict"],
)
def test_clamping_is_no_breach_of_any_page(
    flags: list[str], code: int, verdict: str, profile_of: Callable[..., Path]
) -> None:
    """A server may do with numbers out of bounds what no page forbids; that is told, and breaks no run."""
    asked = [f"--only=error.400-{kind}" for kind in ("query", "body", "enum", "doubtful")]
    with IndependentServer(answers.ClampsNumbers(lambda: NOON)) as server:
        run_ = ["run", "--profile", str(profile_of(server.url)), "--fast", *asked, *flags]
        done = CliRunner().invoke(main, run_)
    rows = dict(
        re.findall(
            r"^error\.400-(\w+) +(?:documented|inferred) +([a-z]+(?: \(advisory\))?) ",
            done.output,
            re.M,
        )
    )

    assert code == done.exit_code, done.output
    assert {"query": "kept", "body": "kept", "enum": "kept", "doubtful": verdict} == rows


def test_failing_at_a_doubtful_value_is_a_breach(judged: Judge) -> None:
    """Whether it is refused or clamped, nobody may fail at it."""
    ledger = judged(answers.TripsOverNumbers(lambda: NOON), "error.400-query", "error.400-doubtful")

    assert {"error.400-query"} == found(ledger, Verdict.BROKEN).keys()


def test_one_open_operation_is_found(judged: Judge) -> None:
    """Among all operations, exactly the one whose permission nobody asks for."""
    ledger = judged(entry.OpensOneOperation(lambda: NOON), "permission.required", every=True)
    breaches = ledger.findings["permission.required"].breaches

    assert ["GET /v1/{account_id}/earnings"] == [breach.operation for breach in breaches]


def test_page_for_people_is_found_where_the_404_is_made(judged: Judge) -> None:
    """What holds of every error is judged in whatever check meets one."""
    server = answers.ShowsPageOn404(lambda: NOON)
    ledger = judged(server, "error.unknown-route", "error.flat")

    assert {"error.flat"} == found(ledger, Verdict.BROKEN).keys()


@pytest.mark.parametrize("defect", [counting.ReportsBeforehand, counting.NeverRefuses])
def test_wrong_count_is_found_where_the_minute_ends(defect: type[Service], judged: Judge) -> None:
    good = judged(Service(lambda: NOON, minute=FEW), "rate.exact")
    bad = judged(defect(lambda: NOON, minute=FEW), "rate.exact")

    assert {} == found(good, Verdict.BROKEN)
    assert {"rate.exact"} == found(bad, Verdict.BROKEN).keys()


def test_limit_that_is_only_told_is_broken(judged: Judge) -> None:
    """When nothing is left and requests still pass, no window was used up."""
    server = counting.NeverRefuses(lambda: NOON, minute=FEW)

    assert {"rate.minute"} == found(judged(server, "rate.minute"), Verdict.BROKEN).keys()


def test_minute_that_is_used_up_says_nothing_of_the_day(judged: Judge) -> None:
    """A 429 doesn't say which window it is about; what was left before it does."""
    asked = ("rate.minute", "rate.day", "rate.exact")
    minute = judged(Service(lambda: NOON, minute=FEW), *asked, exhaust="minute day")
    day = judged(Service(lambda: NOON, day=FEW), *asked, exhaust="minute day")

    assert {"rate.minute", "rate.exact"} == found(minute, Verdict.KEPT).keys()
    assert {"rate.day": MAYBE_THE_OTHER} == found(minute, Verdict.NOT_CHECKED)
    assert {"rate.day"} == found(day, Verdict.KEPT).keys()
    assert {"rate.minute", "rate.exact"} == found(day, Verdict.NOT_CHECKED).keys()


def test_large_window_is_left_alone(judged: Judge) -> None:
    """The gate doesn't begin to use up what it could not use up."""
    server = Service(lambda: NOON, minute=100_000, day=200_000)
    left = found(judged(server, "rate.minute"), Verdict.NOT_CHECKED)

    assert {"rate.minute": "not judged: more than 2,000 requests are left"} == left
