"""Defects of what costs a credit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from mockserver import rules
from mockserver.defects.site import Defect, Site, Step
from mockserver.envelope import Refused


def _pricing(site: Site, price: Any, when: Callable[[], bool] = lambda: True) -> None:
    site.rewrite_json(lambda body: body["_meta"]["_credits"].update(used=price), when=when)


class SuccessCostsTwo(Defect):
    """A success says that it used 2 credits."""

    rule = rules.CREDIT_SUCCESS

    def plant(self, site: Site) -> None:
        _pricing(site, 2)


class ReadsCostNothing(Defect):
    """A read says that it used no credit."""

    rule = rules.CREDIT_SUCCESS

    def plant(self, site: Site) -> None:
        _pricing(site, 0, lambda: not site.here.operation.writes)


class CreditAsText(Defect):
    """A success says that it used "1" credit, as text."""

    rule = rules.CREDIT_SUCCESS

    def plant(self, site: Site) -> None:
        _pricing(site, "1")


class _FreeRefusal(Defect):
    """Base of defects in which a refusal that costs a credit is free."""

    rule = rules.CREDIT_ERRORS
    statuses: ClassVar[frozenset[int]]

    def settle(self, site: Site) -> None:
        """Return what the refused request took."""
        organization = site.here.caller.organization if site.here.caller else None
        if organization is not None:
            organization.windows.give_back(organization.clock.now())

    def plant(self, site: Site) -> None:
        def make(original: Step) -> Step:
            def run(*arguments: Any) -> Any:
                try:
                    return original(*arguments)
                except Refused as refused:
                    if refused.status in self.statuses:
                        self.settle(site)
                    raise

            return run

        site.step("run", make)


class BadRequestIsFree(_FreeRefusal):
    """A 400 costs nothing."""

    statuses = frozenset({400})


class UnpaidIsFree(_FreeRefusal):
    """A 402 costs nothing."""

    statuses = frozenset({402})


class ForbiddenIsFree(_FreeRefusal):
    """A 403 costs nothing."""

    statuses = frozenset({403})


class NotFoundIsFree(_FreeRefusal):
    """A 404 costs nothing."""

    statuses = frozenset({404})


class TooLargeIsFree(_FreeRefusal):
    """A 413 costs nothing."""

    statuses = frozenset({413})


class LostSessionIsFree(_FreeRefusal):
    """A 424 costs nothing."""

    statuses = frozenset({424})


class UpstreamFailureIsFree(_FreeRefusal):
    """A failing upstream costs nothing."""

    statuses = frozenset({500, 502, 503, 504})


class NotFoundCostsTwo(_FreeRefusal):
    """A 404 costs two credits."""

    statuses = frozenset({404})

    def settle(self, site: Site) -> None:
        organization = site.here.caller.organization if site.here.caller else None
        if organization is not None:
            organization.windows.take(organization.clock.now())
