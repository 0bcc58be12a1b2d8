"""The gate can't be fooled: a fault that is planted breaks the rule that speaks of it, and names it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from contract_tests.embedded import profile_of
from contract_tests.run import Options, chosen_rules, planned, run
from contract_tests.verdicts import Ledger, Verdict
from mockserver import create_app, rules
from mockserver.app import MockFlask
from mockserver.call import Call
from mockserver.contract import Operation
from mockserver.envelope import Refused, Reply
from mockserver.mock import Mock
from mockserver.rules import Rule
from mockserver.server import MockServer

Plant = Callable[[Mock], None]


def checked(app: MockFlask, *only: str) -> Ledger:
    """Run the rules that are named against an application, and return what was found."""
    contract = app.mock.contract
    chosen = chosen_rules(only)
    ledger = Ledger(chosen)
    with MockServer(app, threads=24) as server:
        run(contract, profile_of(server), planned(contract, Options(fast=True), chosen), ledger)
    return ledger


def rewrite(mock: Mock, change: Callable[[Operation, Reply], Reply]) -> None:
    """Let every answer of the mock pass through ``change``."""
    original = mock.answer
    mock.check_responses = False

    def answer(environ: Any, operation: Operation, arguments: dict[str, str]) -> Reply:
        return change(operation, original(environ, operation, arguments))

    mock.answer = answer  # type: ignore[method-assign]  # this is how the fault is planted


def with_body(change: Callable[[dict[str, Any]], None], *statuses: int) -> Plant:
    """Return a fault that changes the JSON of answers with one of ``statuses``."""

    def changed(_: Operation, reply: Reply) -> Reply:
        if reply.status not in statuses:
            return reply
        body = orjson.loads(reply.body)
        change(body)
        return replace(reply, body=orjson.dumps(body))

    return lambda mock: rewrite(mock, changed)


def skipping(step: str) -> Plant:
    """Return a fault that leaves out a step of the pipeline."""

    def plant(mock: Mock) -> None:
        setattr(mock.pipeline, step, lambda *_: None)

    return plant


def skipping_on(step: str, operation_id: str) -> Plant:
    """Return a fault that leaves out a step for one operation; the operation comes second."""

    def plant(mock: Mock) -> None:
        original = getattr(mock.pipeline, step)

        def run_step(first: Any, operation: Operation) -> None:
            if operation.id != operation_id:
                original(first, operation)

        setattr(mock.pipeline, step, run_step)

    return plant


def ignoring(rule: Rule, step: str, answer: Callable[[Any], Any]) -> Plant:
    """Return a fault that lets pass what ``rule`` refuses."""

    def plant(mock: Mock) -> None:
        original = getattr(mock.pipeline, step)

        def run_step(*arguments: Any) -> Any:
            try:
                return original(*arguments)
            except Refused as refused:
                if refused.rule is not rule:
                    raise
                return answer(arguments[0])

        setattr(mock.pipeline, step, run_step)

    return plant


def revoked_pass(mock: Mock) -> None:
    """Look the key up, whatever became of it."""

    def key_of(call: Call) -> Any:
        secret = (call.header("Authorization") or call.header("X-API-Key") or "").split()[-1]
        return mock.world.keys[secret]

    ignoring(rules.KEY_REVOKED, "authenticate", key_of)(mock)


def only_bearer(mock: Mock) -> None:
    """Forget the second header form."""
    original = mock.pipeline.authenticate

    def authenticate(call: Call) -> Any:
        call.environ.pop("HTTP_X_API_KEY", None)
        return original(call)

    mock.pipeline.authenticate = authenticate  # type: ignore[method-assign]  # the planted fault


def length_only(mock: Mock) -> None:
    """Look at Content-Length instead of the body."""

    def check(call: Call) -> None:
        if (call.declared_length or 0) > 1_048_576:
            raise Refused(rules.TOO_LARGE, "The body is too large.")

    mock.pipeline.check_body_size = check  # type: ignore[method-assign]  # the planted fault


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.pop(name)


def null_page(body: dict[str, Any]) -> None:
    body.setdefault("_pagination", {"next_page": None})


def absolute(body: dict[str, Any]) -> None:
    if "_pagination" in body:
        body["_pagination"]["next_page"] = "https://example.com" + body["_pagination"]["next_page"]


def uncounted(body: dict[str, Any]) -> None:
    body["_meta"]["_rate_limits"]["remaining_minute"] += 1


def priced(body: dict[str, Any]) -> None:
    body["_meta"]["_credits"]["used"] = 2


FAULTS: dict[str, tuple[Plant, Rule]] = {
    "header-key-ignored": (only_bearer, rules.X_API_KEY),
    "revoked-key-accepted": (revoked_pass, rules.KEY_REVOKED),
    "no-permissions": (skipping("check_permission"), rules.PERMISSION_REQUIRED),
    "no-billing": (skipping("check_billing"), rules.PAST_DUE),
    "no-body-limit": (skipping("check_body_size"), rules.TOO_LARGE),
    "body-limit-by-header": (length_only, rules.TOO_LARGE_CHUNKED),
    "no-account-state": (skipping("check_account_state"), rules.SYNC_LOST),
    "no-meta": (with_body(drop("_meta"), 200), rules.ENVELOPE),
    "headroom-before-the-request": (with_body(uncounted, 200), rules.COUNTS_DOWN),
    "double-price": (with_body(priced, 200), rules.CREDIT_SUCCESS),
    "error-with-code": (with_body(lambda body: body.update(code=1), 400, 401, 403), rules.FLAT),
    "null-on-the-last-page": (with_body(null_page, 200), rules.PAGE_LAST),
    "absolute-next-page": (with_body(absolute, 200), rules.PAGE_RELATIVE),
}


@pytest.mark.parametrize("name", FAULTS)
def test_names_the_broken_rule(name: str) -> None:
    plant, rule = FAULTS[name]
    app = create_app()
    plant(app.mock)
    ledger = checked(app, rule.id)

    assert ledger.findings[rule.id].verdict is Verdict.BROKEN


def test_finds_one_operation_among_all() -> None:
    """A check that runs on every operation sees the one that forgot its permission."""
    app = create_app()
    skipping_on("check_permission", "muteChat")(app.mock)
    chosen = chosen_rules([rules.PERMISSION_REQUIRED.id])
    ledger = Ledger(chosen)
    with MockServer(app, threads=24) as server:
        run(
            app.mock.contract,
            profile_of(server),
            planned(app.mock.contract, Options(), chosen),
            ledger,
        )
    (finding,) = ledger.findings.values()

    assert ["POST /v1/{account_id}/chats/{user_id}/mute"] == [b.operation for b in finding.breaches]


def test_clean_mock_keeps_what_is_asked() -> None:
    """Without a fault, nothing is broken, and what was kept was judged."""
    ledger = checked(create_app(), "auth", "permission", "error")

    assert {Verdict.KEPT} == {finding.verdict for finding in ledger.findings.values()}
    assert all(finding.times for finding in ledger.findings.values())
