"""What a success looks like; judged on every success that any check meets."""

from __future__ import annotations

from contract_tests.bench import Bench
from contract_tests.checks import check
from mockserver import rules


@check(rules.ENVELOPE, rules.DATA_SCHEMA)
def success_has_its_envelope(bench: Bench) -> None:
    """Make a success on every operation."""
    tenant = bench.tenants.tenant()
    bench.success(bench.send(bench.sample(tenant), tenant.key))
