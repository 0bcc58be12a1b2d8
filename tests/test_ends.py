"""What ends with time has ended once its time has come, without a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.clock import DAY

if TYPE_CHECKING:
    from tests.conftest import Tenant

OFFER = {"type": "new", "discount": 50, "subscribeCounts": 1, "subscribeDays": 7, "finishDays": 1}


def test_a_promotion_ends(tenant: Tenant) -> None:
    """In its own list and in the feed."""
    (made,) = tenant.data("createPromotion", body=OFFER)

    def shown() -> list[tuple[bool, bool]]:
        found: list[dict[str, Any]] = tenant.data("listReachPromotions")["items"]
        found += [item.get("promo", {}) for item in tenant.data("listPromotionsAndTrials")["items"]]
        return [(p["isFinished"], p["canClaim"]) for p in found if p.get("id") == made["id"]]

    before = shown()
    tenant.organization.clock.advance(DAY - 1)
    last = shown()
    tenant.organization.clock.advance(1)

    assert [(False, True)] * 2 == before == last
    assert [(True, False)] * 2 == shown()


def test_a_promotion_without_an_end_goes_on(tenant: Tenant) -> None:
    """0 days and 0 places mean no limit; the price is what the discount leaves of 9.99."""
    (made,) = tenant.data("createPromotion", body=OFFER | {"finishDays": 0, "subscribeCounts": 0})
    tenant.organization.clock.advance(365 * DAY)
    offers = tenant.data("listReachPromotions", query={"limit": 100})["items"]
    (shown,) = [offer for offer in offers if offer["id"] == made["id"]]

    assert (False, None) == (shown["isFinished"], shown["subscribeCounts"])
    assert (5.0, True) == (shown["price"], shown["canClaim"])


def test_every_end_agrees_with_the_clock(tenant: Tenant) -> None:
    """Whatever day it is, nothing goes on past its own end."""
    tenant.organization.clock.advance(60 * DAY)
    today = "2026-04-01T12:00:30+00:00"
    links = tenant.data("listTrialLinks", query={"limit": 200})["list"]
    promotions = tenant.data("listReachPromotions", query={"limit": 100})["items"]
    ends = [(link["expiredAt"], link["isFinished"]) for link in links]
    ends += [(offer["finishedAt"], offer["isFinished"]) for offer in promotions]

    assert len(ends) > 60
    assert not [end for end, over in ends if end and end <= today and not over]


def test_a_delivered_mass_message_can_be_unsent_for_a_day(tenant: Tenant) -> None:
    sent = tenant.data("sendMassMessage", body={"text": "Hello.", "userIds": [50001]})["queue"]
    place = {"queue_id": sent["id"]}

    def left() -> tuple[int, bool]:
        item = tenant.data("getMassMessage", path_arguments=place)["queue"]
        return item["unsendSeconds"], item["canUnsend"]

    before = left()
    tenant.organization.clock.advance(DAY - 10)
    late = left()
    tenant.organization.clock.advance(10)

    assert (86_400, True) == before
    assert (10, True) == late
    assert (0, False) == left()
