"""The rules that can be judged by watching, beside those that hold of every answer.

Each function judges what one exchange shows beyond doubt and leaves the rest alone; a 429, a redirect or
a failing gateway in place of an answer judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from contract_tests.checks.pagination import free_in_links, parts_of
from contract_tests.exchange import Exchange, member
from contract_tests.observe import Judge, observe_error
from contract_tests.proxy.seen import Seen
from mockserver import rules
from mockserver.call import MAX_BODY
from mockserver.contract import Operation
from mockserver.rules import Rule

ROOT = "/v1/"
"""Where the API's routes are; what else a server has beside them is no business of the contract."""

_KNOWS_THE_CALLER = frozenset({402, 403, 424})
"""Refusals that can only come once the caller is known."""
_GATEWAY = frozenset({502, 503, 504})


def judge_key(judge: Judge, seen: Seen) -> None:
    """Judge a request without a key, or with two: nobody may take it for somebody's."""
    if seen.operation is None or seen.keys.key is not None:
        return
    status = judge.exchange.status
    if not seen.operation.authenticated:
        if status in (200, 401, 403) and not seen.keys.credentials:
            judge.require(rules.HEALTH_OPEN, status == 200, "200 without a key", f"{status}")
        return
    rule = _rule_of_keys(seen)
    if status == 401:
        judge.require(rule, True, "")
    elif judge.exchange.is_success or status in _KNOWS_THE_CALLER:
        judge.require(rule, False, "401", f"{status}")


def _rule_of_keys(seen: Seen) -> Rule:
    if seen.keys.names:
        return rules.TWO_KEYS
    return rules.OTHER_SCHEME if seen.keys.other_scheme else rules.KEY_MISSING


def judge_size(judge: Judge, seen: Seen) -> None:
    """Judge the answer to a body that is too large, or just not."""
    status = judge.exchange.status
    known = seen.operation is not None and seen.operation.authenticated and seen.keys.names
    if not known or status in (401, 429) or status in _GATEWAY:
        return
    if seen.size > MAX_BODY:
        chunked = judge.exchange.request.chunked
        rule = rules.TOO_LARGE_CHUNKED if chunked else rules.TOO_LARGE
        judge.require(rule, status == 413, f"413 for {seen.size:,} bytes", f"{status}")
    elif seen.size == MAX_BODY:
        judge.require(rules.AT_SIZE_LIMIT, status != 413, "any status but 413", f"{status}")


def judge_route(judge: Judge, seen: Seen) -> None:
    """Judge the answer to a route or a method that the contract doesn't have."""
    exchange = judge.exchange
    if seen.operation is not None or not exchange.request.path.startswith(ROOT):
        return
    if exchange.status >= 400:
        observe_error(judge)
    if exchange.status == 429 or exchange.status >= 500 or 300 <= exchange.status < 400:
        return
    known = seen.methods is not None
    due = 405 if known else 404
    if not seen.keys.names and exchange.status in (401, due):
        first = rules.METHOD_BEFORE_KEY if known else rules.ROUTE_BEFORE_KEY
        judge.require(first, exchange.status == due, f"{due}", f"{exchange.status}")
    if exchange.status == 401:
        return
    if seen.methods is None:
        judge.require(rules.UNKNOWN_ROUTE, exchange.status == due, "404", _told(exchange))
        return
    allow = {method.strip() for method in exchange.headers.get("allow", "").split(",")}
    judge.require(
        rules.UNKNOWN_METHOD,
        exchange.status == due and allow == seen.methods,
        f"405 with Allow: {', '.join(sorted(seen.methods))}",
        f"{_told(exchange)}, Allow: {', '.join(sorted(allow)) or 'nothing'}",
    )


def _told(exchange: Exchange) -> str:
    path = exchange.request.path.partition("?")[0]
    return f"{exchange.status} to {exchange.request.method} {path}"


def judge_pages(judge: Judge, seen: Seen) -> None:
    """Judge the link to the next page, as far as one page shows it."""
    body = judge.exchange.json
    paged = seen.operation is not None and seen.operation.pagination is not None
    if not paged or not judge.exchange.is_success or not isinstance(body, dict):
        return
    absent, page = "_pagination" not in body, member(body, "_pagination").get("next_page")
    told = member(body, "data").get("hasMore")
    agree = not isinstance(told, bool) or told != absent
    judge.require(
        rules.PAGE_LAST,
        agree and (absent or isinstance(page, str)),
        "no _pagination on the last page, and one on every other",
        f"next_page {page!r}" + (f", hasMore {told}" if isinstance(told, bool) else ""),
    )
    if isinstance(page, str) and seen.operation is not None:
        _judge_link(judge, seen.operation, page)


def _judge_link(judge: Judge, operation: Operation, page: str) -> None:
    link = parts_of(page)
    relative = link is not None and not link.scheme and not link.netloc and page.startswith(ROOT)
    judge.require(rules.PAGE_RELATIVE, relative, f"a relative URL under {ROOT}", page)
    if link is None:
        return
    # Lists may be written in another form, and numbers clamped; their names must be there all the same.
    exact = {p.name: p.type not in ("array", "integer") for p in operation.query_parameters}
    asked = dict(parse_qsl(urlsplit(judge.exchange.request.path).query))
    free = free_in_links(operation)
    sent = {name: value for name, value in asked.items() if name in exact and name not in free}
    kept = dict(parse_qsl(link.query))
    same = all(n in kept and (kept[n] == v or not exact[n]) for n, v in sent.items())
    judge.require(rules.PAGE_KEEPS_QUERY, same, f"the parameters {sent}", f"{kept}")


JUDGES: tuple[tuple[Callable[[Judge, Seen], None], tuple[Rule, ...]], ...] = (
    (judge_key, (rules.KEY_MISSING, rules.OTHER_SCHEME, rules.TWO_KEYS, rules.HEALTH_OPEN)),
    (judge_size, (rules.TOO_LARGE, rules.TOO_LARGE_CHUNKED, rules.AT_SIZE_LIMIT)),
    (
        judge_route,
        (
            rules.UNKNOWN_ROUTE,
            rules.UNKNOWN_METHOD,
            rules.ROUTE_BEFORE_KEY,
            rules.METHOD_BEFORE_KEY,
        ),
    ),
    (judge_pages, (rules.PAGE_RELATIVE, rules.PAGE_LAST, rules.PAGE_KEEPS_QUERY)),
)
"""Each judge with the rules that it can judge."""
