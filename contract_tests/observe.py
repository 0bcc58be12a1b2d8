"""The rules that hold of every answer, whatever was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contract_tests.exchange import Exchange, is_integer, member
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.contract import Operation, Schemas, SchemaViolation
from mockserver.rules import Rule

_LEAKS = ("Traceback (most recent call last)", 'File "/', "site-packages", "<html", "werkzeug")
_TOP_LEVEL = {"data", "_meta", "_pagination"}
_META = {
    "_credits": {"used": 1},
    "_rate_limits": {"limit_minute": 1, "remaining_minute": 1, "limit_day": 1, "remaining_day": 1},
}
"""A `_meta` without fault, so that one in `_meta` doesn't hide one in `data`."""


def observe(ledger: Ledger, schemas: Schemas, exchange: Exchange, operation: Operation) -> None:
    """Judge an answer of ``operation`` by every rule that needs nothing else to be judged."""
    judge = Judge(ledger, operation.label, exchange)
    if exchange.status >= 400:
        observe_error(judge)
    elif exchange.is_success and operation.authenticated:
        _observe_success(judge, schemas, operation)


@dataclass(frozen=True, slots=True)
class Judge:
    """One answer, and where its outcome goes."""

    ledger: Ledger
    label: str
    exchange: Exchange

    def require(self, rule: Rule, holds: bool, allowed: str, found: str = "") -> None:
        """Record whether the answer keeps ``rule``; without ``found``, the answer is described."""
        if holds:
            self.ledger.keep(rule, self.label)
        else:
            what = found or _described(self.exchange)
            self.ledger.break_(Breach(rule, self.label, allowed, what, self.exchange))


def observe_error(judge: Judge) -> None:
    """Judge an error by the rules that hold of every error, also of a route that the contract doesn't have."""
    exchange, body = judge.exchange, judge.exchange.json
    error = body.get("error") if isinstance(body, dict) and set(body) == {"error"} else None
    flat = isinstance(error, str) and error != ""
    if exchange.status >= 500:
        text = exchange.body.decode("utf-8", "replace")
        tells = any(leak in text for leak in _LEAKS)
        allowed = "a flat body that tells nothing of the server"
        judge.require(rules.UPSTREAM_FAILED, flat and not tells, allowed)
    else:
        allowed = 'an object with the one member "error", a non-empty string'
        judge.require(rules.FLAT, flat, allowed)
    if flat:  # what isn't even that has no type worth judging
        kind = exchange.content_type
        judge.require(
            rules.ERROR_JSON, kind == "application/json", "application/json", kind or "no type"
        )


def _observe_success(judge: Judge, schemas: Schemas, operation: Operation) -> None:
    body = judge.exchange.json
    members = set(body) if isinstance(body, dict) else set()
    whole = {"data", "_meta"} <= members <= _TOP_LEVEL
    documented = [status for status in operation.statuses if 200 <= status < 300]
    status = judge.exchange.status
    if status in documented:
        judge.require(rules.ENVELOPE, whole, "data, _meta and at most _pagination")
    else:
        allowed = (
            f"{' or '.join(map(str, documented))}, the status that is documented for a success"
        )
        judge.require(rules.ENVELOPE, False, allowed, f"{status}")
    _observe_meta(judge, operation)
    if "data" in members:
        problem = ""
        try:
            schemas.check(operation.success, {"data": body["data"], "_meta": _META})
        except SchemaViolation as violation:
            problem = str(violation)
        judge.require(rules.DATA_SCHEMA, not problem, "data that matches its schema", problem)


def _observe_meta(judge: Judge, operation: Operation) -> None:
    limits = judge.exchange.rate_limits
    for rule, kind in ((rules.HEADROOM, "remaining"), (rules.LIMITS, "limit")):
        names = (f"{kind}_minute", f"{kind}_day")
        whole = all(is_integer(limits.get(name)) for name in names)
        judge.require(rule, whole, f"integers {' and '.join(names)}", f"{limits}")
    for window in ("minute", "day"):
        left, limit = limits.get(f"remaining_{window}"), limits.get(f"limit_{window}")
        if is_integer(left) and is_integer(limit):
            judge.require(rules.BOUNDS, 0 <= left <= limit, "0 ≤ remaining ≤ limit", f"{limits}")
    used = member(member(judge.exchange.json, "_meta"), "_credits").get("used")
    priced = is_integer(used) and used == operation.charges
    judge.require(rules.CREDIT_SUCCESS, priced, f"_credits.used = {operation.charges}", f"{used!r}")


def _described(exchange: Exchange) -> str:
    """Say in a few words what an answer is."""
    body = exchange.json
    if isinstance(body, dict):
        members: Any = sorted(map(str, body))
        return f"{exchange.status} with the members {', '.join(members) or 'none'}"
    kind = "no JSON" if body is None else f"JSON {type(body).__name__}"
    return f"{exchange.status} with {kind}"
