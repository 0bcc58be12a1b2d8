"""What a success looks like, and what it says of the windows; judged on every success that any check meets."""

from __future__ import annotations

from contract_tests.bench import Bench
from contract_tests.checks import check
from contract_tests.samples import Sample
from mockserver import rules


@check(
    rules.ENVELOPE,
    rules.DATA_SCHEMA,
    rules.HEADROOM,
    rules.LIMITS,
    rules.BOUNDS,
    rules.CREDIT_SUCCESS,
)
def valid_request_succeeds(bench: Bench) -> None:
    """What holds of every success is judged wherever one comes; this makes one on every operation."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    exchange = bench.send(sample, tenant.key)
    if exchange.status == 405:  # then the operation itself isn't there, whatever it names
        bench.break_(exchange, "a success, for a method that the contract has there", "405")
    elif exchange.status == 404 and _names_nothing(sample):
        bench.reached(tenant)  # else the account isn't there, and the operation may be
        bench.break_(exchange, "a success, for a request that names no record", "404")
    bench.success(exchange)


def _names_nothing(sample: Sample) -> bool:
    """Whether a request names nothing but the account, so that nothing else can be missing."""
    return not (sample.operation.looks_up or sample.query or sample.body)
