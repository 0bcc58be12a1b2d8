"""Defects of what an error looks like, and of which mistake gets which status."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar

import orjson

from mockserver import rules
from mockserver.call import MAX_BODY, Call
from mockserver.contract import Operation
from mockserver.defects.site import Defect, Site, Step
from mockserver.envelope import JSON_TYPE, Refused, Reply, refusal
from mockserver.resources.recall import answer_of
from mockserver.resources.scene import DONE
from mockserver.rules import Rule
from mockserver.validation import Arguments

_REFUSALS = frozenset({400, 401, 402, 403, 404, 405, 413, 424, 429})
_HTML = b"<!doctype html><html><body><h1>Something went wrong</h1></body></html>"


def html(reply: Reply, *_: Any) -> Reply:
    """Return ``reply`` as a page."""
    return replace(reply, body=_HTML, headers=(("Content-Type", "text/html"),))


class ErrorWithCode(Defect):
    """An error carries a `code` beside `error`."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: body.update(code=1), _REFUSALS)


class ForbiddenWithMeta(Defect):
    """A 403 carries `_meta` beside `error`."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: body.update(_meta={}), {403})


class ErrorNested(Defect):
    """`error` is an object with a message."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: {"error": {"message": body["error"]}}, _REFUSALS)


class ErrorEmpty(Defect):
    """`error` is an empty string on a 402."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: {"error": ""}, {402})


class NotFoundInEnvelope(Defect):
    """A 404 comes in the envelope of a success, with `data: null`."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_json(lambda body: {"data": None, **body}, {404})


class UnknownRouteIsAPage(Defect):
    """An unknown route is answered with an HTML page."""

    rule = rules.FLAT

    def plant(self, site: Site) -> None:
        site.rewrite_unrouted(html)


class _OtherType(Defect):
    """Base of defects that send errors with another media type."""

    rule = rules.ERROR_JSON
    type: ClassVar[str]

    def plant(self, site: Site) -> None:
        def typed(reply: Reply) -> Reply:
            if reply.status < 400:
                return reply
            headers = tuple((k, v) for k, v in reply.headers if k != "Content-Type")
            return replace(reply, headers=(("Content-Type", self.type), *headers))

        site.rewrite(typed)


class ErrorAsText(_OtherType):
    """An error is sent as text/plain."""

    type = "text/plain"


class ErrorAsProblem(_OtherType):
    """An error is sent as application/problem+json."""

    type = "application/problem+json"


def _forgiving(site: Site, forgets: Callable[[Any, str], bool], *rules_: Rule) -> None:
    """Let ``validate`` forget query parameters that it would refuse by one of ``rules_``."""

    def make(original: Step) -> Step:
        def validate(call: Call, operation: Any) -> Any:
            try:
                return original(call, operation)
            except Refused as refused:
                if refused.rule not in rules_:
                    raise
                forgotten = {
                    p.name
                    for p in operation.query_parameters
                    if any(forgets(p, text) for text in call.request.query.get(p.name, ()))
                }
                kept = [
                    part
                    for part in call.request.query_string.split("&")
                    if part.partition("=")[0] not in forgotten
                ]
                if not forgotten:
                    raise
                other = Call(replace(call.request, query_string="&".join(kept)), call.read_body)
                return original(other, operation)

        return validate

    site.step("validate", make)


def _is_integer(text: str) -> bool:
    return text.lstrip("-").isdecimal()


class BadIntegersIgnored(Defect):
    """Text in the place of a number falls back to the default."""

    rule = rules.BAD_QUERY

    def plant(self, site: Site) -> None:
        _forgiving(site, lambda p, text: p.type == "integer" and not _is_integer(text), self.rule)


class EmptyIntegersIgnored(Defect):
    """An empty value in the place of a number falls back to the default."""

    rule = rules.DOUBTFUL

    def plant(self, site: Site) -> None:
        _forgiving(site, lambda p, text: p.type == "integer" and not text, self.rule)


class LargeNumbersClamped(Defect):
    """A number over its maximum is taken for the default."""

    rule = rules.DOUBTFUL

    def plant(self, site: Site) -> None:
        def too_much(parameter: Any, text: str) -> bool:
            most = parameter.schema.get("maximum")
            return most is not None and _is_integer(text) and int(text) > most

        _forgiving(site, too_much, self.rule)


class SmallNumbersClamped(Defect):
    """A number under its minimum is taken for the default."""

    rule = rules.DOUBTFUL

    def plant(self, site: Site) -> None:
        def too_little(parameter: Any, text: str) -> bool:
            least = parameter.schema.get("minimum")
            return least is not None and _is_integer(text) and int(text) < least

        _forgiving(site, too_little, self.rule)


class DatesNotChecked(Defect):
    """Text that is no date or marker is ignored."""

    rule = rules.BAD_QUERY

    def plant(self, site: Site) -> None:
        _forgiving(site, lambda p, text: "pattern" in p.schema, self.rule)


class BadAccountIs404(Defect):
    """Text in the place of the account's id is answered with 404."""

    rule = rules.DOUBTFUL

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def validate(call: Call, operation: Any) -> Any:
                if not call.request.path_arguments.get("account_id", "1").isdecimal():
                    raise Refused(rules.ORG_BOUNDARY, "There is no such account.")
                return original(call, operation)

            return validate

        site.step("validate", make)


class UnknownEnumFallsBack(Defect):
    """An unknown value of an enumerated query parameter falls back to the default."""

    rule = rules.BAD_ENUM

    def plant(self, site: Site) -> None:
        _forgiving(site, lambda p, text: "enum" in p.schema, self.rule)


class EnumCaseIgnored(Defect):
    """An enumerated query parameter takes its values in any case."""

    rule = rules.DOUBTFUL

    def plant(self, site: Site) -> None:
        _forgiving(
            site,
            lambda p, text: (
                text.casefold() in [str(v).casefold() for v in p.schema.get("enum", ())]
            ),
            self.rule,
        )


class UnknownItemsIgnored(Defect):
    """A list of enumerated values may hold any others."""

    rule = rules.BAD_ENUM

    def plant(self, site: Site) -> None:
        _forgiving(site, lambda p, text: p.type == "array", rules.BAD_QUERY)


def _body_accepted(
    site: Site, *, when: Callable[[Call, str], bool], refused_by: Rule = rules.BAD_BODY
) -> None:
    """Let a body pass that ``validate`` refuses, as if the contract's example had been sent."""

    def make(original: Step) -> Step:
        def validate(call: Call, operation: Any) -> Any:
            try:
                return original(call, operation)
            except Refused as refused:
                if refused.rule is not refused_by or not when(call, refused.message):
                    raise
                valid = copy(call)
                valid.read_body = orjson.dumps(operation.body_example)
                return original(valid, operation)

        return validate

    site.step("validate", make)


class BodyNotChecked(Defect):
    """Any body will do."""

    rule = rules.BAD_BODY

    def plant(self, site: Site) -> None:
        _body_accepted(site, when=lambda call, message: True)


class BrokenJsonPasses(Defect):
    """A body that is no JSON is taken for an empty one."""

    rule = rules.BAD_BODY

    def plant(self, site: Site) -> None:
        _body_accepted(site, when=lambda call, message: "not valid JSON" in message)


class MissingMembersPass(Defect):
    """A body may lack what is required."""

    rule = rules.BAD_BODY

    def plant(self, site: Site) -> None:
        _body_accepted(site, when=lambda call, message: "required" in message)


class WrongTypesPass(Defect):
    """A member of a body may have any type."""

    rule = rules.BAD_BODY

    def plant(self, site: Site) -> None:
        _body_accepted(site, when=lambda call, message: "is not of type" in message)


class MemberBoundsPass(Defect):
    """A number in a body may be as small or as large as it likes."""

    rule = rules.BAD_BODY
    operation = "createPromotion"  # elsewhere no page states the bounds of a number

    def plant(self, site: Site) -> None:
        bounds = ("less than the minimum", "greater than the maximum")
        _body_accepted(site, when=lambda call, message: any(b in message for b in bounds))


class UnknownEnumInBodies(Defect):
    """An enumerated member of a body may have any value."""

    rule = rules.BAD_ENUM

    def plant(self, site: Site) -> None:
        _body_accepted(site, when=lambda call, message: True, refused_by=self.rule)


class FanMessagesUnsent(Defect):
    """A fan's message can be taken back."""

    rule = rules.BAD_STATE

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def carry_out(operation: Operation, arguments: Arguments, *where: Any) -> Any:
                try:
                    return original(operation, arguments, *where)
                except Refused as refused:
                    if refused.rule is not rules.BAD_STATE:
                        raise
                    return answer_of(operation, DONE, arguments)

            return carry_out

        site.wrap(site.pipeline.engine, "carry_out", make)


class UnsubscribedPasses(Defect):
    """An organization without a subscription is served."""

    rule = rules.NO_SUBSCRIPTION

    def plant(self, site: Site) -> None:
        site.pass_over("check_billing", self.rule)


class UnsubscribedIs403(Defect):
    """An organization without a subscription is refused with 403."""

    rule = rules.NO_SUBSCRIPTION

    def plant(self, site: Site) -> None:
        site.restatus("check_billing", self.rule, 403)


class PastDuePasses(Defect):
    """An organization that is past due is served."""

    rule = rules.PAST_DUE

    def plant(self, site: Site) -> None:
        site.pass_over("check_billing", self.rule)


class PastDueReads(Defect):
    """An organization that is past due may still read."""

    rule = rules.PAST_DUE

    def plant(self, site: Site) -> None:
        site.pass_over("check_billing", self.rule, when=lambda: site.here.method == "GET")


class PastDueOnMe(Defect):
    """One operation, the current account, serves an organization that is past due."""

    rule = rules.PAST_DUE
    operation = "getCurrentAccount"

    def plant(self, site: Site) -> None:
        site.pass_over(
            "check_billing", self.rule, when=lambda: site.here.operation.id == self.operation
        )


class UnknownRecordSucceeds(Defect):
    """A record that isn't there is answered with one that is."""

    rule = rules.NOT_FOUND

    def plant(self, site: Site) -> None:
        def shown(reply: Reply) -> Reply:
            if reply.rule is not rules.NOT_FOUND:
                return reply
            return Reply(200, orjson.dumps(site.here.operation.success_example))

        site.rewrite(shown)


class UnknownRecordIs400(Defect):
    """A record that isn't there is answered with 400."""

    rule = rules.NOT_FOUND

    def plant(self, site: Site) -> None:
        def bad(reply: Reply) -> Reply:
            return replace(reply, status=400) if reply.rule is rules.NOT_FOUND else reply

        site.rewrite(bad)


class UnknownTagDeleted(Defect):
    """One operation, deleting a tag, succeeds on a tag that isn't there."""

    rule = rules.NOT_FOUND
    operation = "deleteTag"

    def plant(self, site: Site) -> None:
        def done(reply: Reply) -> Reply:
            if reply.rule is not rules.NOT_FOUND or site.here.operation.id != self.operation:
                return reply
            return Reply(200, orjson.dumps(site.here.operation.success_example))

        site.rewrite(done)


def _limited_to(
    site: Site, most: int, when: Callable[[], bool] = lambda: True, *, declared: bool = False
) -> None:
    """Let bodies of up to ``most`` bytes pass; ``declared`` looks at Content-Length alone."""

    def make(original: Step) -> Step:
        def check(call: Call) -> None:
            if not when():
                original(call)
            elif (call.request.declared_length or 0 if declared else len(call.body)) > most:
                raise Refused(rules.TOO_LARGE, "The body is over 1 MiB; send a smaller one.")

        return check

    site.step("check_body_size", make)


_NO_LIMIT = 1 << 40


class NoBodyLimit(Defect):
    """A body may have any size."""

    rule = rules.TOO_LARGE

    def plant(self, site: Site) -> None:
        _limited_to(site, _NO_LIMIT)


class BodyLimitOnPostsOnly(Defect):
    """Only POST limits its body."""

    rule = rules.TOO_LARGE

    def plant(self, site: Site) -> None:
        _limited_to(site, _NO_LIMIT, lambda: site.here.method != "POST")


class BodyLimitPlusOne(Defect):
    """A body of one byte over 1 MiB passes."""

    rule = rules.TOO_LARGE

    def plant(self, site: Site) -> None:
        _limited_to(site, MAX_BODY + 1)


class TooLargeIs400(Defect):
    """A body over 1 MiB is refused with 400."""

    rule = rules.TOO_LARGE

    def plant(self, site: Site) -> None:
        site.restatus("check_body_size", self.rule, 400)


class BodyLimitMinusOne(Defect):
    """A body of exactly 1 MiB is refused."""

    rule = rules.AT_SIZE_LIMIT

    def plant(self, site: Site) -> None:
        _limited_to(site, MAX_BODY - 1)


class BodyLimitIsAMegabyte(Defect):
    """The limit is 1,000,000 bytes."""

    rule = rules.AT_SIZE_LIMIT

    def plant(self, site: Site) -> None:
        _limited_to(site, 1_000_000)


class BodyLimitByHeader(Defect):
    """The limit looks at Content-Length, which a chunked body doesn't have."""

    rule = rules.TOO_LARGE_CHUNKED

    def plant(self, site: Site) -> None:
        _limited_to(site, MAX_BODY, declared=True)


class LostSessionPasses(Defect):
    """An account in sync_lost is served as if it were connected."""

    rule = rules.SYNC_LOST

    def plant(self, site: Site) -> None:
        site.pass_over("check_account_state", self.rule)


class LostSessionReads(Defect):
    """An account in sync_lost can still be read."""

    rule = rules.SYNC_LOST

    def plant(self, site: Site) -> None:
        site.pass_over("check_account_state", self.rule, when=lambda: site.here.method == "GET")


class LostSessionOnStreaks(Defect):
    """One operation, the list of streaks, serves an account in sync_lost."""

    rule = rules.SYNC_LOST
    operation = "listActivityStreaks"

    def plant(self, site: Site) -> None:
        site.pass_over(
            "check_account_state", self.rule, when=lambda: site.here.operation.id == self.operation
        )


class LostSessionIs502(Defect):
    """An account in sync_lost is refused with 502."""

    rule = rules.SYNC_LOST

    def plant(self, site: Site) -> None:
        site.restatus("check_account_state", self.rule, 502)


class OwnDataNeedsASession(Defect):
    """FansMetric's own data is refused with 424 on an account in sync_lost too."""

    rule = rules.SYNC_LOST_LOCAL

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            return lambda account, operation: original(account, replace(operation, upstream=True))

        site.step("check_account_state", make)


class UpstreamFailureIsAPage(Defect):
    """A failing upstream is answered with an HTML page."""

    rule = rules.UPSTREAM_FAILED

    def plant(self, site: Site) -> None:
        site.rewrite(lambda reply: html(reply) if reply.status >= 500 else reply)


class UpstreamFailureTellsAll(Defect):
    """A failing upstream is answered with a stack trace."""

    rule = rules.UPSTREAM_FAILED

    def plant(self, site: Site) -> None:
        trace = 'Traceback (most recent call last):\n  File "/srv/api/upstream.py", line 7'
        site.rewrite_json(lambda body: {"error": trace}, {500, 502, 503, 504})


class UpstreamFailureIs200(Defect):
    """A failing upstream is answered with 200 and an error."""

    rule = rules.UPSTREAM_FAILED

    def plant(self, site: Site) -> None:
        site.rewrite(lambda reply: replace(reply, status=200) if reply.origin == "fault" else reply)


def _unrouted(site: Site, status: int, change: Callable[[Reply], Reply]) -> None:
    site.rewrite_unrouted(lambda reply, _: change(reply) if reply.status == status else reply)


class UnknownRouteIs400(Defect):
    """An unknown route is answered with 400."""

    rule = rules.UNKNOWN_ROUTE

    def plant(self, site: Site) -> None:
        _unrouted(site, 404, lambda reply: replace(reply, status=400))


class UnknownMethodIs404(Defect):
    """A method that the route doesn't have is answered with 404."""

    rule = rules.UNKNOWN_METHOD

    def plant(self, site: Site) -> None:
        _unrouted(site, 405, lambda reply: replace(reply, status=404))


class AllowMissing(Defect):
    """A 405 doesn't say which methods there are."""

    rule = rules.UNKNOWN_METHOD

    def plant(self, site: Site) -> None:
        headers = (("Content-Type", JSON_TYPE),)
        _unrouted(site, 405, lambda reply: replace(reply, headers=headers))


class _KeyFirst(Defect):
    """Base of defects that ask for a key before they look at the route."""

    status: ClassVar[int]

    def plant(self, site: Site) -> None:
        def ask(reply: Reply, key: str) -> Reply:
            if key or reply.status != self.status:
                return reply
            return refusal(Refused(rules.KEY_MISSING, "An API key is required."))

        site.rewrite_unrouted(ask)


class KeyBeforeRoute(_KeyFirst):
    """An unknown route without a key is answered with 401."""

    rule = rules.ROUTE_BEFORE_KEY
    status = 404


class KeyBeforeMethod(_KeyFirst):
    """An unknown method without a key is answered with 401."""

    rule = rules.METHOD_BEFORE_KEY
    status = 405
