"""One request from its key to its answer, in the order of the contract.

The order: 401, then 429, which are free; then the charged refusals
413, 402, 403, 400, 404 (account), 424, and what the operation itself may answer.
"""

from __future__ import annotations

import math
import threading
from contextlib import suppress
from functools import lru_cache

from mockserver import rules
from mockserver.call import MAX_BODY, Call, Unreadable
from mockserver.contract import Contract, Operation, Schemas
from mockserver.envelope import Headers, Refused, Reply, bare, success
from mockserver.faults import Fault, FaultKind, Sleeper
from mockserver.organizations import Account, Organization
from mockserver.resources import Engine
from mockserver.resources.recall import LONGEST_REMEMBERED
from mockserver.roles import Key
from mockserver.seeds import AccountState, Subscription
from mockserver.validation import Arguments, validate_address, validate_body
from mockserver.windows import Headroom, Window
from mockserver.words import plural
from mockserver.world import World

_FAULT_RULES = {424: rules.SYNC_LOST, 429: rules.MINUTE}
"""The rules whose refusals a fault imitates; any other status is an upstream failure."""

# Asked at every request, where an enumeration looks its members up each time.
_ACTIVE, _LOST = Subscription.ACTIVE, AccountState.SYNC_LOST

_MOST_REMEMBERED = 2_048
"""Paths with a query whose arguments are remembered."""


class Pipeline:
    """The steps of the gate over one world. Each returns what the next one needs, or raises ``Refused``."""

    def __init__(self, contract: Contract, world: World) -> None:
        self.world = world
        self.schemas = Schemas(contract.document)
        self.engine = Engine(contract)
        self._addresses: dict[tuple[str, str, str], Arguments] = {}
        self.sleeper = Sleeper()
        """Waits out the latency of a fault."""

    def run(self, call: Call, operation: Operation) -> Reply:
        """Return the answer to ``call``, or raise ``Refused`` with the rule that refuses it."""
        if not operation.authenticated:
            return bare(operation.success_example)
        caller = call.enter(self.authenticate(call))
        organization = caller.organization
        turn = organization.faults.turn
        if turn is not None:
            self.take_turn(call, turn)
        try:
            headroom = self.spend_windows(organization)
            self.check_body_size(call)
            self.check_billing(organization)
            self.check_permission(caller, operation)
            arguments = self.validate(call, operation)
            account = self.find_account(arguments, organization)
            self.check_account_state(account, operation)
            if organization.faults.are_planted:
                self.meet_fault(call, operation, organization, may_be_free=turn is not None)
        finally:
            if turn is not None:
                turn.release()
        if call.fault is not None:
            self.suffer_fault(call, call.fault.fault)
        asked = (call.request.path, call.request.query_string)
        call.answer = self.engine.carry_out(operation, arguments, organization, account, asked)
        return success(call.answer.opening, headroom)

    def authenticate(self, call: Call) -> Key:
        """Return the key that the request carries in one of the two headers (auth page)."""
        secrets = call.request.secrets
        if not secrets:
            raise Refused(
                rules.KEY_MISSING,
                "An API key is required: send Authorization: Bearer or X-API-Key.",
            )
        if len(secrets) > 1 and len(set(secrets)) > 1:
            raise Refused(
                rules.TWO_KEYS, "Authorization and X-API-Key carry different keys; send one."
            )
        key = self.world.keys.get(secrets[0])
        if key is None:
            raise Refused(rules.KEY_INVALID, "The API key is not valid.")
        if key.revoked:
            raise Refused(rules.KEY_REVOKED, "The API key has been revoked.")
        if key.expires is not None and key.is_expired(key.organization.clock.now()):
            raise Refused(rules.KEY_EXPIRED, "The API key has expired.")
        return key

    def take_turn(self, call: Call, turn: threading.RLock) -> None:
        """Wait for the turn, to be released once it is known whether a fault makes the request free.

        Another one that came in between would report one request less than there is.
        """
        with suppress(Unreadable):
            _ = call.request.has_body and call.body  # a slow client mustn't hold up the others
        turn.acquire()

    def spend_windows(self, organization: Organization) -> Headroom:
        """Take the request from both windows, or refuse it without taking from either."""
        taken = organization.windows.take(organization.clock.now)
        if isinstance(taken, Window):
            raise self._rate_limited(organization, taken)
        return taken

    def check_body_size(self, call: Call) -> None:
        """Refuse a body over 1 MiB, whatever the method."""
        if not call.request.has_body:
            return
        try:
            too_large = call.too_large
        except Unreadable:
            raise Refused(rules.BAD_BODY, "The body breaks off or is malformed.") from None
        if too_large:
            raise Refused(
                rules.TOO_LARGE, f"The body is over 1 MiB ({MAX_BODY:,} bytes); send a smaller one."
            )

    def check_billing(self, organization: Organization) -> None:
        """Refuse an organization without an active subscription."""
        if organization.subscription is _ACTIVE:
            return
        if organization.subscription is Subscription.NONE:
            raise Refused(rules.NO_SUBSCRIPTION, "The organization has no active subscription.")
        raise Refused(
            rules.PAST_DUE, "The organization's subscription is past due; repair its billing."
        )

    def check_permission(self, caller: Key, operation: Operation) -> None:
        """Refuse a key whose role doesn't grant the operation's permission."""
        permission = operation.permission or ""
        if not caller.role.grants(permission):
            raise Refused(
                rules.PERMISSION_REQUIRED, f"The key's role lacks the permission {permission}."
            )

    def validate(self, call: Call, operation: Operation) -> Arguments:
        """Return the decoded arguments, or refuse what doesn't match the contract."""
        request = call.request
        asked = (operation.id, request.path, request.query_string)  # clients repeat themselves
        known = self._addresses.get(asked)
        if known is None:
            known = validate_address(request, operation, self.schemas)
            if len(request.path) + len(request.query_string) <= LONGEST_REMEMBERED:
                if len(self._addresses) >= _MOST_REMEMBERED:
                    self._addresses.clear()
                self._addresses[asked] = known
        if operation.body is None:
            return known
        return Arguments(known.path, known.query, validate_body(call, operation, self.schemas))

    def find_account(self, arguments: Arguments, organization: Organization) -> Account | None:
        """Return the account that the path names; another organization's doesn't exist for this one."""
        id = arguments.path.get("account_id")
        if id is None:
            return None
        account = organization.accounts.get(id)
        if account is None:
            raise Refused(rules.ORG_BOUNDARY, f"The organization has no account {str(id)[:40]}.")
        return account

    def check_account_state(self, account: Account | None, operation: Operation) -> None:
        """Refuse an upstream operation on an account whose session is lost."""
        if account is not None and operation.upstream and account.state is _LOST:
            raise Refused(
                rules.SYNC_LOST, f"Account {account.id} is in sync_lost; restore its session first."
            )

    def meet_fault(
        self, call: Call, operation: Operation, organization: Organization, *, may_be_free: bool
    ) -> None:
        """Note the fault that a test has planted for this request, and give back what it doesn't cost."""
        now = organization.clock.now()
        planted = organization.faults.take(operation.id, call.request.path, now, free=may_be_free)
        call.fault = planted
        if planted is not None and not planted.fault.is_charged:
            organization.windows.give_back(organization.clock.now)

    def suffer_fault(self, call: Call, fault: Fault) -> None:
        """Wait, or fail as upstream would.

        Faults that spoil the finished answer do that later.
        """
        if fault.latency:
            if not call.step_aside(for_long=True):
                message = (
                    "More requests wait for their planted latencies than the mock has threads for."
                )
                raise Refused(rules.UPSTREAM_FAILED, message, status=503, origin="fault")
            self.sleeper.wait(fault.latency)
        if fault.kind is FaultKind.STATUS:
            rule = _FAULT_RULES.get(fault.status, rules.UPSTREAM_FAILED)
            wait = fault.retry_after
            headers = () if wait is None else (("Retry-After", str(wait)),)
            raise Refused(
                rule, fault.sentence, status=fault.status, headers=headers, origin="fault"
            )

    def _rate_limited(self, organization: Organization, window: Window) -> Refused:
        is_minute = window is organization.windows.minute
        rule, name = (rules.MINUTE, "minute") if is_minute else (rules.DAY, "day")
        headers: Headers = ()
        if organization.retry_after:
            left = organization.windows.have_room_at - organization.clock.now()
            headers = (("Retry-After", str(max(1, math.ceil(left)))),)
        return Refused(rule, _used_up(window.limit, name), headers=headers)


@lru_cache(maxsize=128)
def _used_up(limit: int, window: str) -> str:
    return f"The organization's limit of {plural(limit, 'request')} per {window} is used up."
