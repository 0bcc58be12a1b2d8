"""An organization's state as a document: dumped, loaded, and served from a fixture file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from werkzeug.test import Client

from mockserver import create_app
from mockserver.clock import Clock, parse_time
from mockserver.contract import load_contract
from mockserver.data import default_fixtures
from mockserver.errors import BadState, FixtureError, Misuse, UnknownPermission
from mockserver.seeds import AccountSeed, OrganizationSeed, OrganizationState, Saved, Subscription
from mockserver.state import dump, read
from mockserver.world import World

if TYPE_CHECKING:
    from mockserver.app import MockFlask
    from mockserver.organizations import Organization
    from tests.conftest import Tenant
    from tests.toolkit.conftest import Ask

NEXT_DAY = "2026-02-01T09:00:00Z"


@pytest.fixture
def lived(tenant: Tenant) -> Tenant:
    """Return an organization to which a lot has happened."""
    tenant.call("createTrackingLink", body={"name": "Rye and cardamom"})
    tenant.call("deleteUserList")
    tenant.mint("api_tags_list", revoked=True, note="old")
    tenant.mint("api_accounts_list", expires=tenant.organization.clock.now() + 3_600)
    organization = tenant.organization
    organization.accounts[1001].lose_sync()
    organization.subscription = Subscription.PAST_DUE
    organization.windows.set_limits(minute=50)
    organization.clock.advance(90)
    tenant.call("listAccounts")
    return tenant


def seen(organization: Organization) -> Mapping[str, Any]:
    """Return what can be seen of an organization, its keys' secrets and its id apart."""
    state = dump(organization, whole=True)
    state["organization"].pop("id")
    state["keys"] = [{**key, "key": "", "role": ""} for key in state["keys"]]
    return state


def test_loaded_elsewhere_it_is_the_same(lived: Tenant) -> None:
    """Through JSON, into another mock whose clock says another day: records, windows, keys and all."""
    text = json.dumps(dump(lived.organization, freeze=True))
    clock = Clock()
    clock.freeze(parse_time(NEXT_DAY))
    other = create_app(clock=clock).mock.world
    loaded = other.load_organization(read(json.loads(text), load_contract()))
    now = lived.organization.clock.now()
    lived.organization.clock.freeze()

    assert now == loaded.clock.now()
    assert [k.secret for k in lived.world.keys_of(lived.organization)] == [
        k.secret for k in other.keys_of(loaded)
    ]
    assert {**seen(lived.organization), "clock": None} == {**seen(loaded), "clock": None}


def test_holds_what_was_written_only(lived: Tenant) -> None:
    """The rest is made again from the day's seed, so a document stays small."""
    records = dump(lived.organization)["records"]
    written = {"tracking_links", "user_lists", "mass_message_queue"}  # the deleted list left it

    assert {"1001": written} == {k: set(v) for k, v in records.items()}
    assert len(dump(lived.organization, whole=True)["records"]["1001"]) > 10


def test_what_is_left_out_is_as_in_a_new_organization() -> None:
    """A state may be written by hand: its limits, its clock and its windows are those that anybody begins with."""
    saved = read(broken({}), load_contract())
    born = parse_time("2026-01-31T00:00:00Z")
    fresh = OrganizationSeed("saved", accounts=(AccountSeed(1001),), state=OrganizationState(born))

    assert Saved(fresh) == saved


def test_windows_that_ended_are_not_dumped_as_used(tenant: Tenant) -> None:
    """Nobody has asked since the minute ended, and the document knows that it did."""
    tenant.call("listAccounts")
    before = dump(tenant.organization)["windows"]
    tenant.organization.clock.advance(60)
    after = dump(tenant.organization)["windows"]

    assert (1, 1) == (before["minute"]["used"], before["day"]["used"])
    assert (0, 1) == (after["minute"]["used"], after["day"]["used"])


def test_loads_over_http_for_a_second_organization(control: Ask, lived: Tenant) -> None:
    """One document serves many organizations, each with keys of its own."""
    document = control("GET", "/state").get_json()
    copy = control("POST", "-copy/state?new_keys=true", document).get_json()
    loaded = lived.world.organization(copy["id"])
    lived.world.remove_organization(copy["id"])

    assert seen(lived.organization) == seen(loaded)
    assert len(copy["keys"]) == len(document["keys"])
    assert {k["key"] for k in copy["keys"]}.isdisjoint(k["key"] for k in document["keys"])


def test_loading_replaces_and_reset_returns_to_it(control: Ask, lived: Tenant) -> None:
    document = control("GET", "/state").get_json()
    before = seen(lived.organization)
    lived.organization.subscription = Subscription.ACTIVE
    control("POST", "/state", document)
    loaded = seen(lived.organization)
    lived.call("listAccounts")
    control("POST", "/reset")

    assert before == loaded == seen(lived.organization)
    assert "past_due" == control("GET", "").get_json()["subscription"]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_served_from_a_fixture_file(form: str, control: Ask, lived: Tenant, tmp_path: Path) -> None:
    """The saved answer, put beside the fixtures, is seeded like any other organization."""
    fixtures = tmp_path / "fixtures"
    shutil.copytree(default_fixtures(), fixtures)
    (fixtures / "organizations").mkdir()
    saved = control("GET", f"/state?format={form}&freeze=true").get_data()
    (fixtures / "organizations" / f"lived.{form}").write_bytes(saved)
    served = create_app(fixtures)
    key = {"X-API-Key": lived.key}
    refused = Client(served.wsgi_app).get("/v1/1001/tracking-links", headers=key)
    organization = served.mock.world.organization(lived.id)

    assert 402 == refused.status_code
    assert "Rye and cardamom" in repr(organization.accounts[1001].records())


def test_yaml_repeats_what_records_share(control: Ask, tenant: Tenant) -> None:
    """A reader of the file finds each record whole, and no anchors."""
    for text in ("Light roast", "Dark roast"):
        tenant.data("sendMessage", body={"text": text})
    saved = control("GET", "/state?format=yaml").get_data().decode()
    messages = yaml.safe_load(saved)["records"]["1001"]["messages"]

    assert ["Light roast", "Dark roast"] == [message["text"] for message in messages[-2:]]
    assert [] == [event for event in yaml.parse(saved) if isinstance(event, yaml.AliasEvent)]


def test_yaml_loads_too(control: Ask, lived: Tenant) -> None:
    text = control("GET", "/state?format=yaml").get_data()
    before = seen(lived.organization)
    loaded = control("POST", "/state", data=text, content_type="application/yaml")

    assert 200 == loaded.status_code
    assert before == seen(lived.organization)
    assert lived.id == yaml.safe_load(text)["organization"]["id"]


def broken(change: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "state": 1,
        "organization": {"id": "saved", "accounts": [{"id": 1001}]},
        "born": "2026-01-31",
    }
    return {**plain, **change}


WRONG: dict[str, tuple[Mapping[str, Any], type[Misuse], str]] = {
    "form": ({"state": 2}, BadState, "state: 1 was expected"),
    "member": ({"colour": "red"}, BadState, "'colour' was unexpected"),
    "born": ({"born": "once"}, BadState, "born: 'once' is no ISO 8601 time"),
    "frozen": ({"clock": {"frozen": "x"}}, BadState, "clock.frozen: 'x' is no ISO 8601 time"),
    "account": ({"records": {"7": {"tags": []}}}, BadState, "the organization has no account 7"),
    "collection": (
        {"records": {"1001": {"tag": []}}},
        BadState,
        "records.1001: no operation of the contract works on a collection 'tag'; the nearest is tags",
    ),
    "record": (
        {"records": {"1001": {"tags": [1]}}},
        BadState,
        "records.1001.tags.0: 1 is not of type",
    ),
    "key": ({"keys": [{"key": "x", "permissions": []}]}, BadState, "keys.0.key:"),
    "permission": (
        {"keys": [{"key": "fm_api_x", "permissions": ["api_tea"]}]},
        UnknownPermission,
        "unknown permission api_tea",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_says_what_is_wrong(case: str, tenant: Tenant, tmp_path: Path) -> None:
    """The member is named, and in a fixture file the file too."""
    change, kind, message = WRONG[case]
    with pytest.raises(kind, match=message):
        read(broken(change), load_contract())
    fixtures = tmp_path / "fixtures"
    shutil.copytree(default_fixtures(), fixtures)
    (fixtures / "organizations").mkdir()
    (fixtures / "organizations" / "wrong.json").write_text(json.dumps(broken(change)))
    with pytest.raises(FixtureError, match=rf"wrong\.json: .*{message}"):
        create_app(fixtures)


def test_keys_of_others_are_not_taken(control: Ask, tenant: Tenant) -> None:
    """Loaded under another id without new keys, the document would take keys away: 409, nothing changes."""
    document = control("GET", "/state").get_json()
    refused = control("POST", "-copy/state", document)

    assert (409, "Taken") == (refused.status_code, refused.headers["X-Mock-Misuse"])
    assert "ask for new keys" in refused.get_json()["error"]
    assert 200 == tenant.call("listAccounts").status_code


@pytest.mark.parametrize("name", ["keys", "accounts"])
def test_a_refused_state_replaces_nothing(name: str, control: Ask, tenant: Tenant) -> None:
    """What stands there twice is refused before the old organization goes."""
    tenant.mint("api_tags_list")
    document = control("GET", "/state").get_json()
    entries = document["keys"] if name == "keys" else document["organization"]["accounts"]
    entries.append(entries[0])
    before = dump(tenant.organization)
    refused = control("POST", "/state", document)

    assert (400, True) == (refused.status_code, "twice" in refused.get_json()["error"])
    assert before == dump(tenant.world.organization(tenant.id))
    assert "fm_api" not in refused.get_data(as_text=True)


@pytest.mark.parametrize("shift", [-1e10, 124_018_819_200])
def test_a_clock_stays_within_its_years(shift: float, control: Ask, tenant: Tenant) -> None:
    """Beyond them, no answer could be dated, and what is dumped could not be loaded."""
    document = control("GET", "/state").get_json()
    before = dump(tenant.organization)
    refused = control("POST", "/state", document | {"clock": {"shift": shift}})

    assert (400, "BadState") == (refused.status_code, refused.headers["X-Mock-Misuse"])
    assert "clock.shift" in refused.get_json()["error"]
    assert before == dump(tenant.organization)


def test_a_reset_that_fails_changes_nothing(tenant: Tenant) -> None:
    """The world's clock was moved to where that of a saved organization can't follow."""
    saved = read(dump(tenant.organization) | {"clock": {"shift": 9e10}}, load_contract())
    world = World(replace(tenant.world.seed, saved=(saved,)), tenant.world.permissions)
    before = dict(world.organizations), dict(world.keys)
    world.clock.advance(9e10)
    with pytest.raises(BadState):
        world.reset()

    assert before == (world.organizations, world.keys)
    assert world.add_key(world.organization("lark")).secret in world.keys


def test_a_key_from_before_takes_none_from_after_away(tenant: Tenant) -> None:
    """Who got hold of a key before a state was loaded removes nothing that came with the state."""
    world, organization = tenant.world, tenant.organization
    stale = world.keys[tenant.key]
    loaded = world.load_organization(read(dump(organization), load_contract()))
    world.remove_key(stale)

    assert loaded is world.keys[tenant.key].organization
    world.remove_organization(tenant.id)
    assert tenant.key not in world.keys


def test_roles_keep_their_names(tenant: Tenant) -> None:
    document = dump(tenant.organization)
    document["keys"][0]["role"] = "editor"
    loaded = tenant.world.load_organization(
        read(document, load_contract()), "renamed", new_keys=True
    )
    tenant.world.remove_organization("renamed")

    assert "editor" == dump(loaded)["keys"][0]["role"]


def test_refuses_an_id_that_no_organization_may_have(app: MockFlask, control: Ask) -> None:
    """A saved state is loaded under the ids that organizations are made with."""
    state = control("GET", "/state?format=json").json
    client = Client(app.wsgi_app)
    local = {"REMOTE_ADDR": "127.0.0.1"}
    answer = client.post("/_mock/organizations/%C2%84/state", json=state, environ_base=local)

    assert (400, "Misuse") == (answer.status_code, answer.headers["X-Mock-Misuse"])
    assert "\x84" not in app.mock.world.organizations
