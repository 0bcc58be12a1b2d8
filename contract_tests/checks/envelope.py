"""What a success looks like, and what it says of the windows; judged on every success that any check meets."""

from __future__ import annotations

from contract_tests.bench import Bench
from contract_tests.checks import check
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
    bench.success(bench.send(bench.sample(tenant), tenant.key))
