"""Our rules inside plain Schemathesis: `SCHEMATHESIS_HOOKS=contract_tests.hooks st run openapi.yaml --url URL`.

Every response that Schemathesis provokes is judged by the rules that hold of all answers
(flat errors, envelope, schema, headroom, credit); each finding carries its rule's id.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.core.failures import Failure, FailureGroup, Severity

from contract_tests.exchange import Exchange, Request
from contract_tests.headroom import Falling
from contract_tests.observe import observe
from contract_tests.verdicts import Breach, Ledger
from mockserver.contract import Contract, Operation, Schemas, load_contract


class RuleBroken(Failure):
    """A breach of one rule, as Schemathesis reports it."""

    __slots__ = ("rule",)

    def __init__(self, breach: Breach) -> None:
        super().__init__(
            operation=breach.operation,
            title=f"{breach.rule.id} broken",
            message=f"{breach.rule.sentence}\nAllowed: {breach.allowed}\nFound: {breach.found_shown}",
            severity=Severity.HIGH,
        )
        self.rule = breach.rule.id

    @property
    def _unique_key(self) -> str:
        # Schemathesis merges failures of one class; the rule tells ours apart.
        return self.rule


_KEY_HEADERS = ("Authorization", "X-API-Key")

_falling = Falling()


@cache
def _contract() -> tuple[Contract, Schemas, dict[tuple[str, str], Operation]]:
    contract = load_contract()
    by_route = {(operation.method, operation.path): operation for operation in contract}
    return contract, Schemas(contract.document), by_route


@schemathesis.check
def fansmetric_rules(ctx: Any, response: Any, case: Any) -> bool | None:
    """Judge one response; ``True`` tells Schemathesis that nothing of ours applied to it."""
    _, schemas, by_route = _contract()
    operation = by_route.get((case.operation.method.upper(), case.operation.path))
    if operation is None or response.request.method != operation.method:
        return True  # a probe with a method that the contract doesn't have
    ledger = Ledger()
    exchange = _exchange(response)
    observe(ledger, schemas, exchange, operation)
    _falling.judge(ledger, exchange, operation)
    breaches = [breach for finding in ledger.findings.values() for breach in finding.breaches]
    if breaches:
        raise FailureGroup([RuleBroken(breach) for breach in breaches])
    return None if any(finding.times for finding in ledger.findings.values()) else True


def _exchange(response: Any) -> Exchange:
    url = urlsplit(response.request.url)
    path = f"{url.path}?{url.query}" if url.query else url.path
    headers = {name.lower(): values[-1] for name, values in response.headers.items()}
    request, sent = Request(response.request.method, path), response.request.headers
    keys = {str(sent.get(name, "")).removeprefix("Bearer ") for name in _KEY_HEADERS}
    return Exchange(request, response.status_code, headers, response.content, frozenset(keys))
