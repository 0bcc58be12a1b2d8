"""The seeded world: what a fixture file gets wrong is refused in one line with file, key and remedy."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mockserver.clock import Clock, parse_time
from mockserver.contract import load_contract
from mockserver.data import default_fixtures
from mockserver.errors import FixtureError
from mockserver.fixtures import read_fixtures
from mockserver.world import World
from mockserver.yamlfile import load_yaml

if TYPE_CHECKING:
    from mockserver.contract import Contract

Edit = Callable[[dict[str, Any]], Any]

WORLD: dict[str, Any] = {
    "roles": {"full": ["*"], "tags": ["api_tags_list"], "read": {"methods": ["GET"]}},
    "organizations": [
        {
            "id": "lark",
            "accounts": [{"id": 1001, "name": "Lark"}],
            "keys": [
                {"key": "fm_api_one", "role": "full"},
                {"key": "fm_api_two", "role": "tags", "expires_in_days": 1},
            ],
        }
    ],
}
PLAN = {"collection": "tags", "count": 2, "record": {"id": {"$sequence": 11}, "name": "Espresso"}}


def write(directory: Path, world: Any = None, **collections: Any) -> Path:
    """Write a fixture directory."""
    (directory / "collections").mkdir(parents=True, exist_ok=True)
    (directory / "world.yaml").write_text(
        yaml.safe_dump(world or WORLD, sort_keys=False), encoding="utf-8"
    )
    for name, plan in collections.items():
        file = directory / "collections" / f"{name}.yaml"
        file.write_text(yaml.safe_dump(plan), encoding="utf-8")
    return directory


def first(world: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = world["organizations"][0]
    return found


BROKEN: dict[str, tuple[Edit, str]] = {
    "unknown-key": (lambda w: w.update(organisations=[]), "the file: "),
    "unknown-organization-key": (lambda w: first(w).update(limits=5), "organizations.0: "),
    "unknown-account-key": (lambda w: first(w)["accounts"][0].update(status="x"), "organizations.0.accounts.0: "),
    "unknown-key-key": (lambda w: first(w)["keys"][0].update(secret="x"), "organizations.0.keys.0: "),
    "no-roles": (lambda w: w.pop("roles"), "the file: "),
    "no-organizations": (lambda w: w.update(organizations=[]), "organizations: "),
    "no-id": (lambda w: first(w).pop("id"), "organizations.0: "),
    "no-keys": (lambda w: first(w).pop("keys"), "organizations.0: "),
    "dangling-role": (
        lambda w: first(w)["keys"][0].update(role="boss"),
        "key fm_api_one: there is no role boss; known are full, tags, read",
    ),
    "dangling-permission": (
        lambda w: w["roles"].update(tags=["api_tags_lists"]),
        "roles.tags: unknown permission api_tags_lists; `mockserver routes` lists them all",
    ),
    "unknown-method": (lambda w: w["roles"].update(read={"methods": ["FETCH"]}), "roles.read"),
    "key-twice": (
        lambda w: first(w)["keys"][1].update(key="fm_api_one"),
        "the key fm_api_one stands there twice",
    ),
    "organization-twice": (
        lambda w: w["organizations"].append(first(w) | {"keys": []}),
        "the organization id lark stands there twice",
    ),
    "account-twice": (
        lambda w: first(w)["accounts"].append({"id": 1001}),
        "the account id of lark 1001 stands there twice",
    ),
    "bad-key": (lambda w: first(w)["keys"][0].update(key="sk_one"), "organizations.0.keys.0.key: "),
    "key-that-no-header-carries": (lambda w: first(w)["keys"][0].update(key="fm_api_caf\u00e9"), "organizations.0.keys.0.key: "),
    "id-that-no-path-carries": (lambda w: first(w).update(id="la/rk"), "organizations.0.id: "),
    "bad-account-id": (lambda w: first(w)["accounts"][0].update(id="x"), "organizations.0.accounts.0.id: "),
    "bad-state": (lambda w: first(w)["accounts"][0].update(state="lost"), "organizations.0.accounts.0.state: "),
    "bad-subscription": (lambda w: first(w).update(subscription="paid"), "organizations.0.subscription: "),
    "bad-mode": (lambda w: first(w).update(mode="on"), "organizations.0.mode: "),
    "bad-limit": (lambda w: first(w).update(limit_minute=-1), "organizations.0.limit_minute: "),
    "bad-flag": (lambda w: first(w).update(rolling="yes"), "organizations.0.rolling: "),
    "bad-expiry": (lambda w: first(w)["keys"][0].update(expires_in_days="soon"), "organizations.0.keys.0.expires_in_days: "),
    "bad-seed": (lambda w: w.update(seed="x"), "seed: "),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_refuses_worlds(case: str, contract: Contract, tmp_path: Path) -> None:
    edit, message = BROKEN[case]
    world = copy.deepcopy(WORLD)
    edit(world)
    write(tmp_path, world)
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'world.yaml'}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        pytest.param(PLAN | {"amount": 3}, "the file: ", id="unknown-key"),
        pytest.param({"count": 3}, "the file: ", id="no-collection"),
        pytest.param(PLAN | {"count": -1}, "count: ", id="bad-count"),
        pytest.param(PLAN | {"scope": "world"}, "scope: ", id="bad-scope"),
        pytest.param(PLAN | {"record": []}, "record: ", id="bad-record"),
        pytest.param(PLAN | {"record": {"id": {"$guess": 1}}}, "id: $guess is no verb", id="bad-verb"),
        pytest.param(PLAN | {"records": [{"id": {"$sequence": "x"}}]}, "id: $sequence can't work with 'x'", id="bad-argument"),
        pytest.param(PLAN | {"record": {"id": {"$from": "nowhere.id"}}}, "id: there is no collection nowhere", id="dangling-collection"),
        pytest.param(PLAN | {"record": {"id": {"$ids": {"from": "nowhere.id", "count": 1}}}}, "id: there is no collection nowhere", id="dangling-ids"),
        pytest.param([], "the file: ", id="no-mapping"),
    ],
)  # fmt: skip
def test_refuses_plans(plan: Any, message: str, contract: Contract, tmp_path: Path) -> None:
    write(tmp_path, tags=plan)
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, tmp_path)

    assert str(caught.value).startswith(f"{tmp_path / 'collections' / 'tags.yaml'}: {message}")
    assert "\n" not in str(caught.value)


VAULT_LIST = {"id": 1, "name": "Shots"}
REFUSED_RECORDS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown-collection": ({"collection": "tracking_link"}, "collection: no operation of the contract works on a collection 'tracking_link'; the nearest is tracking_links"),
    "far-off-collection": ({"collection": "zzz"}, "collection: no operation of the contract works on a collection 'zzz'; the nearest is "),
    "no-list": ({"collection": "vault_lists", "records": [VAULT_LIST, VAULT_LIST | {"id": 2, "mediaIds": 5}]}, "records.1: mediaIds must be a list"),
    "no-fan": ({"collection": "chats", "records": [{"id": 1}]}, "records.0: lacks withUser.id, which every record of chats needs"),
    "no-id-of-a-fan": ({"collection": "chats", "count": 1, "record": {"withUser": {"name": "Flo"}}}, "record: lacks withUser.id, "),
    "id-in-text": ({"collection": "tags", "records": [{"id": 7}, {"id": "8"}]}, "records.1: id must be a whole number, got '8'"),
    "id-in-parts": ({"collection": "tags", "records": [{"id": 7.5}]}, "records.0: id must be a whole number, got 7.5"),
    "id-of-truth": ({"collection": "tags", "records": [{"id": True}]}, "records.0: id must be a whole number, got True"),
    "no-date": ({"collection": "mass_message_queue", "records": [{"id": 1, "text": "t", "date": None}]}, "records.0: lacks date, "),
    "id-twice": ({"collection": "tags", "records": [{"id": 7}, {"id": 8}, {"id": 7}]}, "records: the id 7 stands there twice"),
    "id-in-the-sequence": ({"collection": "tags", "records": [{"id": 12}], "count": 2, "record": {"id": {"$sequence": 11}}}, "records: the id 12 stands there twice"),
    "one-id-for-all": ({"collection": "tags", "count": 2, "record": {"id": 5}}, "records: the id 5 stands there twice"),
}  # fmt: skip


def test_whole_numbers_are_integers(contract: Contract, tmp_path: Path) -> None:
    """JSON Schema takes 5.0 for an integer, and clients would be told 4.0."""
    world = copy.deepcopy(WORLD)
    first(world).update(limit_minute=5.0, accounts=[{"id": 1001.0}])
    write(tmp_path, world)
    (organization,) = read_fixtures(contract, tmp_path).organizations

    assert "5" == str(organization.limit_minute)
    assert "1001" == str(organization.accounts[0].id)


def assert_refused(contract: Contract, root: Path, file: str, message: str) -> None:
    """Assert that the fixtures in ``root`` are refused in one line that begins with the file and ``message``."""
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, root)

    assert str(caught.value).startswith(f"{root / file}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", REFUSED_RECORDS)
def test_refuses_records(case: str, contract: Contract, tmp_path: Path) -> None:
    """What would fail at the first read, or never be read, is refused at the start."""
    plan, message = REFUSED_RECORDS[case]
    write(tmp_path, x=plan)

    assert_refused(contract, tmp_path, "collections/x.yaml", message)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("tags.yaml", "isn't read here; put it into collections/"),
        ("collections/tags.yml", "isn't read under this name; call it tags.yaml"),
        ("collections/tags.YAML", "isn't read under this name; call it tags.yaml"),
        ("collections/tags.json", "isn't read under this name; call it tags.yaml"),
        ("organizations/org.yml", "isn't read under this name; call it org.yaml or org.json"),
        ("collection/tags.yaml", "isn't read; the folders of fixtures are collections and organizations, the nearest is collections"),
        ("Organisations/org.json", "isn't read; the folders of fixtures are collections and organizations, the nearest is organizations"),
    ],
)  # fmt: skip
def test_refuses_what_would_be_passed_over(
    place: str, message: str, contract: Contract, tmp_path: Path
) -> None:
    write(tmp_path)
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text("{}", encoding="utf-8")
    read = (tmp_path, tmp_path / "collections", tmp_path / "organizations")
    named = file if file.parent in read else file.parent
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, tmp_path)

    assert f"{named}: {message}" == str(caught.value)


def test_names_the_world_that_has_another_suffix(contract: Contract, tmp_path: Path) -> None:
    write(tmp_path)
    file = (tmp_path / "world.yaml").rename(tmp_path / "world.yml")
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, tmp_path)

    assert f"{file}: isn't read under this name; call it world.yaml" == str(caught.value)


def test_leaves_other_files_alone(contract: Contract, tmp_path: Path) -> None:
    """Fixtures may stand beside a team's notes and scripts, and take values from helpers of their own."""
    helper = {"collection": "names", "records": [{"name": "Flo"}]}
    tags = {"collection": "tags", "records": [{"id": 1, "name": {"$from": "names.name"}}]}
    write(tmp_path, names=helper, tags=tags)
    (tmp_path / "collections" / "README.md").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.json").touch()
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "make.sh").touch()

    assert {"names", "tags", "user_lists"} == set(read_fixtures(contract, tmp_path).plans)


STATE: dict[str, Any] = {
    "state": 1,
    "organization": {"id": "saved", "accounts": [{"id": 5}]},
    "born": "2026-01-31T00:00:00Z",
}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ({"5": {"chats": [{"id": 1}]}}, "records.5.chats.0: lacks withUser.id, which every record of chats needs"),
        ({"shared": {"tags": [{"id": 1}, {"id": 1}]}}, "records.shared.tags: the id 1 stands there twice"),
        ({"5": {"chat": []}}, "records.5: no operation of the contract works on a collection 'chat'; the nearest is chats"),
    ],
    ids=["lacking", "id-twice", "unknown"],
)  # fmt: skip
def test_refuses_records_of_states(
    records: dict[str, Any], message: str, contract: Contract, tmp_path: Path
) -> None:
    write(tmp_path)
    file = tmp_path / "organizations" / "saved.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(STATE | {"records": records}), encoding="utf-8")
    with pytest.raises(FixtureError) as caught:
        read_fixtures(contract, tmp_path)

    assert f"{file}: {message}" == str(caught.value)


def test_refuses_two_plans_for_one_collection(contract: Contract, tmp_path: Path) -> None:
    write(tmp_path, a=PLAN, b=PLAN)
    with pytest.raises(FixtureError, match=r"b\.yaml: collection: tags is filled by .*a\.yaml"):
        read_fixtures(contract, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"roles: [", "not valid YAML: "),
        (b"\xff\x00", "not valid YAML: "),
        (b"roles: {}\nroles: {}\n", "not valid YAML: the key 'roles' stands here twice"),
        (b"", "the file: "),
        (b"5", "the file: "),
    ],
    ids=["cut", "binary", "key-twice", "empty", "number"],
)
def test_refuses_what_is_no_world(
    text: bytes, message: str, contract: Contract, tmp_path: Path
) -> None:
    (tmp_path / "world.yaml").write_bytes(text)

    assert_refused(contract, tmp_path, "world.yaml", message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "is no directory; fixtures are a directory with world.yaml"),
        ("file", "is no directory"),
        ("empty", "can't be read"),
    ],
)
def test_refuses_what_it_cannot_read(
    path: str, message: str, contract: Contract, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(FixtureError, match=message):
        read_fixtures(contract, tmp_path / path)


def everything(world: World) -> dict[str, Any]:
    """Return all that a caller could ever see of a world."""
    found: dict[str, Any] = {
        key.secret: (key.organization.id, sorted(key.role.permissions), key.expires)
        for key in world.keys.values()
    }
    for organization in world.organizations.values():
        for account in organization.accounts.values():
            for name in world.seed.plans:
                records = list(account.collection(name).records())
                found[f"{organization.id}/{account.id}/{name}"] = records
    return found


def world_at(contract: Contract, moment: str, directory: Path | None = None) -> World:
    clock = Clock()
    clock.freeze(parse_time(moment))
    return World(read_fixtures(contract, directory), contract.permissions, clock)


def test_same_seed_same_world(contract: Contract) -> None:
    """Whoever builds the world, at whatever hour of the day, gets the same ids and timestamps."""
    one = world_at(contract, "2026-01-31T08:00:00Z")
    two = world_at(contract, "2026-01-31T08:00:00Z")
    records = everything(one)

    assert records == everything(two)
    two.organizations["lark"].accounts[1001].collection("tags").add({"id": 99})
    two.organizations["lark"].accounts[1001].collection("fans").remove([0])
    two.reset()
    assert records == everything(two)


def test_other_seed_other_world(contract: Contract, tmp_path: Path) -> None:
    """The number in `world.yaml` changes what chance decides, and no id."""
    shutil.copytree(default_fixtures(), tmp_path / "fixtures")
    file = tmp_path / "fixtures" / "world.yaml"
    world = load_yaml(file.read_bytes())
    file.write_text(yaml.safe_dump(world | {"seed": 2}), encoding="utf-8")
    moment = "2026-01-31T08:00:00Z"
    one, two = world_at(contract, moment), world_at(contract, moment, tmp_path / "fixtures")
    links = [
        w.organizations["lark"].accounts[1001].collection("tracking_links") for w in (one, two)
    ]

    assert [r["id"] for r in links[0].records()] == [r["id"] for r in links[1].records()]
    assert list(links[0].records()) != list(links[1].records())


def test_minimal_world(contract: Contract, tmp_path: Path) -> None:
    """What a fixture leaves out has its default."""
    seed = read_fixtures(contract, write(tmp_path, tags=PLAN))
    (organization,) = seed.organizations
    reading = {op.permission for op in contract if op.method == "GET" and op.permission}

    assert ("active", 1_000, 50_000, "enforce", False) == (
        organization.subscription,
        organization.limit_minute,
        organization.limit_day,
        organization.mode,
        organization.rolling,
    )
    assert reading == seed.roles["read"].permissions
    assert [None, 86_400] == [key.expires_in for key in seed.keys]
    assert ["tags", "user_lists"] == list(seed.plans)


def test_seeded_world_shows_every_refusal(contract: Contract) -> None:
    """A new user finds a key for each case."""
    seed = read_fixtures(contract)
    accounts = [account for o in seed.organizations for account in o.accounts]

    assert {"active", "none", "past_due"} == {str(o.subscription) for o in seed.organizations}
    assert {"connected", "sync_lost"} == {str(account.state) for account in accounts}
    assert any(o.limit_minute < 10 for o in seed.organizations)
    assert any(key.revoked for key in seed.keys)
    assert any((key.expires_in or 0) < 0 for key in seed.keys)
    assert all(key.note for key in seed.keys)
    assert any(
        len(seed.roles[key.role].permissions) < len(contract.permissions) for key in seed.keys
    )


def test_every_seeded_collection_is_used(contract: Contract) -> None:
    """No collection is filled for nobody, and each that an operation names is filled."""
    named = {op.resource.collection for op in contract if op.resource.collection}
    parents = {
        op.resource.options["parent"]["collection"]
        for op in contract
        if "parent" in op.resource.options
    }

    assert set() == (named | parents) - set(read_fixtures(contract).plans)


def test_packaged_world_serves_a_smaller_contract(contract: Contract, tmp_path: Path) -> None:
    """Its roles grant what there is."""
    path = "/v1/{account_id}/tags"
    file = tmp_path / "openapi.yaml"
    file.write_text(
        yaml.safe_dump({**contract.document, "paths": {path: contract.document["paths"][path]}})
    )

    roles = read_fixtures(load_contract(file)).roles

    assert [{"*"}, {"api_tags_list"}, set()] == [
        roles[name].permissions for name in ("full", "read-only", "chats")
    ]
