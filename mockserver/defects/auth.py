"""Defects of who is let in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver import rules
from mockserver.call import Call
from mockserver.defects.site import Defect, Site, Step
from mockserver.envelope import Refused, Reply, refusal
from mockserver.roles import Key


def without_header(site: Site, name: str, operation: str | None = None, method: str = "") -> None:
    """Make the mock blind for a header, on all operations or on some."""
    unsent: dict[str, Any] = {name: None}

    def make(original: Step) -> Step:
        def authenticate(call: Call) -> Any:
            here = site.here
            if here.operation.id == (operation or here.operation.id) and (
                here.method == (method or here.method)
            ):
                call.request = replace(call.request, **unsent)
            return original(call)

        return authenticate

    site.step("authenticate", make)


def known_key(site: Site, call: Call) -> Key:
    """Return the key that a refused request presents. Raises ``Refused`` when there is no such key."""
    secrets = call.request.secrets
    key = site.mock.world.keys.get(secrets[0]) if secrets else None
    if key is None:
        raise Refused(rules.KEY_INVALID, "The API key is not valid.")
    return key


def some_key(site: Site) -> Key:
    """Return a key with every permission of the newest organization."""
    return next(
        k
        for k in reversed(list(site.mock.world.keys.values()))
        if k.role.grants("*") and not k.revoked
    )


class BearerIgnored(Defect):
    """`Authorization: Bearer` isn't looked at; only `X-API-Key` carries a key."""

    rule = rules.BEARER

    def plant(self, site: Site) -> None:
        without_header(site, "authorization")


class BearerIgnoredOnDelete(Defect):
    """`Authorization: Bearer` isn't looked at by DELETE."""

    rule = rules.BEARER

    def plant(self, site: Site) -> None:
        without_header(site, "authorization", method="DELETE")


class HeaderKeyIgnored(Defect):
    """`X-API-Key` isn't looked at."""

    rule = rules.X_API_KEY

    def plant(self, site: Site) -> None:
        without_header(site, "api_key")


class HeaderKeyIgnoredOnTags(Defect):
    """One operation, the list of tags, doesn't look at `X-API-Key`."""

    rule = rules.X_API_KEY
    operation = "listTags"

    def plant(self, site: Site) -> None:
        without_header(site, "api_key", operation=self.operation)


class HeaderKeyIsFree(Defect):
    """A request with `X-API-Key` takes nothing from the windows."""

    rule = rules.HEADERS_EQUIVALENT

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def spend(organization: Any) -> Any:
                if site.here.call.request.authorization is None:
                    return organization.windows.headroom(organization.clock.now())
                return original(organization)

            return spend

        site.step("spend_windows", make)


class HeaderKeySeesLess(Defect):
    """A list that is asked for with `X-API-Key` lacks its last item."""

    rule = rules.HEADERS_EQUIVALENT

    def plant(self, site: Site) -> None:
        def cut(body: Any) -> None:
            data = body["data"]
            items = data.get("list") if isinstance(data, dict) else data
            if items and isinstance(items, list):
                items.pop()

        site.rewrite_json(cut, when=lambda: site.here.call.request.authorization is None)


class MissingKeyPasses(Defect):
    """A request without a key is let in."""

    rule = rules.KEY_MISSING

    def plant(self, site: Site) -> None:
        site.pass_over("authenticate", rules.KEY_MISSING, instead=lambda _: some_key(site))


class EmptyKeyPasses(Defect):
    """A request with an empty `X-API-Key` is let in, one without the header isn't."""

    rule = rules.KEY_MISSING

    def plant(self, site: Site) -> None:
        site.pass_over(
            "authenticate",
            rules.KEY_MISSING,
            when=lambda: site.here.call.request.api_key is not None,
            instead=lambda _: some_key(site),
        )


class MissingKeyIs403(Defect):
    """A request without a key is refused with 403."""

    rule = rules.KEY_MISSING

    def plant(self, site: Site) -> None:
        site.restatus("authenticate", rules.KEY_MISSING, 403)


class UnknownKeyPasses(Defect):
    """A key that nobody has is let in."""

    rule = rules.KEY_INVALID

    def plant(self, site: Site) -> None:
        site.pass_over("authenticate", rules.KEY_INVALID, instead=lambda _: some_key(site))


class UnknownKeyPassesOnPut(Defect):
    """PUT lets a key in that nobody has."""

    rule = rules.KEY_INVALID

    def plant(self, site: Site) -> None:
        site.pass_over(
            "authenticate",
            rules.KEY_INVALID,
            when=lambda: site.here.method == "PUT",
            instead=lambda _: some_key(site),
        )


class _LooseKey(Defect):
    """Base of defects that compare keys loosely."""

    rule = rules.KEY_INVALID

    def same(self, sent: str, known: str) -> bool:
        """Whether ``sent`` passes for the key ``known``."""
        raise NotImplementedError

    def plant(self, site: Site) -> None:
        def nearest(call: Call) -> Key:
            sent = call.request.secrets[0]
            for secret, key in list(site.mock.world.keys.items()):
                if self.same(sent, secret):
                    return key
            raise Refused(rules.KEY_INVALID, "The API key is not valid.")

        site.pass_over("authenticate", rules.KEY_INVALID, instead=nearest)


class KeyPrefixSuffices(_LooseKey):
    """A key that was cut by one character is let in."""

    def same(self, sent: str, known: str) -> bool:
        return known[:-1] == sent


class KeyMayBeLonger(_LooseKey):
    """A key with something appended is let in."""

    def same(self, sent: str, known: str) -> bool:
        return sent[:-1] == known


class KeyCaseIgnored(_LooseKey):
    """A key is let in whatever the case of its letters."""

    def same(self, sent: str, known: str) -> bool:
        return sent.casefold() == known.casefold()


class RevokedKeyPasses(Defect):
    """A revoked key is let in."""

    rule = rules.KEY_REVOKED

    def plant(self, site: Site) -> None:
        site.pass_over("authenticate", rules.KEY_REVOKED, instead=lambda c: known_key(site, c))


class RevokedKeyReads(Defect):
    """A revoked key may still read."""

    rule = rules.KEY_REVOKED

    def plant(self, site: Site) -> None:
        site.pass_over(
            "authenticate",
            rules.KEY_REVOKED,
            when=lambda: site.here.method == "GET",
            instead=lambda c: known_key(site, c),
        )


class RevokedKeyPassesInHeader(Defect):
    """A revoked key is let in as `X-API-Key`, and refused as Bearer."""

    rule = rules.KEY_REVOKED

    def plant(self, site: Site) -> None:
        site.pass_over(
            "authenticate",
            rules.KEY_REVOKED,
            when=lambda: site.here.call.request.authorization is None,
            instead=lambda c: known_key(site, c),
        )


class ExpiredKeyPasses(Defect):
    """An expired key is let in."""

    rule = rules.KEY_EXPIRED

    def plant(self, site: Site) -> None:
        site.pass_over("authenticate", rules.KEY_EXPIRED, instead=lambda c: known_key(site, c))


class ExpiredKeyWrites(Defect):
    """An expired key is refused by reads only."""

    rule = rules.KEY_EXPIRED

    def plant(self, site: Site) -> None:
        site.pass_over(
            "authenticate",
            rules.KEY_EXPIRED,
            when=lambda: site.here.method != "GET",
            instead=lambda c: known_key(site, c),
        )


class RefusedKeyIsCharged(Defect):
    """A 401 for a revoked or an expired key takes from its organization's windows."""

    rule = rules.NO_CREDIT_401

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def authenticate(call: Call) -> Any:
                try:
                    return original(call)
                except Refused as refused:
                    if refused.rule in (rules.KEY_REVOKED, rules.KEY_EXPIRED):
                        organization = known_key(site, call).organization
                        organization.windows.take(organization.clock.now())
                    raise

            return authenticate

        site.step("authenticate", make)


class RefusedKeyIsChargedToTheDay(Defect):
    """A 401 for a revoked key takes from the day only."""

    rule = rules.NO_CREDIT_401

    def plant(self, site: Site) -> None:
        def charge(call: Call) -> Any:
            organization = known_key(site, call).organization
            organization.windows.day.used += 1
            raise Refused(rules.KEY_REVOKED, "The API key has been revoked.")

        site.pass_over("authenticate", rules.KEY_REVOKED, instead=charge)


class HealthNeedsAKey(Defect):
    """The health check refuses who has no key."""

    rule = rules.HEALTH_OPEN

    def plant(self, site: Site) -> None:
        def closed(reply: Reply) -> Reply:
            if site.here.operation.authenticated or site.here.call.request.secrets:
                return reply
            return refusal(Refused(rules.KEY_MISSING, "An API key is required."))

        site.rewrite(closed)


class AnySchemePasses(Defect):
    """`Authorization: Basic KEY` and `Token KEY` let a key in as Bearer does."""

    rule = rules.OTHER_SCHEME

    def plant(self, site: Site) -> None:
        _reading(site, lambda scheme, secret: ("Bearer", secret) if secret else (scheme, secret))


class BareKeyPasses(Defect):
    """`Authorization: KEY` without a scheme lets a key in."""

    rule = rules.OTHER_SCHEME

    def plant(self, site: Site) -> None:
        _reading(site, lambda scheme, secret: (scheme, secret) if secret else ("Bearer", scheme))


class SchemeCaseMatters(Defect):
    """The scheme is understood as `Bearer` only, not as `bearer`."""

    rule = rules.SCHEME_CASE

    def plant(self, site: Site) -> None:
        _reading(site, lambda scheme, secret: (scheme if scheme == "Bearer" else "None", secret))


def _reading(site: Site, read: Any) -> None:
    """Let ``read`` turn scheme and secret of Authorization into what the mock gets to see."""

    def make(original: Step) -> Step:
        def authenticate(call: Call) -> Any:
            value = call.request.authorization
            if value is not None:
                scheme, _, secret = value.partition(" ")
                read_so = " ".join(read(scheme, secret))
                call.request = replace(call.request, authorization=read_so)
            return original(call)

        return authenticate

    site.step("authenticate", make)


class FirstOfTwoKeysWins(Defect):
    """Of two different keys the first one is taken."""

    rule = rules.TWO_KEYS

    def plant(self, site: Site) -> None:
        site.pass_over("authenticate", rules.TWO_KEYS, instead=lambda c: known_key(site, c))


class SameKeyTwiceRefused(Defect):
    """The same key in both headers is refused."""

    rule = rules.TWO_KEYS

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def authenticate(call: Call) -> Any:
                if len(call.request.secrets) > 1:
                    raise Refused(rules.TWO_KEYS, "Send the key once.")
                return original(call)

            return authenticate

        site.step("authenticate", make)


class KeyValidAtItsExpiry(Defect):
    """A key is still valid at its expiry instant."""

    rule = rules.EXPIRY_INSTANT

    def plant(self, site: Site) -> None:
        _expiring(site, later=1e-6)


class KeyExpiresASecondEarly(Defect):
    """A key is refused a second before its expiry instant."""

    rule = rules.EXPIRY_INSTANT

    def plant(self, site: Site) -> None:
        _expiring(site, later=-1)


def _expiring(site: Site, later: float) -> None:
    """Let keys expire ``later`` seconds after their instant."""

    def make(original: Step) -> Step:
        def authenticate(call: Call) -> Any:
            key = known_key(site, call) if call.request.secrets else None
            if key is None or key.expires is None or key.revoked:
                return original(call)
            if key.organization.clock.now() >= key.expires + later:
                raise Refused(rules.KEY_EXPIRED, "The API key has expired.")
            return key

        return authenticate

    site.step("authenticate", make)
