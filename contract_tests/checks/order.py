"""Which refusal wins when several apply: every pair, on one operation of each method that can show it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from contract_tests.bench import Bench
from contract_tests.checks import check
from contract_tests.checks.exhaust import use_up_either
from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.samples import NO_SUCH_ID, Sample, bearer
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.call import MAX_BODY
from mockserver.contract import Contract, Operation
from mockserver.rules import Need, Rule

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request in the making, to which mistakes are added."""

    tenant: Tenant
    sample: Sample
    key: Secret
    oversized: bool = False
    forbidden: bool = False

    def request(self) -> Request:
        """Return the request with all its mistakes."""
        if self.oversized:
            return self.sample.sized(MAX_BODY + 1, bearer(self.key))
        return self.sample.request(bearer(self.key))


Mistake = Callable[[Attempt], Attempt]


def _revoked(attempt: Attempt) -> Attempt:
    return replace(attempt, key=attempt.tenant.revoked_key(useless=attempt.forbidden))


def _oversized(attempt: Attempt) -> Attempt:
    return replace(attempt, oversized=True)


def _of_the_tenant(attempt: Attempt) -> Attempt:
    """Change nothing: the organization itself is past due, or has nothing left."""
    return attempt


def _forbidden(attempt: Attempt) -> Attempt:
    permission = attempt.sample.operation.permission or ""
    return replace(attempt, key=attempt.tenant.key_without(permission), forbidden=True)


def _malformed(attempt: Attempt) -> Attempt:
    """Make a parameter wrong that isn't the account's id, for that one may have to name an account."""
    operation = attempt.sample.operation
    query = next((p for p in operation.query_parameters if p.type == "integer"), None)
    if query is not None:
        return replace(attempt, sample=attempt.sample.with_query(**{query.name: "x"}))
    return replace(attempt, sample=replace(attempt.sample, body=[]))


def _no_account(attempt: Attempt) -> Attempt:
    return replace(attempt, sample=attempt.sample.with_path(account_id=NO_SUCH_ID))


def _session_lost(attempt: Attempt) -> Attempt:
    lost = attempt.tenant.lost_account()
    return replace(attempt, sample=attempt.sample.with_path(account_id=lost))


def _no_record(attempt: Attempt) -> Attempt:
    names = [p.name for p in attempt.sample.operation.path_parameters if p.name != "account_id"]
    return replace(attempt, sample=attempt.sample.with_path(**{names[-1]: NO_SUCH_ID}))


_MISTAKES: dict[str, Mistake] = {
    "401": _revoked,
    "429": _of_the_tenant,
    "413": _oversized,
    "402": _of_the_tenant,
    "403": _forbidden,
    "400": _malformed,
    "404": _no_account,
    "424": _session_lost,
    "404-record": _no_record,
}


def _always(_: Operation) -> bool:
    return True


_POSSIBLE: dict[str, Callable[[Operation], bool]] = {
    "400": lambda op: op.body is not None or any(p.type == "integer" for p in op.query_parameters),
    "404": lambda op: op.on_account,
    "424": lambda op: op.on_account and op.upstream,
    "404-record": lambda op: op.looks_up,
}
"""The operations that can show a mistake, where not all can."""
_TRAITS = {
    "400": "that takes a body or a number in its query",
    "404": "that is on an account",
    "424": "that needs upstream, on an account",
    "404-record": "that looks up a record",
}
"""The same in words."""


def _candidates(contract: Contract, first: str, second: str) -> list[Operation]:
    """Return the first operation of each method that can show both mistakes."""
    able = [
        op
        for op in contract
        if op.authenticated and all(_POSSIBLE.get(m, _always)(op) for m in (first, second))
    ]
    if {first, second} == {"413", "400"}:
        able = [op for op in able if any(p.type == "integer" for p in op.query_parameters)]
    found = [next((op for op in able if op.method == method), None) for method in _METHODS]
    return [op for op in found if op is not None]


def _lack(pair: tuple[str, str]) -> str:
    """Return what a contract lacks that has no candidate for a pair."""
    if {*pair} == {"413", "400"}:
        return "operation that takes a number in its query"
    traits = [_TRAITS[mistake] for mistake in pair if mistake in _TRAITS]
    return f"operation {' and '.join(traits or ['that takes a key'])}"


def _register(pair: tuple[str, str], rule: Rule) -> None:
    first, second = pair

    # On a shared organization, what exhausts a window comes after everything else.
    @check(
        rule,
        among=lambda contract: _candidates(contract, first, second),
        last="429" in pair,
        lack=_lack(pair),
        stages=1 + ("401" in pair) + ("403" in pair) + 2 * ("429" in pair),
    )
    def wins(bench: Bench) -> None:
        """Make both mistakes; the answer is the first one's."""
        if Need.FRESH in rule.needs:
            bench.fresh()
        tenant = bench.tenants.past_due() if "402" in pair else bench.tenants.tenant()
        exchange = _made(bench, tenant, pair)
        if first == "429" != f"{exchange.status}" and not bench.tenants.fresh:
            # On a clock that nobody holds, a new window may have begun since.
            exchange = _made(bench, tenant, pair)
        if second == "429" == f"{exchange.status}":
            bench.break_(exchange, f"{first}", "429")
        else:
            bench.expect(exchange, int(first.partition("-")[0]), what=f"rather than {second}")


def _made(bench: Bench, tenant: Tenant, pair: tuple[str, str]) -> Exchange:
    """Return the answer to a request with both mistakes."""
    if "429" in pair:
        tenant.hold()
        use_up_either(bench, tenant)
    attempt = Attempt(tenant, bench.sample(tenant), tenant.key)
    # A key that is replaced twice keeps the later one's fault, so the revoked key comes last.
    for mistake in sorted(pair, key=lambda name: name == "401"):
        attempt = _MISTAKES[mistake](attempt)
    return bench.send_request(attempt.request(), attempt.sample.operation, permitted=True)


for _pair, _rule in rules.ORDER.items():
    _register(_pair, _rule)
