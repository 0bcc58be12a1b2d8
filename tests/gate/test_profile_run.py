"""A server of which only a profile is known: no control API, the seeded keys, and what that allows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from contract_tests.exchange import Secret
from contract_tests.gate import Asked, check_target
from contract_tests.plan import SPENT
from contract_tests.profile import Profile
from contract_tests.reports.html import as_html
from contract_tests.reports.machine import as_json
from contract_tests.reports.terminal import print_outcome
from contract_tests.run import Options, chosen_rules, planned, run
from contract_tests.sampling import covering
from contract_tests.target import Target
from contract_tests.tenants import Unmet
from contract_tests.verdicts import Ledger, Verdict
from mockserver import create_app, rules
from mockserver.app import MockFlask
from mockserver.contract import Contract
from mockserver.rules import Need
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

KEYS = {
    "full": "full",
    "second": "second",
    "restricted": "chats",
    "other": "other",
    "revoked": "revoked",
    "expired": "expired",
    "unsubscribed": "unsubscribed",
    "past_due": "pastdue",
}
NEEDS_A_CLOCK = {
    rules.EXPIRY_INSTANT,
    rules.WINDOWS_INDEPENDENT,
    rules.RECOVERS,
    rules.NO_CREDIT_429,
}


@pytest.fixture
def app() -> MockFlask:
    """Return a mock whose windows last for a whole run."""
    made = create_app()
    for organization in made.mock.world.organizations.values():
        organization.windows.set_limits(minute=100_000, day=100_000)
    return made


def judged(app: MockFlask, contract: Contract, only: str, **changes: Any) -> Ledger:
    """Run an area against the mock as if it were somebody else's server."""
    chosen = chosen_rules([only])
    ledger = Ledger(chosen)
    with MockServer(app) as server:
        profile = Profile(
            server.url,
            keys={name: Secret(name, f"fm_api_test_{key}") for name, key in KEYS.items()},
            restricted_permissions=frozenset({"api_chats_list", "api_messages_list"}),
            accounts={"healthy": 1001, "sync_lost": 1003, "other": 2001},
            allow_writes=True,
        )
        options = Options(sample=covering)
        run(
            contract,
            Target(replace(profile, **changes)),
            planned(contract, options, chosen),
            ledger,
        )
    return ledger


@pytest.mark.parametrize("area", ["auth", "permission", "error", "envelope", "pagination"])
def test_judges_what_the_profile_allows(area: str, app: MockFlask, contract: Contract) -> None:
    """Nothing is broken, nothing breaks the suite, and what isn't checked says why."""
    findings = judged(app, contract, area).findings.values()
    left = {f.rule.id: f.reason for f in findings if f.verdict is Verdict.NOT_CHECKED}

    assert {Verdict.KEPT, Verdict.NOT_CHECKED} >= {f.verdict for f in findings}, [
        (f.rule.id, f.errors, f.breaches) for f in findings
    ]
    assert all(reason.startswith(("needs ", "not judged: ")) for reason in left.values())
    assert len(left) < len(list(findings)) / 2 + 1


def test_rules_of_time_need_a_clock(app: MockFlask, contract: Contract) -> None:
    findings = judged(app, contract, "rate").findings

    assert {Verdict.NOT_CHECKED} == {
        findings[rule.id].verdict for rule in NEEDS_A_CLOCK if rule.id in findings
    }
    assert {Verdict.KEPT} == {
        findings[rule.id].verdict
        for rule in (rules.HEADROOM, rules.COUNTS_DOWN, rules.SHARED_BY_ORG, rules.ORGS_INDEPENDENT)
    }


def test_exhausts_a_window_only_with_leave(app: MockFlask, contract: Contract) -> None:
    app.mock.world.organization("lark").windows.set_limits(minute=40)
    without = judged(app, contract, "rate.minute").findings["rate.minute"]
    allowed = judged(app, contract, "rate.minute", allow_exhaust=frozenset({"minute"}))

    assert (Verdict.NOT_CHECKED, "needs leave to exhaust the minute window") == (
        without.verdict,
        without.reason,
    )
    assert Verdict.KEPT is allowed.findings["rate.minute"].verdict


def test_budget_ends_the_run(app: MockFlask, contract: Contract) -> None:
    finding = judged(app, contract, "auth.bearer", max_requests=3).findings["auth.bearer"]

    assert 3 == finding.times
    assert Verdict.NOT_CHECKED is finding.verdict
    assert "the request budget is spent; kept 3 times by then" == finding.reason


def test_an_interrupt_at_any_time_ends_the_run(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the first check: there is an outcome to report, and it is no pass."""

    def interrupted(_: Target) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Target, "reach", interrupted)
    outcome = check_target(contract, Profile("http://127.0.0.1:1"), Asked(), lambda _: None)

    assert ("interrupted", 3) == (outcome.ledger.ended, outcome.exit_code)


@pytest.mark.parametrize("control", [True, False])
def test_no_more_is_sent_than_may_be(control: bool, app: MockFlask, contract: Contract) -> None:
    """The exploration takes what the rule checks leave, to the very last request, if they leave anything."""
    seen: list[str] = []
    # The second is enough to judge a rule everywhere, however the threads take turns, and too little for all.
    budgets = {"auth.health-open": 200, "error": 900}

    def counting(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return app(environ, start_response)

    with MockServer(counting) as server:
        keys = {"full": Secret("full", "fm_api_test_unlimited")}
        profile = Profile(server.url, keys=keys, allow_writes=True, control=control)
        outcomes = [
            check_target(
                contract,
                replace(profile, max_requests=most),
                Asked(only=(area, "envelope.data"), explore=True),
                lambda _: None,
            )
            for area, most in budgets.items()
        ]

    assert all(
        most - 10 < outcome.requests <= most
        for outcome, most in zip(outcomes, budgets.values(), strict=True)
    )
    assert len(seen) <= sum(outcome.requests for outcome in outcomes)
    assert [0, 0] == [outcome.exit_code for outcome in outcomes]
    assert all(SPENT in outcome.notes[-1] for outcome in outcomes)


def test_reports_say_where_a_kept_rule_was_not_judged(app: MockFlask, contract: Contract) -> None:
    """One permission is granted on one operation; that the others were not looked at is said."""
    with MockServer(app) as server:
        profile = Profile(
            server.url,
            keys={name: Secret(name, f"fm_api_test_{key}") for name, key in KEYS.items()},
            restricted_permissions=frozenset({"api_chats_list"}),
            accounts={"healthy": 1001},
            allow_writes=True,
        )
        asked = Asked(only=("permission.granted",))
        outcome = check_target(contract, profile, asked, lambda _: None)
    (finding,) = outcome.findings
    (rule,) = json.loads(as_json(outcome))["rules"]
    console = Console(record=True, width=300)
    print_outcome(outcome, console)
    told = f"judged on 1 of 92 operations: {Unmet(Need.ROLES)} (91 times)"

    assert (Verdict.KEPT, 1) == (finding.verdict, finding.times)
    assert (None, [{"reason": f"{Unmet(Need.ROLES)}", "times": 91}]) == (
        rule["reason"],
        rule["elsewhere"],
    )
    assert told in console.export_text()
    assert told in as_html(outcome)
