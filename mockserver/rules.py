"""The rule catalogue: every promise of the contract, once.

The mock refuses by naming a rule, a check names the rule it proves, and the docs print the same entry.
This module imports nothing of ours.
Ids are never renamed or reused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations


class Level(StrEnum):
    """Where a statement comes from, and so whether it can break a run."""

    DOCUMENTED = "documented"
    REFERENCE = "reference"
    INFERRED = "inferred"


class Scope(StrEnum):
    """The operations that a rule applies to."""

    ANY = "the whole server"
    OPEN = "operations without authentication"
    AUTHENTICATED = "authenticated operations"
    WRITES = "authenticated operations that write"
    ACCOUNT = "operations on one account"
    UPSTREAM = "operations that need upstream"
    UPSTREAM_ACCOUNT = "operations that need upstream, on one account"
    LOCAL_ACCOUNT = "operations on FansMetric's own data, on one account"
    LOOKUP = "operations that look up one record"
    QUERY = "operations with typed query parameters"
    ENUM = "operations with an enumerated parameter or body member"
    BODY = "operations with a request body"
    PAGED = "paginated operations"


class Need(StrEnum):
    """What a check must have from its target before it can judge a rule."""

    KEY = "a key with every permission"
    ROLES = "keys with single permissions, or one restricted key and its permissions"
    SECOND_KEY = "a second key of the same organization"
    OTHER_KEY = "a key of another organization"
    REVOKED = "a revoked key"
    EXPIRED = "an expired key"
    UNSUBSCRIBED = "a key of an organization without a subscription"
    PAST_DUE = "a key of an organization that is past due"
    ACCOUNT = "a healthy account"
    SYNC_LOST = "an account in sync_lost"
    WRITES = "leave to write"
    MINUTE = "leave to exhaust the minute window"
    DAY = "leave to exhaust the day window"
    FRESH = "an organization of its own for each check"
    CLOCK = "a clock that can be moved"
    FAULTS = "upstream failures on demand"


@dataclass(frozen=True, slots=True)
class Rule:
    """One testable promise of the contract."""

    id: str
    level: Level
    sentence: str
    source: str
    """The public page and section that says so, or the decision that fills its silence."""
    applies: Scope
    needs: tuple[Need, ...]
    """What a target must offer before the rule can be checked; every check also needs the server itself."""
    status: int | None = None
    """The HTTP status of the refusal, where the rule describes one."""

    @property
    def area(self) -> str:
        """The part of the id before the dot, such as ``rate``."""
        return self.id.partition(".")[0]


RULES: dict[str, Rule] = {}
"""Every rule by id, in the order of the catalogue."""

_D, _R, _I = Level.DOCUMENTED, Level.REFERENCE, Level.INFERRED


def _rule(
    id: str,
    level: Level,
    sentence: str,
    source: str,
    applies: Scope,
    *needs: Need,
    status: int | None = None,
) -> Rule:
    if id in RULES:
        raise ValueError(f"rule id {id} is used twice")
    RULES[id] = Rule(id, level, sentence, source, applies, needs, status)
    return RULES[id]


_AUTH = "auth: Passing the key"
_AUTH_ERRORS = "auth: Errors"
_AUTH_LIMITS = "auth: Rate limits"
_AUTH_PERMISSIONS = "auth: Permissions"
_OVERVIEW = "api-reference: Reference overview"

# --- auth -----------------------------------------------------------------------------------------

BEARER = _rule(
    "auth.bearer",
    _D,
    "`Authorization: Bearer KEY` authenticates.",
    _AUTH,
    Scope.AUTHENTICATED,
    Need.KEY,
)
X_API_KEY = _rule(
    "auth.x-api-key", _D, "`X-API-Key: KEY` authenticates.", _AUTH, Scope.AUTHENTICATED, Need.KEY
)
HEADERS_EQUIVALENT = _rule(
    "auth.headers-equivalent",
    _D,
    "Both header forms give the same status and the same data, and draw on the same windows.",
    _AUTH,
    Scope.AUTHENTICATED,
    Need.KEY,
)
KEY_MISSING = _rule(
    "auth.key-missing",
    _D,
    "A request without a key is refused with 401.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    status=401,
)
KEY_INVALID = _rule(
    "auth.key-invalid",
    _D,
    "A request with an unknown key is refused with 401.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    status=401,
)
KEY_REVOKED = _rule(
    "auth.key-revoked",
    _D,
    "A request with a revoked key is refused with 401.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.REVOKED,
    status=401,
)
KEY_EXPIRED = _rule(
    "auth.key-expired",
    _D,
    "A request with an expired key is refused with 401.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.EXPIRED,
    status=401,
)
NO_CREDIT_401 = _rule(
    "auth.no-credit",
    _D,
    "A 401 consumes no credit: no organization's headroom moves.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.KEY,
)
HEALTH_OPEN = _rule(
    "auth.health-open", _R, "`GET /health` answers without a key.", _OVERVIEW, Scope.OPEN
)
OTHER_SCHEME = _rule(
    "auth.other-scheme",
    _I,
    "An authorization scheme other than Bearer counts as a missing key: 401.",
    "decision: only Bearer is named",
    Scope.AUTHENTICATED,
    Need.KEY,
    status=401,
)
SCHEME_CASE = _rule(
    "auth.scheme-case",
    _I,
    "The scheme's name is case-insensitive, as in RFC 9110 section 11.1.",
    "decision: RFC 9110",
    Scope.AUTHENTICATED,
    Need.KEY,
)
TWO_KEYS = _rule(
    "auth.two-keys",
    _I,
    "Both headers with the same key are fine; with different keys the request is refused with 401.",
    "decision: the page names one of two headers",
    Scope.AUTHENTICATED,
    Need.KEY,
    status=401,
)
EXPIRY_INSTANT = _rule(
    "auth.expiry-instant",
    _I,
    "A key is valid strictly before its expiry instant.",
    "decision: the instant itself is not described",
    Scope.ANY,
    Need.KEY,
    Need.CLOCK,
)

# --- permission -----------------------------------------------------------------------------------

PERMISSION_REQUIRED = _rule(
    "permission.required",
    _D,
    "A key whose role lacks the operation's permission is refused with 403.",
    _AUTH_PERMISSIONS,
    Scope.AUTHENTICATED,
    Need.ROLES,
    status=403,
)
PERMISSION_GRANTED = _rule(
    "permission.granted",
    _D,
    "A key with exactly the operation's permission is never refused for permission.",
    _AUTH_PERMISSIONS,
    Scope.AUTHENTICATED,
    Need.ROLES,
)
PERMISSION_NO_EFFECT = _rule(
    "permission.no-effect",
    _I,
    "A write refused for permission changes nothing.",
    "decision: a refusal has no effect",
    Scope.WRITES,
    Need.KEY,
    Need.ROLES,
    Need.WRITES,
    Need.FRESH,
)
ORG_BOUNDARY = _rule(
    "permission.org-boundary",
    _D,
    "A key never reads or changes another organization's accounts; the answer is 404 (the status is inferred).",
    "auth: introduction (keys are scoped to an organization)",
    Scope.ACCOUNT,
    Need.KEY,
    Need.OTHER_KEY,
    status=404,
)

# --- rate -----------------------------------------------------------------------------------------

HEADROOM = _rule(
    "rate.headroom",
    _D,
    "Every success reports the integers `_meta._rate_limits.remaining_minute` and `remaining_day`.",
    _AUTH_LIMITS,
    Scope.AUTHENTICATED,
    Need.KEY,
)
LIMITS = _rule(
    "rate.limits",
    _R,
    "Every success reports the integers `limit_minute` and `limit_day`.",
    _OVERVIEW,
    Scope.AUTHENTICATED,
    Need.KEY,
)
DEFAULT_LIMITS = _rule(
    "rate.defaults",
    _D,
    "The limits are 1,000 a minute and 50,000 a day unless the organization has others.",
    _AUTH_LIMITS,
    Scope.ANY,
    Need.KEY,
)
COUNTS_DOWN = _rule(
    "rate.counts-down",
    _R,
    "A charged request lowers both windows by exactly one, and the reported headroom already counts it.",
    _OVERVIEW,
    Scope.AUTHENTICATED,
    Need.KEY,
)
SHARED_BY_ORG = _rule(
    "rate.shared-by-org",
    _D,
    "All keys of an organization draw on the same two windows.",
    _AUTH_LIMITS,
    Scope.ANY,
    Need.KEY,
    Need.SECOND_KEY,
)
ORGS_INDEPENDENT = _rule(
    "rate.orgs-independent",
    _D,
    "One organization's requests never move another organization's windows.",
    _AUTH_LIMITS,
    Scope.ANY,
    Need.KEY,
    Need.OTHER_KEY,
)
MINUTE = _rule(
    "rate.minute",
    _D,
    "An exhausted minute window is enough for a 429.",
    _AUTH_LIMITS,
    Scope.AUTHENTICATED,
    Need.KEY,
    Need.MINUTE,
    status=429,
)
DAY = _rule(
    "rate.day",
    _D,
    "An exhausted day window is enough for a 429.",
    _AUTH_LIMITS,
    Scope.AUTHENTICATED,
    Need.KEY,
    Need.DAY,
    status=429,
)
WINDOWS_INDEPENDENT = _rule(
    "rate.windows-independent",
    _D,
    "The minute's recovery does not restore the day.",
    _AUTH_LIMITS,
    Scope.ANY,
    Need.KEY,
    Need.CLOCK,
)
RECOVERS = _rule(
    "rate.recovers",
    _D,
    "Once the exhausted window has passed, requests succeed again.",
    _AUTH_ERRORS,
    Scope.ANY,
    Need.KEY,
    Need.MINUTE,
    Need.CLOCK,
)
NO_CREDIT_429 = _rule(
    "rate.429-no-credit",
    _D,
    "A 429 consumes no credit and moves no window.",
    _AUTH_ERRORS,
    Scope.ANY,
    Need.KEY,
    Need.MINUTE,
    Need.CLOCK,
)
EXACT = _rule(
    "rate.exact",
    _I,
    "Exactly `limit` requests pass in a window, in parallel too, and each reports a different headroom.",
    "decision: a limit is a count",
    Scope.ANY,
    Need.KEY,
    Need.MINUTE,
)
BOUNDS = _rule(
    "rate.bounds",
    _I,
    "The reported headroom stays between 0 and its limit.",
    "decision: headroom is what is left of a limit",
    Scope.AUTHENTICATED,
    Need.KEY,
)

# --- credit ---------------------------------------------------------------------------------------

CREDIT_SUCCESS = _rule(
    "credit.success",
    _R,
    "`_meta._credits.used` is 1 on success (another price only where the operation's page says so).",
    _OVERVIEW,
    Scope.AUTHENTICATED,
    Need.KEY,
)
CREDIT_ERRORS = _rule(
    "credit.charged-errors",
    _R,
    "400, 402, 403, 404, 413, 424 and 5xx consume a credit, seen in the next success's headroom "
    "(that credits and windows move together is inferred).",
    _OVERVIEW,
    Scope.AUTHENTICATED,
    Need.KEY,
)

# --- error ----------------------------------------------------------------------------------------

FLAT = _rule(
    "error.flat",
    _D,
    "An error body is an object with the one member `error`, a non-empty string.",
    _AUTH_ERRORS,
    Scope.ANY,
)
ERROR_JSON = _rule(
    "error.json",
    _I,
    "An error is sent as application/json.",
    "decision: its body is JSON",
    Scope.ANY,
)
BAD_QUERY = _rule(
    "error.400-query",
    _D,
    "A bad query parameter is refused with 400.",
    _AUTH_ERRORS,
    Scope.QUERY,
    Need.KEY,
    status=400,
)
BAD_BODY = _rule(
    "error.400-body",
    _D,
    "An invalid body is refused with 400.",
    _AUTH_ERRORS,
    Scope.BODY,
    Need.KEY,
    Need.WRITES,
    status=400,
)
BAD_ENUM = _rule(
    "error.400-enum",
    _D,
    "An unknown enum value is refused with 400.",
    _AUTH_ERRORS,
    Scope.ENUM,
    Need.KEY,
    status=400,
)
DOUBTFUL = _rule(
    "error.400-doubtful",
    _I,
    "What no page calls bad is refused with 400 too: a number out of its bounds, an empty or repeated parameter, "
    "no id in the path, a listed value in another case.",
    "decision: no page says whether it is refused, clamped or ignored",
    Scope.AUTHENTICATED,
    Need.KEY,
    status=400,
)
BAD_STATE = _rule(
    "error.400-state",
    _I,
    "A write that the record's state forbids, such as unsending another's message, is refused with 400.",
    "decision: the pages name the refusal without its status",
    Scope.WRITES,
    Need.KEY,
    Need.WRITES,
    status=400,
)
NO_SUBSCRIPTION = _rule(
    "error.402-none",
    _D,
    "An organization without an active subscription is refused with 402.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.UNSUBSCRIBED,
    status=402,
)
PAST_DUE = _rule(
    "error.402-past-due",
    _D,
    "An organization whose subscription is past due is refused with 402.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.PAST_DUE,
    status=402,
)
NOT_FOUND = _rule(
    "error.404",
    _D,
    "A record that is not there is answered with 404.",
    _AUTH_ERRORS,
    Scope.LOOKUP,
    Need.KEY,
    Need.ACCOUNT,
    status=404,
)
TOO_LARGE = _rule(
    "error.413",
    _D,
    "A body over 1 MiB (1,048,576 bytes) is refused with 413, on every authenticated route and method.",
    _AUTH_ERRORS,
    Scope.AUTHENTICATED,
    Need.KEY,
    status=413,
)
AT_SIZE_LIMIT = _rule(
    "error.413-at-limit",
    _I,
    "A body of exactly 1 MiB is not refused for its size.",
    "decision: the page says `exceeds`",
    Scope.AUTHENTICATED,
    Need.KEY,
)
TOO_LARGE_CHUNKED = _rule(
    "error.413-chunked",
    _I,
    "A body over 1 MiB is refused with 413 without a Content-Length too.",
    "decision: the limit is on the body, not on a header",
    Scope.AUTHENTICATED,
    Need.KEY,
    status=413,
)
SYNC_LOST = _rule(
    "error.424",
    _D,
    "An operation that needs upstream is refused with 424 on an account in sync_lost.",
    _AUTH_ERRORS,
    Scope.UPSTREAM_ACCOUNT,
    Need.SYNC_LOST,
    status=424,
)
SYNC_LOST_LOCAL = _rule(
    "error.424-local",
    _I,
    "Operations on FansMetric's own data still work on an account in sync_lost.",
    "decision: the page limits 424 to upstream calls",
    Scope.LOCAL_ACCOUNT,
    Need.SYNC_LOST,
)
UPSTREAM_FAILED = _rule(
    "error.5xx-flat",
    _D,
    "Upstream failures and unhandled exceptions keep the flat body and leak nothing of the server.",
    _AUTH_ERRORS,
    Scope.UPSTREAM,
    Need.KEY,
    Need.FAULTS,
    status=502,
)
UNKNOWN_ROUTE = _rule(
    "error.unknown-route",
    _I,
    "An unknown route is answered with a flat 404.",
    "decision: no page lists it",
    Scope.ANY,
    status=404,
)
UNKNOWN_METHOD = _rule(
    "error.method",
    _I,
    "A method that the route does not have is answered with a flat 405 that carries Allow.",
    "decision: RFC 9110 section 15.5.6",
    Scope.ANY,
    status=405,
)

# --- envelope and pagination ----------------------------------------------------------------------

ENVELOPE = _rule(
    "envelope.success",
    _R,
    "A success has `data` and `_meta`, no `error`, and no other top-level member than `_pagination`.",
    _OVERVIEW,
    Scope.AUTHENTICATED,
    Need.KEY,
)
DATA_SCHEMA = _rule(
    "envelope.data",
    _R,
    "`data` matches the operation's schema.",
    "the operation's page",
    Scope.AUTHENTICATED,
    Need.KEY,
    Need.ACCOUNT,
)
PAGE_RELATIVE = _rule(
    "pagination.relative",
    _R,
    "`next_page` is a relative URL under `/v1/`.",
    _OVERVIEW,
    Scope.PAGED,
    Need.KEY,
    Need.ACCOUNT,
)
PAGE_LAST = _rule(
    "pagination.last",
    _R,
    "`_pagination` is absent on the last page.",
    _OVERVIEW,
    Scope.PAGED,
    Need.KEY,
    Need.ACCOUNT,
)
PAGE_KEEPS_QUERY = _rule(
    "pagination.keeps-query",
    _R,
    "`next_page` keeps the other query parameters.",
    "user-lists/list-user-lists",
    Scope.PAGED,
    Need.KEY,
    Need.ACCOUNT,
)
PAGE_COMPLETE = _rule(
    "pagination.complete",
    _I,
    "Following `next_page` visits every item exactly once.",
    "decision: what pagination is for",
    Scope.PAGED,
    Need.KEY,
    Need.ACCOUNT,
)

# --- order: which refusal wins when several apply -------------------------------------------------

_GATE_NEEDS: dict[str, tuple[Need, ...]] = {
    "401": (Need.REVOKED,),
    "429": (Need.KEY, Need.MINUTE),
    "413": (Need.KEY,),
    "402": (Need.PAST_DUE,),
    "403": (Need.ROLES,),
    "400": (Need.KEY,),
    "404": (Need.KEY,),
    "424": (Need.SYNC_LOST,),
    "404-record": (Need.KEY, Need.ACCOUNT),
}
GATE_ORDER: tuple[str, ...] = tuple(_GATE_NEEDS)
"""The refusals in the order in which they win; `404` is the account's, `404-record` the record's."""

_OF_THE_UNPAID = frozenset({"401", "429", "403", "424", "404-record"})
"""Refusals that need more of a past-due organization than the one key that is given of it."""

# An account that isn't there has no state and no records, so these never apply together.
_IMPOSSIBLE = {("404", "424"), ("404", "404-record")}
_ORDER_SOURCE = "decision: only 401 and 429 are free, so both precede every charged refusal"


def _order_needs(first: str, second: str) -> tuple[Need, ...]:
    pair = {first, second}
    alone = () if "402" not in pair or pair.isdisjoint(_OF_THE_UNPAID) else (Need.FRESH,)
    return tuple(dict.fromkeys(_GATE_NEEDS[first] + _GATE_NEEDS[second] + alone))


ROUTE_BEFORE_KEY = _rule(
    "order.404-route-over-401",
    _I,
    "An unknown route is 404 even without a key.",
    _ORDER_SOURCE,
    Scope.ANY,
)
METHOD_BEFORE_KEY = _rule(
    "order.405-over-401",
    _I,
    "An unknown method is 405 even without a key.",
    _ORDER_SOURCE,
    Scope.ANY,
)
ORDER: dict[tuple[str, str], Rule] = {
    (first, second): _rule(
        f"order.{first}-over-{second}",
        _I,
        f"When both apply, {first} wins over {second}.",
        _ORDER_SOURCE,
        Scope.AUTHENTICATED,
        *_order_needs(first, second),
    )
    for first, second in combinations(GATE_ORDER, 2)
    if (first, second) not in _IMPOSSIBLE
}
