"""One clock for everything: the world's, and each organization's own over it."""

from __future__ import annotations

from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from freezegun import freeze_time
from werkzeug.test import Client

from mockserver.clock import TimeReversed, parse_time

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.server import MockServer
    from tests.conftest import NewTenant, Tenant
    from tests.toolkit.conftest import Ask

KEY = {"X-API-Key": "fm_api_test_full"}


def test_the_date_header_follows_the_organization(new_tenant: NewTenant) -> None:
    """Two organizations, one server, two dates; refusals have the date too."""
    one, other = new_tenant(), new_tenant()
    one.organization.clock.advance(3 * 3_600)
    dates = [tenant.call("listAccounts").headers["Date"] for tenant in (one, other)]
    refused = one.call("listAccounts", key=one.mint("api_tags_list")).headers["Date"]

    assert ["Sat, 31 Jan 2026 15:00:30 GMT", "Sat, 31 Jan 2026 12:00:30 GMT"] == dates
    assert dates[0] == refused


def test_answers_to_nobody_have_the_worlds_date(app: MockFlask) -> None:
    client = Client(app.wsgi_app)
    dates = {
        client.get(path).headers["Date"] for path in ("/v1/accounts", "/v1/nowhere", "/health")
    }

    assert {"Sat, 31 Jan 2026 12:00:30 GMT"} == dates


def test_one_date_header_over_http(server: MockServer, tenant: Tenant) -> None:
    """The server doesn't add its own."""
    tenant.organization.clock.advance(60)
    parts = urlsplit(server.url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", "/v1/accounts", headers={"X-API-Key": tenant.key})
    dates = connection.getresponse().headers.get_all("Date")
    connection.close()

    assert ["Sat, 31 Jan 2026 12:01:30 GMT"] == dates


def test_the_worlds_clock_moves_all(own_app: MockFlask) -> None:
    """Each organization keeps its own shift; one that is frozen stays where it stands."""
    client = own_app.test_client()
    world = own_app.mock.world
    world.clock.freeze(parse_time("2026-01-31T12:00:00Z"))
    lark, alder, wren = (world.organization(id) for id in ("lark", "alder", "wren"))
    alder.clock.advance(30)
    wren.clock.freeze()
    moved = client.post("/_mock/clock", json={"advance": 60}).get_json()
    own = client.get("/_mock/organizations/alder/clock").get_json()
    noon = parse_time("2026-01-31T12:00:00Z")

    assert {"now": "2026-01-31T12:01:00+00:00", "mode": "frozen"} == moved
    assert [noon + 60, noon + 90, noon] == [o.clock.now() for o in (lark, alder, wren)]
    assert ("shifted", "frozen") == (own["mode"], own["world"])


def test_a_fresh_organization_may_begin_in_the_past(control: Ask, tenant: Tenant) -> None:
    """Before its first answer the scene may be set anywhere; afterwards time only moves forward, or stands."""
    early = control("POST", "/clock", {"freeze": "2020-05-05T10:00:00Z"})
    tenant.call("listAccounts")
    later, same = (control("POST", "/clock", {"freeze": "2020-05-05T11:00:00Z"}) for _ in range(2))
    back = control("POST", "/clock", {"freeze": "2020-05-05T10:30:00Z"})

    assert [200] * 3 == [answer.status_code for answer in (early, later, same)]
    assert (400, "TimeReversed") == (back.status_code, back.headers["X-Mock-Misuse"])
    assert f"the clock of {tenant.id} says 2020-05-05T11:00:00+00:00" in back.get_json()["error"]
    assert "reset the organization to begin earlier" in back.get_json()["error"]


def test_reset_may_begin_earlier(control: Ask, tenant: Tenant) -> None:
    tenant.organization.clock.advance(3_600)
    tenant.call("listAccounts")
    control("POST", "/reset")

    assert 200 == control("POST", "/clock", {"freeze": "2020-05-05"}).status_code


@pytest.mark.parametrize(
    ("path", "body"), [("/clock", {"advance": 1}), ("/faults", {"lifetime": 1})]
)
def test_time_ends_with_the_year_5899(path: str, body: Any, control: Ask) -> None:
    """Later ones could not all be written; whatever leads there is refused and changes nothing."""
    end = control("POST", "/clock", {"freeze": "5899-12-31T23:59:59Z"}).get_json()
    refused = control("POST", path, body)
    within = control("POST", path, dict.fromkeys(body, 0.5))

    assert 400 == refused.status_code
    assert "time ends with the year 5899" in refused.get_json()["error"]
    assert (200, end) == (within.status_code, control("GET", "/clock").get_json())


def test_the_world_never_goes_back_either(own_app: MockFlask) -> None:
    client, world = own_app.test_client(), own_app.mock.world
    world.freeze(parse_time("2030-01-01T00:00:00Z"))
    client.get("/v1/accounts", headers=KEY)
    with pytest.raises(TimeReversed, match="reset the world to begin earlier"):
        world.freeze(parse_time("2029-01-01T00:00:00Z"))
    refused = client.post("/_mock/clock", json={"advance": -1})

    assert (400, "TimeReversed") == (refused.status_code, refused.headers["X-Mock-Misuse"])
    world.reset()
    world.freeze(parse_time("2029-01-01T00:00:00Z"))


def test_freezegun_moves_windows_and_faults(own_app: MockFlask) -> None:
    """A test that freezes time in the mock's own process moves every running clock."""
    client = own_app.test_client()
    with freeze_time("2026-03-03T10:00:00Z") as frozen:
        made = client.post(
            "/_mock/organizations", json={"limit_minute": 1, "keys": [{}], "id": "still"}
        ).get_json()
        client.post("/_mock/organizations/still/faults", json={"lifetime": 60, "status": 503})
        key = {"X-API-Key": made["keys"][0]["key"]}
        statuses = [client.get("/v1/accounts", headers=key).status_code for _ in range(2)]
        frozen.tick(60)
        last = client.get("/v1/accounts", headers=key)

    assert [503, 429, 200] == [*statuses, last.status_code]
    assert "Tue, 03 Mar 2026 10:01:00 GMT" == last.headers["Date"]
