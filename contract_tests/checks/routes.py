"""Routes and methods that the contract doesn't have."""

from __future__ import annotations

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import check
from contract_tests.exchange import Exchange, Request
from contract_tests.samples import bearer
from contract_tests.tenants import Tenant, Unmet
from mockserver import rules
from mockserver.contract import Contract, Operation
from mockserver.contract.build import METHODS
from mockserver.rules import Need

_ANY_ACCOUNT = 1001
"""In a route that isn't there, an account needn't be either; this one is in the contract's examples."""
_OF_HTTP = frozenset({*map(str.upper, METHODS), "HEAD", "OPTIONS", "TRACE"})


@check(rules.UNKNOWN_ROUTE, rules.ROUTE_BEFORE_KEY, each=False, sends=6, keyless=3)
def unknown_routes(bench: Bench) -> None:
    """A path that the contract doesn't have, with a key and without."""
    tenant = bench.tenants.tenant()
    anyone = next(iter(bench.contract))
    account = bench.target.profile.accounts.get("healthy", _ANY_ACCOUNT)
    for path in ("/v1/no-such-route", f"/v1/{account}/no-such-route", "/no-such-route"):
        with bench.part():
            request = Request("GET", path, (), (bearer(tenant.key),))
            keyed = bench.send_request(request, anyone, permitted=True, stray=True)
            bench.expect(keyed, 404, what=path)
        with (first := bench.judging(rules.ROUTE_BEFORE_KEY)).part():
            keyless = bench.send_request(Request("GET", path), anyone, permitted=False, stray=True)
            first.expect(keyless, 404, what=path)


def _once_each_path(contract: Contract) -> int:
    return len({operation.path for operation in contract})


def _twice_each_path(contract: Contract) -> int:
    return 2 * _once_each_path(contract)


@check(
    rules.UNKNOWN_METHOD,
    rules.METHOD_BEFORE_KEY,
    each=False,
    sends=_twice_each_path,
    keyless=_once_each_path,
)
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
    # Who is refused whatever they ask needs no account of theirs.
    url = bench.example().url
    unknown = [method for method in map(str.upper, METHODS) if method not in known]
    with (first := bench.judging(rules.METHOD_BEFORE_KEY)).part():
        keyless = _sent(bench, unknown[0], url)
        if keyless.status != 405:
            further = _without_the_servers_own(bench, tenant, url, unknown)
            if further != unknown:
                unknown, keyless = further, _sent(bench, further[0], url)
        first.expect(keyless, 405)
    url = bench.sample(tenant).url
    # What the contract doesn't have, a server may have all the same, and then it would write.
    if not bench.target.is_safe and "GET" not in unknown:
        raise Unmet(Need.WRITES)
    method = unknown[0] if bench.target.is_safe else "GET"
    keyed = _sent(bench, method, url, tenant)
    if keyed.status != 405:
        _without_the_servers_own(bench, tenant, url, [method])
    bench.expect(keyed, 405)
    allowed = _allowed_by(keyed)
    lies = {extra for extra in allowed - known if not _is_there(bench, extra, url)}
    bench.require(
        known <= allowed and not lies,
        keyed,
        f"Allow: {', '.join(sorted(known))}",
        f"{sorted(allowed)}",
    )


def _without_the_servers_own(
    bench: Bench, tenant: Tenant, url: str, methods: list[str]
) -> list[str]:
    """Return those of ``methods`` that the server doesn't say it has there beside the contract's.

    Raises ``NotJudged`` where it has them all.
    """
    own = _allowed_by(_sent(bench, "OPTIONS", url, tenant))
    left = [method for method in methods if method not in own]
    if not left:
        raise NotJudged(f"the server has {' and '.join(methods)} there too, beside the contract's")
    return left


def _is_there(bench: Bench, method: str, url: str) -> bool:
    """Whether the server has a method that it says it has; one that isn't of HTTP is nowhere."""
    return method in _OF_HTTP and _sent(bench, method, url).status != 405


def _sent(bench: Bench, method: str, url: str, tenant: Tenant | None = None) -> Exchange:
    """Send a method that the contract doesn't have, with the key of ``tenant`` or with none."""
    if bench.operation is None:
        raise NotJudged("no operation")
    credentials = () if tenant is None else (bearer(tenant.key),)
    request = Request(method, url, (), credentials)
    return bench.send_request(request, bench.operation, permitted=bool(credentials), stray=True)


def _allowed_by(exchange: Exchange) -> set[str]:
    return {m.strip() for m in exchange.headers.get("allow", "").split(",") if m.strip()}
