"""Faults: which requests they meet, and what becomes of them."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.envelope import JSON_TYPE
from mockserver.errors import BadFault, NotThere
from mockserver.faults import MAX_FAULTS, Fault, FaultKind, Faults

if TYPE_CHECKING:
    from tests.conftest import NewTenant, Tenant
    from tests.toolkit.conftest import Ask


def met(fault: Fault, calls: int, **call: Any) -> list[int]:
    """Return which of so many equal calls meet the fault, counted from 1."""
    faults = Faults()
    faults.plant(fault)
    asked = {"operation": "listAccounts", "path": "/v1/accounts", **call}
    return [number for number in range(1, calls + 1) if faults.take(**asked)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(), [1]),
        (Fault(times=2), [1, 2]),
        (Fault(nth=3), [3]),
        (Fault(nth=3, times=2), [3, 4]),
        (Fault(until=10), [1, 2, 3, 4, 5]),
        (Fault(until=0), []),
        (Fault(until=10, times=1), [1]),
        (Fault(operation="listAccounts"), [1]),
        (Fault(operation="listTags"), []),
        (Fault(path="/v1/*"), [1]),
        (Fault(path="/v1/*/tags"), []),
        (Fault(operation="listAccounts", path="/v1/accounts"), [1]),
    ],
)
def test_conditions(fault: Fault, expected: list[int]) -> None:
    """Each condition lets the others' requests pass; without any the next request is met."""
    assert expected == met(fault, 5)


def test_nth_counts_matching_requests_only() -> None:
    faults = Faults()
    planted = faults.plant(Fault(operation="listTags", nth=2))
    order = ["listTags", "listAccounts", "listAccounts", "listTags", "listTags"]

    assert [None, None, None, planted, None] == [faults.take(operation) for operation in order]
    assert (2, 1) == (planted.matched, planted.uses)  # what is used up counts no further


def test_probability_is_seeded() -> None:
    """The same seed fails the same requests, about as many as it says; another seed fails others."""
    first = met(Fault(probability=0.3, seed=7), 1_000)
    again = met(Fault(probability=0.3, seed=7), 1_000)
    other = met(Fault(probability=0.3, seed=8), 1_000)

    assert first == again
    assert first != other
    assert 250 < len(first) < 350


def test_of_several_the_oldest_wins_and_all_count() -> None:
    faults = Faults()
    old, new = faults.plant(Fault(502, times=2)), faults.plant(Fault(503))
    nth = faults.plant(Fault(504, nth=4))

    assert [old, old, new, nth, None] == [faults.take("listAccounts") for _ in range(5)]


def test_lists_and_clears() -> None:
    """Used ones stay listed until they are cleared, one by one or all."""
    faults = Faults()
    used, unused = faults.plant(Fault()), faults.plant(Fault(nth=9))
    faults.take("listAccounts")

    assert [used, unused] == faults.all()
    assert [unused] == faults.unused()
    assert ("spent", "active") == (used.state(0), unused.state(0))
    faults.clear(used.id)
    assert [unused] == faults.all()
    with pytest.raises(NotThere, match=f"no fault '{used.id}'; there is {unused.id}"):
        faults.get(used.id)
    faults.clear()
    assert [] == faults.all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": 399}, "between 400 and 599, got 399"),
        ({"status": 600}, "between 400 and 599, got 600"),
        ({"times": 0}, "at least once, got times=0"),
        ({"nth": 0}, "counts requests from 1, got 0"),
        ({"probability": 0}, "over 0 and at most 1"),
        ({"probability": 1.5}, "over 0 and at most 1"),
        ({"latency": -1}, "between 0 and 300 seconds"),
        ({"latency": 301}, "between 0 and 300 seconds"),
        ({"kind": FaultKind.LATENCY}, "needs latency"),
    ],
)
def test_refuses_what_could_never_happen(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFault, match=message):
        Fault(**wrong)


def test_holds_no_more_than_its_share() -> None:
    faults = Faults()
    for _ in range(MAX_FAULTS):
        faults.plant(Fault())
    with pytest.raises(BadFault, match="clear them first"):
        faults.plant(Fault())


def test_stays_in_its_organization(new_tenant: NewTenant) -> None:
    """Another organization with the same account and the same path meets nothing."""
    one, other = new_tenant(), new_tenant()
    one.organization.faults.plant(Fault(503, times=9))

    assert 200 == other.call("listAccounts").status_code
    assert 503 == one.call("listAccounts").status_code


def test_follows_the_organizations_clock(tenant: Tenant) -> None:
    """It is over at its instant, by the organization's own time."""
    clock = tenant.organization.clock
    tenant.organization.faults.plant(Fault(503, until=clock.now() + 60))
    statuses = []
    for _ in range(3):
        statuses.append(tenant.call("listAccounts").status_code)
        clock.advance(30)

    assert [503, 503, 200] == statuses


@pytest.mark.parametrize(
    ("status", "rule", "left"),
    [
        (401, "error.5xx-flat", (1_000, 50_000)),
        (429, "rate.minute", (1_000, 50_000)),
        (424, "error.424", (999, 49_999)),
        (418, "error.5xx-flat", (999, 49_999)),
        (599, "error.5xx-flat", (999, 49_999)),
    ],
)
def test_any_status(status: int, rule: str, left: tuple[int, int], tenant: Tenant) -> None:
    """401 and 429 stay free, whoever sends them."""
    planted = tenant.organization.faults.plant(Fault(status, retry_after=7))
    response = tenant.call("listAccounts")

    assert (status, "7") == (response.status_code, response.headers["Retry-After"])
    assert (rule, "fault") == (response.headers["X-Mock-Rule"], response.headers["X-Mock-Source"])
    assert planted.id == response.headers["X-Mock-Fault"]
    assert left == tenant.left


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "The API key is not valid."),
        (418, "I'm a Teapot."),
        (420, "The request is refused."),
        (424, "The account's session is lost; restore it first."),
        (429, "The organization's rate limit is used up."),
        (500, "OnlyFans could not be reached."),
    ],
)
def test_a_planted_failure_says_what_its_status_means(status: int, sentence: str) -> None:
    """Also where the status has no name, as 420; unless the fault says something itself."""
    assert sentence == Fault(status).sentence
    assert "Closed." == Fault(status, message="Closed.").sentence


def test_a_planted_failure_asks_nobody_to_wait(tenant: Tenant) -> None:
    """No page documents Retry-After; it comes where a test asks for it."""
    tenant.organization.faults.plant(Fault(429))

    assert "Retry-After" not in tenant.call("listAccounts").headers


def test_a_body_that_never_comes_is_awaited_once(tenant: Tenant) -> None:
    """Not again while a fault that may make it free lets requests in one by one: all others would wait too."""
    awaited: list[int] = []

    class Silent(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            awaited.append(size or 0)
            raise TimeoutError("timed out")

    tenant.organization.faults.plant(Fault(429, operation="createTag"))
    answer = tenant.client.post(
        "/v1/1001/tags",
        headers={"X-API-Key": tenant.key},
        content_type=JSON_TYPE,
        input_stream=Silent(b" " * 50),
    )

    assert 400 == answer.status_code
    assert [50] == awaited


def test_journal_names_the_fault(tenant: Tenant) -> None:
    planted = tenant.organization.faults.plant(Fault())
    tenant.call("listAccounts")
    tenant.call("listAccounts")

    assert [planted.id, None] == [exchange.fault for exchange in tenant.organization.journal]


def test_only_what_passes_the_gate_meets_it(tenant: Tenant) -> None:
    """A request that is refused anyway leaves the fault for the next one."""
    tenant.organization.faults.plant(Fault(503))
    forbidden = tenant.call("listAccounts", key=tenant.mint("api_tags_list"))

    assert 403 == forbidden.status_code
    assert 503 == tenant.call("listAccounts").status_code


# --- over the control API ----------------------------------------------------------------------------


def test_planted_over_http(control: Ask, tenant: Tenant) -> None:
    """An operation may be named by its route, a lifetime stands for an instant."""
    body = {"operation": "GET /v1/accounts", "lifetime": 60, "status": 503}
    planted = control("POST", "/faults", body).get_json()
    statuses = [tenant.call("listAccounts").status_code for _ in range(2)]
    tenant.organization.clock.advance(60)
    statuses.append(tenant.call("listAccounts").status_code)
    now = control("GET", f"/faults/{planted['id']}").get_json()

    assert ("listAccounts", None) == (planted["operation"], planted["times"])
    assert [503, 503, 200] == statuses
    assert ("over", 2) == (now["state"], now["uses"])
    assert [] == control("GET", "/faults?unused=true").get_json()["faults"]


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ({"operation": "listAcounts"}, "UnknownOperation", "did you mean listAccounts?"),
        ({"operation": "GET /v1/acounts"}, "UnknownOperation", "did you mean GET /v1/accounts?"),
        ({"path": "/v2/*"}, "UnknownOperation", "matches no path of the contract; the nearest is"),
        ({"until": "2020-01-01"}, "BadFault", "would be over already; it is 2026-01-31"),
        ({"lifetime": 0}, "BadFault", "would be over already"),
        ({"lifetime": 1, "until": "2030-01-01"}, "BadFault", "send one of them"),
        ({"until": "soon"}, "Misuse", "until: 'soon' is no ISO 8601 time"),
        ({"status": 200}, "BadFault", "between 400 and 599"),
    ],
)
def test_misuse(body: Any, kind: str, message: str, control: Ask) -> None:
    """What could never happen is refused with a sentence that says what could."""
    refused = control("POST", "/faults", body)

    assert (400, kind) == (refused.status_code, refused.headers["X-Mock-Misuse"])
    assert message in refused.get_json()["error"]
    assert [] == control("GET", "/faults").get_json()["faults"]
