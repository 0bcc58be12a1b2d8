"""Who is let in: the auth matrix on every operation, in both header forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from contract_tests.attempts import Attempt, settled
from contract_tests.bench import Bench, same_windows
from contract_tests.checks import check
from contract_tests.curl import variable_of
from contract_tests.exchange import Exchange, Secret
from contract_tests.likeness import agrees
from contract_tests.samples import FORMS, Sample, bearer, header_key
from contract_tests.tenants import Tenant, Unmet
from mockserver import rules

_UNKNOWN = Secret("unknown", "fm_api_test_no_such_key")
_REFUSED = frozenset({401})


@check(rules.BEARER)
def bearer_authenticates(bench: Bench) -> None:
    """The recommended form lets a key in."""
    tenant = bench.tenants.tenant()
    exchange = bench.send(bench.sample(tenant), tenant.key, bearer)
    bench.expect_not(exchange, _REFUSED, "any status but 401 for a valid key")


@check(rules.X_API_KEY)
def header_authenticates(bench: Bench) -> None:
    """The other form lets a key in."""
    tenant = bench.tenants.tenant()
    exchange = bench.send(bench.sample(tenant), tenant.key, header_key)
    bench.expect_not(exchange, _REFUSED, "any status but 401 for a valid key")


@check(rules.HEADERS_EQUIVALENT, sends=3, stages=2)
def forms_are_equivalent(bench: Bench) -> None:
    """Both forms give the same status and data, and draw on the same windows."""
    first = bench.tenants.tenant()
    writes = bench.operation is not None and bench.operation.writes
    if writes:
        bench.fresh()
    second = bench.tenants.tenant() if writes else first
    first.hold()
    if second is not first:
        second.hold(like=first)
    one = bench.send(bench.sample(first), first.key, bearer)
    other = bench.send(bench.sample(second), second.key, header_key)
    for exchange in (one, other):
        if exchange.status == 429 or one.status == other.status:
            bench.served(exchange)
    if not writes:
        _judge_windows(bench, first, one, other)
    bench.require(
        one.status == other.status and _same_data(bench, first, one, other),
        other,
        f"the answer of the bearer form ({one.status})",
        f"{other.status}, or other data",
    )


def _same_data(bench: Bench, tenant: Tenant, one: Exchange, other: Exchange) -> bool:
    """Whether both answers have the same data, apart from what changes by itself on a clock that nobody holds."""
    if _data(one) == _data(other):
        return True
    if bench.tenants.fresh:
        return False
    # Two, so that a server whose front-ends take turns shows the same one again.
    again = [bench.success(bench.send(bench.sample(tenant), tenant.key)) for _ in range(2)]
    return agrees(_data(other), _data(one), *map(_data, again))


def _judge_windows(bench: Bench, tenant: Tenant, one: Exchange, other: Exchange) -> None:
    """Require that a request takes the same from the windows with ``X-API-Key`` as with Bearer."""

    def attempt(*answers: Exchange) -> Attempt:
        forms = (bearer, header_key, bearer)[len(answers) :]
        sent = (bench.send(bench.sample(tenant), tenant.key, form) for form in forms)
        return _taken(*answers, *sent)

    found = settled(bench, attempt, attempt(one, other), relative=True)
    if found.due != ((0, 0),) and min(*found.due[0], *found.found[0]) >= 0:
        allowed = f"to take {found.due[0]} from minute and day, as with Bearer"
        bench.require(found.found == found.due, other, allowed, f"{found.found[0]}")


def _taken(one: Exchange, other: Exchange, again: Exchange) -> Attempt:
    """Return what ``X-API-Key`` took from both windows, beside what Bearer took."""
    if one.headroom is None or other.headroom is None or again.headroom is None:
        return Attempt(((0, 0),), ((0, 0),))
    minutes, days = zip(one.headroom, other.headroom, again.headroom, strict=True)
    bearers, headers = ((minutes[at] - minutes[at + 1], days[at] - days[at + 1]) for at in (1, 0))
    return Attempt((bearers,), (headers,), other)


def _data(exchange: Exchange) -> object:
    return exchange.json.get("data") if isinstance(exchange.json, dict) else exchange.body


@check(rules.KEY_MISSING, sends=3, stages=0)
def missing_key(bench: Bench) -> None:
    """No key, and a header without one."""
    sample = bench.example()
    empty = Secret("empty", "")
    bench.expect(bench.send(sample), 401)
    for form in FORMS.values():
        bench.expect(bench.send(sample, empty, form, permitted=False), 401, what="for an empty key")


@check(rules.KEY_INVALID, sends=8, keyless=2)
def invalid_key(bench: Bench) -> None:
    """An unknown key, and a valid one that was cut or prolonged."""
    _refused(bench, bench.example(), _UNKNOWN)
    tenant = bench.tenants.tenant()
    value, name = tenant.key.value, variable_of(tenant.key)
    swapped = f'$(printf %s "${name}" | tr A-Za-z a-zA-Z)'
    wrong = [
        Secret("cut", value[:-1], f"${{{name}%?}}"),
        Secret("prolonged", value + "0", f"${{{name}}}0"),
        Secret("other case", value.swapcase(), swapped),
    ]
    # A key without letters has no other case.
    _refused(bench, bench.sample(tenant), *(key for key in wrong if key.value != value))


@check(rules.KEY_REVOKED, sends=2, stages=2)
def revoked_key(bench: Bench) -> None:
    """A revoked key is refused."""
    tenant = bench.tenants.tenant()
    _refused(bench, bench.sample(tenant), tenant.revoked_key())


@check(rules.KEY_EXPIRED, sends=2, stages=2)
def expired_key(bench: Bench) -> None:
    """An expired key is refused."""
    tenant = bench.tenants.tenant()
    _refused(bench, bench.sample(tenant), tenant.expired_key())


def _refused(bench: Bench, sample: Sample, *keys: Secret) -> None:
    for form in FORMS.values():
        for key in keys:
            bench.expect(bench.send(sample, key, form, permitted=False), 401)


@check(rules.NO_CREDIT_401, sends=8, stages=4)
def refused_key_is_free(bench: Bench) -> None:
    """401s between two probes leave the headroom where it was."""
    tenant = bench.tenants.tenant()
    tenant.hold()
    sample = bench.sample(tenant)
    wrong = [None, _UNKNOWN, *_given(tenant.revoked_key, tenant.expired_key)]

    def attempt() -> Attempt:
        step = bench.step(tenant)
        before = bench.left(tenant)
        refused = [bench.send(sample, key, permitted=False) for key in wrong][-1]
        after = bench.left(tenant)
        same_windows(before, after)
        due = (before[0] - step[0], before[1] - step[1])
        return Attempt((due,), (after,), refused)

    found = settled(bench, attempt, relative=True)
    bench.require(
        found.found == found.due,
        found.exchange,
        f"headroom {found.due[0]} after the next request",
        f"{found.found[0]}",
    )


def _given(*keys: Callable[[], Secret]) -> Iterator[Secret]:
    """Yield those keys that the target has."""
    for key in keys:
        with suppress(Unmet):
            yield key()


@check(rules.HEALTH_OPEN, stages=0)
def health_needs_no_key(bench: Bench) -> None:
    """The health check answers anybody."""
    if bench.operation is not None:
        bench.expect(bench.send(Sample(bench.operation, {}, {})), 200)


@check(rules.OTHER_SCHEME, sends=4)
def other_schemes(bench: Bench) -> None:
    """Only Bearer carries a key in Authorization."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    for prefix in ("Basic ", "Token ", "ApiKey ", ""):
        request = sample.request(("Authorization", prefix, tenant.key))
        exchange = bench.send_request(request, sample.operation, permitted=True)
        bench.expect(exchange, 401, what=f"for the scheme {prefix.strip() or 'none'}")


@check(rules.SCHEME_CASE, sends=2, stages=2)
def scheme_in_any_case(bench: Bench) -> None:
    """`bearer` and `BEARER` are the same scheme."""
    for prefix in ("bearer ", "BEARER "):
        tenant = bench.tenants.tenant()
        sample = bench.sample(tenant)
        request = sample.request(("Authorization", prefix, tenant.key))
        exchange = bench.send_request(request, sample.operation, permitted=True)
        bench.expect_not(exchange, _REFUSED, "any status but 401")


@check(rules.TWO_KEYS, sends=4, stages=2)
def two_headers(bench: Bench) -> None:
    """The same key twice is fine, two different keys are not."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    both = sample.request(bearer(tenant.key), header_key(tenant.key))
    bench.expect_not(
        bench.send_request(both, sample.operation, permitted=True), _REFUSED, "any status but 401"
    )
    for first, second in _pairs(bench, tenant):
        request = sample.request(bearer(first), header_key(second))
        bench.expect(bench.send_request(request, sample.operation, permitted=True), 401)


def _pairs(bench: Bench, tenant: Tenant) -> list[tuple[Secret, Secret]]:
    pairs = [(tenant.key, _UNKNOWN), (_UNKNOWN, tenant.key)]
    if bench.tenants.fresh:
        pairs.append((tenant.key, tenant.second_key()))
    return pairs


@check(rules.EXPIRY_INSTANT, each=False, sends=2, stages=6)
def expiry_instant(bench: Bench) -> None:
    """Valid in the last second before the instant, refused at it."""
    tenant = bench.tenants.tenant()
    key = tenant.key_until(60)
    tenant.advance(59)
    bench.expect_not(bench.probe(tenant, key), _REFUSED, "any status but 401 a second before")
    tenant.advance(1)
    bench.expect(bench.probe(tenant, key), 401, what="at the instant itself")
