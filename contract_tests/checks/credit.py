"""What costs a credit; it shows in the headroom of the next success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from contract_tests.attempts import Attempt, settled
from contract_tests.bench import Bench, NotJudged, same_windows
from contract_tests.checks import check
from contract_tests.exchange import Exchange
from contract_tests.samples import NO_SUCH_ID, Sample, bearer
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.call import MAX_BODY

Fail = Callable[[], Exchange]


@check(rules.CREDIT_ERRORS, sends=7, stages=14)
def charged_refusals(bench: Bench) -> None:
    """Between two probes, each refusal past the auth gate takes one from both windows."""
    tenant = bench.tenants.tenant()
    tenant.hold()
    left, judged = bench.left(tenant), False
    for fail in _failures(bench, tenant):
        first = _between(bench, tenant, fail, left)
        if _is_charged(first.exchange) and not _rose(left, first.found[0]):
            judged = True
            found = settled(bench, partial(_again, bench, tenant, fail), first)
            _require_charge(bench, found)
            first = found
        (left,) = first.found
    if not judged:
        raise NotJudged("no refusal that costs a credit stood between two headrooms of one window")


def _between(bench: Bench, tenant: Tenant, fail: Fail, before: tuple[int, int]) -> Attempt:
    refused = fail()
    return Attempt(((before[0] - 2, before[1] - 2),), (bench.left(tenant),), refused)


def _again(bench: Bench, tenant: Tenant, fail: Fail) -> Attempt:
    """Try once more. Raises ``NotJudged`` where that shows nothing."""
    before = bench.left(tenant)
    attempt = _between(bench, tenant, fail, before)
    same_windows(before, attempt.found[0])
    if not _is_charged(attempt.exchange):
        raise NotJudged("what was refused before is not refused again")
    return attempt


def _require_charge(bench: Bench, attempt: Attempt) -> None:
    (due,), (found,), refused = attempt.due, attempt.found, attempt.exchange
    allowed = f"headroom {due} after a {refused.status if refused else 'refusal'} and a success"
    bench.require(found == due, refused, allowed, f"{found}")


def _is_charged(refused: Exchange | None) -> bool:
    return refused is not None and refused.status >= 400 and refused.status not in (401, 429)


def _rose(before: tuple[int, int], after: tuple[int, int]) -> bool:
    return after[0] > before[0] or after[1] > before[1]


def _failures(bench: Bench, tenant: Tenant) -> Iterator[Fail]:
    """Yield one way to each refusal that can be had on the operation."""
    sample, operation = bench.sample(tenant), bench.operation
    if operation is None:
        raise NotJudged("no operation")
    large = sample.sized(MAX_BODY + 1, bearer(tenant.key))
    yield lambda: bench.send_request(large, operation, permitted=True)
    if operation.on_account:
        yield lambda: bench.send(sample.with_path(account_id="x"), tenant.key)
        yield lambda: bench.send(sample.with_path(account_id=NO_SUCH_ID), tenant.key)
    if bench.tenants.fresh:
        yield from _staged(bench, tenant, sample)


def _staged(bench: Bench, tenant: Tenant, sample: Sample) -> Iterator[Fail]:
    """Yield the refusals that need an organization of one's own."""
    operation = sample.operation
    without = tenant.key_without(operation.permission or "")
    yield lambda: bench.send(sample, without, permitted=False)

    def unsubscribed() -> Exchange:
        tenant.subscribe("past_due")
        refused = bench.send(sample, tenant.key)
        tenant.subscribe("active")
        return refused

    yield unsubscribed
    if not operation.upstream:
        return
    if operation.on_account:
        yield lambda: bench.send(sample.with_path(account_id=tenant.lost_account()), tenant.key)

    def upstream_fails() -> Exchange:
        tenant.fail_next(502, operation.id)
        return bench.send(sample, tenant.key, stray=True)

    yield upstream_fails
