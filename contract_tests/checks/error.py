"""What an error looks like, and which mistake gets which status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from contract_tests.bench import Bench, NotJudged
from contract_tests.checks import check
from contract_tests.checks.mistakes import (
    WrongBody,
    lists_items,
    lists_members,
    unlisted_members,
    unlisted_values,
    wrong_bodies,
    wrong_values,
)
from contract_tests.exchange import Exchange, member
from contract_tests.lacks import operation_of
from contract_tests.samples import JSON_HEADERS, NO_SUCH_ID, Sample, bearer
from contract_tests.tenants import Tenant
from mockserver import rules
from mockserver.call import MAX_BODY
from mockserver.contract import Contract, Operation, Parameter
from mockserver.contract.doubts import is_doubtful
from mockserver.rules import Scope

_MOST_CHATS = 5
"""Chats that are searched for a fan's message."""


def _authenticated(contract: Contract) -> int:
    return len(contract.in_scope(Scope.AUTHENTICATED))


@check(rules.FLAT, rules.ERROR_JSON, each=False, sends=_authenticated, stages=0)
def every_error_is_flat(bench: Bench) -> None:
    """What holds of every error is judged wherever one comes; this makes one on every operation."""
    for operation in bench.contract.in_scope(Scope.AUTHENTICATED):
        here = bench.on(operation)
        with here.part():
            here.send(here.example())


@check(rules.BAD_QUERY, rules.DOUBTFUL, sends=9)
def bad_parameters(bench: Bench) -> None:
    """Text for a number, numbers out of bounds, and what is no date or marker."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    for parameter in sample.operation.query_parameters:
        _refuses_values(bench, tenant, sample, parameter, wrong_values(parameter, bench.schemas))


@check(rules.DOUBTFUL, rules.BAD_QUERY, sends=3)
def doubtful_steps(bench: Bench) -> None:
    """What is no id in the path."""
    tenant = bench.tenants.tenant()
    sample, failing = bench.sample(tenant), bench.judging(rules.BAD_QUERY)
    for parameter in sample.operation.path_parameters:
        _refuses_values(failing, tenant, sample, parameter, wrong_values(parameter, bench.schemas))


def _refuses_values(
    bench: Bench, tenant: Tenant, sample: Sample, parameter: Parameter, values: Iterable[Any]
) -> None:
    for value in values:
        exchange = bench.send(_with(sample, parameter, value), tenant.key)
        doubtful = is_doubtful(parameter, [str(value)])
        _expect_refusal(bench, exchange, f"for {parameter.name}={value}", doubtful=doubtful)


def _expect_refusal(bench: Bench, exchange: Exchange, what: str, *, doubtful: bool) -> None:
    """Require a 400; for what no page calls bad only as our decision, but no failure there either."""
    judged = bench.judging(rules.DOUBTFUL) if doubtful and exchange.status < 500 else bench
    judged.expect(exchange, 400, what=what)


def _with(sample: Sample, parameter: Parameter, value: Any) -> Sample:
    if parameter.location == "path":
        return sample.with_path(**{parameter.name: value})
    return sample.with_query(**{parameter.name: value})


@check(rules.BAD_ENUM, rules.DOUBTFUL, sends=5)
def unknown_enum_values(bench: Bench) -> None:
    """A value that isn't in the list, and one that differs in its case only."""
    _refuses_unlisted(bench)


def _listing_items(contract: Contract) -> list[Operation]:
    return [op for op in contract if lists_items(contract.document, op)]


@check(rules.BAD_ENUM, rules.DOUBTFUL, among=_listing_items, sends=2)
def unknown_enum_items(bench: Bench) -> None:
    """The same in a list of values."""
    _refuses_unlisted(bench)


def _refuses_unlisted(bench: Bench) -> None:
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    for parameter in sample.operation.parameters:
        unlisted = unlisted_values(bench.contract.document, parameter)
        _refuses_values(bench, tenant, sample, parameter, unlisted)


def _listing_members(contract: Contract) -> list[Operation]:
    return [op for op in contract if lists_members(contract.document, op)]


@check(rules.BAD_ENUM, rules.DOUBTFUL, among=_listing_members, sends=3)
def unknown_enum_members(bench: Bench) -> None:
    """The same in a member of a body."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    _refuses(bench, tenant, sample, unlisted_members(bench.contract.document, sample))


@check(rules.BAD_BODY, rules.DOUBTFUL, sends=9)
def invalid_bodies(bench: Bench) -> None:
    """No JSON, no object, a member missing, a member of the wrong type or out of its bounds."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    wrong = wrong_bodies(bench.contract.document, bench.schemas, sample)
    _refuses(bench, tenant, sample, wrong)


def _refuses(bench: Bench, tenant: Tenant, sample: Sample, wrong: Iterable[WrongBody]) -> None:
    for mistake in wrong:
        request = replace(
            sample.request(bearer(tenant.key)), headers=JSON_HEADERS, body=mistake.body
        )
        exchange = bench.send_request(request, sample.operation, permitted=True)
        _expect_refusal(bench, exchange, f"for {mistake.what}", doubtful=mistake.doubtful)


@check(rules.BAD_STATE, each=False, sends=2)
def foreign_message_cannot_be_unsent(bench: Bench) -> None:
    """A fan's message isn't the account's to take back (messages/delete-message)."""
    tenant = bench.tenants.tenant()
    unsend = operation_of(bench.contract, "unsendMessage")
    foreign = next(_messages_of_fans(bench, tenant), None)
    if foreign is None:
        raise NotJudged("no chat's first page holds a message of the fan")
    sample = bench.sample(tenant, unsend).with_path(message_id=foreign)
    bench.on(unsend).expect(bench.send(sample, tenant.key), 400)


def _messages_of_fans(bench: Bench, tenant: Tenant) -> Iterator[Any]:
    """Yield the ids of messages that the account didn't send, from the known chat or from those that are left.

    On a server that isn't made anew for each check, the gate may have deleted the known chat itself.
    """
    messages = bench.sample(tenant, operation_of(bench.contract, "listMessages"))
    known = bench.send(messages, tenant.key)
    yield from _foreign_in(known, tenant)
    listing = bench.on(operation_of(bench.contract, "listChats"))
    chats = listing.success(listing.send(listing.sample(tenant), tenant.key))
    for chat in _records(chats)[:_MOST_CHATS]:
        fan = member(chat, "withUser").get("id")
        yield from _foreign_in(bench.send(messages.with_path(user_id=fan), tenant.key), tenant)


def _foreign_in(page: Exchange, tenant: Tenant) -> Iterator[Any]:
    for message in _records(page):
        sender = member(message, "fromUser").get("id")
        if sender not in (None, tenant.account()) and message.get("id") is not None:
            yield message["id"]


def _records(page: Exchange) -> list[Any]:
    """Return the records of a page that are objects; none of an answer that is no page."""
    listed = member(page.json, "data").get("list")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


@check(rules.NO_SUBSCRIPTION)
def no_subscription(bench: Bench) -> None:
    """Nothing works without a subscription."""
    tenant = bench.tenants.unsubscribed()
    bench.expect(bench.send(bench.sample(tenant), tenant.key), 402)


@check(rules.PAST_DUE)
def past_due(bench: Bench) -> None:
    """Nothing works while the subscription is past due."""
    tenant = bench.tenants.past_due()
    bench.expect(bench.send(bench.sample(tenant), tenant.key), 402)


@check(rules.NOT_FOUND)
def unknown_records(bench: Bench) -> None:
    """An id that no record has."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    for parameter in sample.operation.path_parameters:
        if parameter.name != "account_id" and "enum" not in parameter.schema:
            unknown = sample.with_path(**{parameter.name: NO_SUCH_ID})
            exchange = bench.send(unknown, tenant.key)
            bench.expect(exchange, 404, what=f"for an unknown {parameter.name}")


@check(rules.TOO_LARGE)
def body_over_the_limit(bench: Bench) -> None:
    """One byte over 1 MiB, on every method."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    request = sample.sized(MAX_BODY + 1, bearer(tenant.key))
    bench.expect(bench.send_request(request, sample.operation, permitted=True), 413)


@check(rules.AT_SIZE_LIMIT)
def body_at_the_limit(bench: Bench) -> None:
    """Exactly 1 MiB is not too much."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    request = sample.sized(MAX_BODY, bearer(tenant.key))
    exchange = bench.send_request(request, sample.operation, permitted=True)
    bench.expect_not(exchange, {413}, "any status but 413")


@check(rules.TOO_LARGE_CHUNKED)
def body_without_length(bench: Bench) -> None:
    """Over 1 MiB without a Content-Length."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant)
    request = sample.sized(MAX_BODY + 1, bearer(tenant.key), chunked=True)
    bench.expect(bench.send_request(request, sample.operation, permitted=True), 413)


@check(rules.SYNC_LOST)
def session_lost(bench: Bench) -> None:
    """Nothing upstream works without a session."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant).with_path(account_id=tenant.lost_account())
    bench.expect(bench.send(sample, tenant.key), 424)


@check(rules.SYNC_LOST_LOCAL)
def session_lost_local(bench: Bench) -> None:
    """FansMetric's own data needs no session."""
    tenant = bench.tenants.tenant()
    sample = bench.sample(tenant).with_path(account_id=tenant.lost_account())
    bench.expect_not(bench.send(sample, tenant.key), {424}, "any status but 424")


@check(rules.UPSTREAM_FAILED, sends=3, stages=6)
def upstream_fails(bench: Bench) -> None:
    """A failing upstream shows as the status it gives, flat."""
    for status in (500, 502, 503):
        tenant = bench.tenants.tenant()
        sample = bench.sample(tenant)
        tenant.fail_next(status, sample.operation.id)
        bench.expect(bench.send(sample, tenant.key, stray=True), status)
