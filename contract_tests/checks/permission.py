"""What a key may do, and whose accounts it may see."""

from __future__ import annotations

from typing import Any

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import check
from contract_tests.lacks import Lacking
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.contract import Contract, Operation


@check(rules.PERMISSION_REQUIRED, stages=2)
def lacks_permission(bench: Bench) -> None:
    """Every other permission doesn't help."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    key = tenant.key_without(sample.operation.permission or "")
    # Whether a real server forgets a permission is what nobody knows yet; then it would write.
    bench.expect(bench.send(sample, key), 403)


@check(rules.PERMISSION_GRANTED, stages=2)
def has_permission(bench: Bench) -> None:
    """The operation's permission is all that is needed."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    key = tenant.key_with(sample.operation.permission or "")
    exchange = bench.send(sample, key)
    if exchange.status in (401, 402):
        raise NotJudged(f"{exchange.status}, which comes before any permission")
    bench.expect_not(exchange, {403}, "any status but 403")


def _reads_of(contract: Contract) -> int:
    return len(_on_account(contract)) + 1


def _on_account(contract: Contract) -> list[Operation]:
    return [op for op in contract if op.on_account and not op.writes]


@check(rules.PERMISSION_NO_EFFECT, sends=_reads_of, stages=3)
def refused_write_changes_nothing(bench: Bench) -> None:
    """What can be read is the same before and after a write that was refused."""
    bench.fresh()
    tenant, (twin, due) = bench.tenants.tenant(), _untouched(bench)
    tenant.hold(like=twin)
    sample = bench.sample(tenant)
    key = tenant.key_without(sample.operation.permission or "")
    refused = bench.send(sample, key, permitted=False)
    found = _everything(bench, tenant)
    changed = [label for label in due if due[label] != found[label]]
    bench.require(not changed, refused, "no change", f"{', '.join(changed)} changed")


def _untouched(bench: Bench) -> tuple[Tenant, dict[str, Any]]:
    """Return an organization to which nothing was done, and everything that can be read of it."""

    def read() -> tuple[Tenant, dict[str, Any]]:
        twin = bench.tenants.tenant()
        twin.hold()
        return twin, _everything(bench, twin)

    return bench.shared.once("untouched", read)


def _everything(bench: Bench, tenant: Tenant) -> dict[str, Any]:
    """Return the data of every read; two fresh organizations on held clocks show the same.

    Raises ``Lacking`` where the contract has none, for then no change would show.
    """
    reads = _on_account(bench.contract)
    if not reads:
        raise Lacking("operation that reads on an account, which would show a change")
    return {op.label: _data(bench, tenant, op) for op in reads}


def _data(bench: Bench, tenant: Tenant, operation: Any) -> Any:
    body = bench.send(bench.sample(tenant, operation), tenant.key).json
    return body.get("data") if isinstance(body, dict) else body


@check(rules.ORG_BOUNDARY, stages=2)
def foreign_account(bench: Bench) -> None:
    """An account of another organization isn't there, and neither are its records."""
    tenant, other = bench.tenants.tenant(), bench.tenants.other()
    sample = bench.sample(tenant).with_path(account_id=other.account())
    exchange = bench.send(sample, tenant.key)
    if exchange.status == 404 and sample.operation.looks_up and not bench.tenants.fresh:
        # Where there is no such record, a 404 says nothing of the boundary.
        if sample.operation.writes:
            raise NotJudged(
                "only a write to the other organization would show whether the record is there"
            )
        theirs = bench.send(sample, other.key)
        if not theirs.is_success:
            raise NotJudged(
                f"the other organization's own key gets {theirs.status} for the same request"
            )
    bench.expect(exchange, 404)
