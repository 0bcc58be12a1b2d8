"""Routes and methods that the contract doesn't have."""

from __future__ import annotations

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import check
from contract_tests.exchange import Request
from contract_tests.samples import bearer
from contract_tests.tenants import Tenant, Unmet
from mockserver import rules
from mockserver.contract import Operation
from mockserver.contract.build import METHODS
from mockserver.rules import Need


@check(rules.UNKNOWN_ROUTE, rules.ROUTE_BEFORE_KEY, each=False)
def unknown_routes(bench: Bench) -> None:
    """A path that the contract doesn't have, with a key and without."""
    tenant = bench.tenants.tenant()
    anyone = next(iter(bench.contract))
    for path in ("/v1/no-such-route", f"/v1/{tenant.account()}/no-such-route", "/no-such-route"):
        with bench.part():
            request = Request("GET", path, (), (bearer(tenant.key),))
            keyed = bench.send_request(request, anyone, permitted=True)
            bench.expect(keyed, 404, what=path)
        with (first := bench.judging(rules.ROUTE_BEFORE_KEY)).part():
            keyless = bench.send_request(Request("GET", path), anyone, permitted=False)
            first.expect(keyless, 404, what=path)


@check(rules.UNKNOWN_METHOD, rules.METHOD_BEFORE_KEY, each=False)
def unknown_methods(bench: Bench) -> None:
    """A method that a path doesn't have: 405, and Allow names the ones that it has."""
    tenant = bench.tenants.tenant()
    by_path: dict[str, list[Operation]] = {}
    for operation in bench.contract:
        by_path.setdefault(operation.path, []).append(operation)
    for operations in by_path.values():
        here = bench.on(operations[0])
        with here.part():
            _judge_method(here, tenant, {op.method for op in operations})


def _judge_method(bench: Bench, tenant: Tenant, known: set[str]) -> None:
    """Send a method that isn't among the ``known`` ones of the operation's path, without a key and with one."""
    operation = bench.operation
    if operation is None:
        raise NotJudged("no operation")
    unknown = [method for method in map(str.upper, METHODS) if method not in known]
    url = bench.sample(tenant).url
    with (first := bench.judging(rules.METHOD_BEFORE_KEY)).part():
        keyless = bench.send_request(Request(unknown[0], url), operation, permitted=False)
        first.expect(keyless, 405)
    # What the contract doesn't have, a server may have all the same, and then it would write.
    if not bench.target.is_safe and "GET" not in unknown:
        raise Unmet(Need.WRITES)
    method = unknown[0] if bench.target.is_safe else "GET"
    keyed = bench.send_request(
        Request(method, url, (), (bearer(tenant.key),)), operation, permitted=True
    )
    bench.expect(keyed, 405)
    allowed = {m.strip() for m in keyed.headers.get("allow", "").split(",")}
    bench.require(
        allowed == known, keyed, f"Allow: {', '.join(sorted(known))}", f"{sorted(allowed)}"
    )
