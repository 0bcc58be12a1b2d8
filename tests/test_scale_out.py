"""Three mocks behind the example's nginx are one mock: each organization has one home, and exact windows."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import urllib3
from click.testing import CliRunner
from urllib3.util import Timeout

from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.cli import main
from mockserver.clock import Clock, parse_time
from mockserver.server import MockServer
from mockserver.testing import FansMetric

CONFIGURATION = Path(__file__).parent.parent / "examples" / "scale-out" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
"""Debian keeps it where only root looks."""

needs_nginx = pytest.mark.skipif(NGINX is None, reason="no nginx on this machine")

LIMIT = 20
ORGANIZATIONS = [f"flock-{number}" for number in range(29)] + ["with_under_score"]


@dataclass(frozen=True)
class Fleet:
    """The router's address, and the mocks behind it."""

    url: str
    apps: list[MockFlask]
    pool: urllib3.PoolManager

    def ask(self, method: str, path: str, headers: Any = None, body: Any = None) -> Any:
        """Return the answer to one request through the router."""
        data = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.pool.request(
            method, f"{self.url}{path}", headers=headers, body=data, retries=False
        )

    def homes(self, organization: str) -> list[MockFlask]:
        """Return the mocks whose journal of this organization isn't empty."""
        found = [(app, app.mock.world.organizations.get(organization)) for app in self.apps]
        return [app for app, one in found if one is not None and one.journal.total]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Start three mocks, whose time stands still, and nginx in front of them."""
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        apps = []
        homes = []
        for _ in range(3):
            clock = Clock()
            clock.freeze(parse_time("2026-01-31T10:20:30Z"))
            apps.append(create_app(clock=clock))
            homes.append(stack.enter_context(MockServer(apps[-1])).url.removeprefix("http://"))
        url = stack.enter_context(routed(folder, homes))
        pool = stack.enter_context(urllib3.PoolManager(maxsize=16, timeout=Timeout(total=60)))
        yield Fleet(url, apps, pool)


@contextmanager
def routed(folder: Path, homes: Sequence[str]) -> Iterator[str]:
    """Run nginx before the mocks at ``homes``, three times host and port; gives its address."""
    # Workers of another user couldn't write where only this one may.
    user = ["-g", "user root;"] if os.geteuid() == 0 else []
    file = folder / "nginx.conf"
    command = [str(NGINX), "-p", f"{folder}/", "-e", "nginx.log", "-c", str(file), *user]
    with socket.socket() as held:
        # Bound and not listening, it keeps the port for nginx, which reuses addresses too.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        router = f"127.0.0.1:{held.getsockname()[1]}"
        file.write_text(moved(CONFIGURATION.read_text(), [router, *homes]))
        started = subprocess.run(command, check=False, capture_output=True, text=True)
        assert 0 == started.returncode, started.stderr  # it returns when it listens
        try:
            yield f"http://{router}"
        finally:
            subprocess.run([*command, "-s", "stop"], check=True, capture_output=True)


def moved(text: str, addresses: Sequence[str]) -> str:
    """Return the configuration with these addresses in place of its own, in the order of their ports."""
    written = [f"127.0.0.1:{port}" for port in range(4010, 4014)]
    new = dict(zip(written, addresses, strict=True))
    # At once: one after the other, an address that was put in could be taken for one to replace.
    return re.sub(r"127\.0\.0\.1:\d+", lambda found: new[found[0]], text)


def made(fleet: Fleet, organization: str, **asked: Any) -> list[str]:
    """Make an organization through the router, with two keys; return them."""
    body = {"limit_minute": LIMIT, "keys": [{}, {}], **asked}
    answer = fleet.ask("PUT", f"/_mock/organizations/{organization}", body=body)
    assert 200 == answer.status, answer.data
    return [key["key"] for key in answer.json()["keys"]]


def presented(key: str, turn: int) -> dict[str, str]:
    """Return the header that presents ``key``, in one of the forms that the API knows."""
    forms = (
        {"Authorization": f"Bearer {key}"},
        {"X-API-Key": key},
        {"authorization": f"bearer {key}"},
    )
    return forms[turn % len(forms)]


def test_addresses_are_put_in_at_once() -> None:
    """A mock may get a port that begins like one of the configuration's."""
    addresses = ["127.0.0.1:38749", "127.0.0.1:40129", "127.0.0.1:40139", "127.0.0.1:40109"]

    text = moved(CONFIGURATION.read_text(), addresses)

    assert addresses[1:] + addresses[:1] == re.findall(r"127\.0\.0\.1:\d+", text)


@needs_nginx
def test_windows_are_exact_for_every_organization(fleet: Fleet) -> None:
    """Clients send half as many again as the window has, in parallel and mixed."""
    keys = {organization: made(fleet, organization) for organization in ORGANIZATIONS}
    turns = range(LIMIT + LIMIT // 2)
    calls = [(org, presented(keys[org][turn % 2], turn)) for turn in turns for org in ORGANIZATIONS]
    with ThreadPoolExecutor(16) as clients:
        answers = list(
            clients.map(fleet.ask, repeat("GET"), repeat("/v1/accounts"), [c[1] for c in calls])
        )
    left: dict[str, list[int]] = {organization: [] for organization in ORGANIZATIONS}
    for (organization, _), answer in zip(calls, answers, strict=True):
        if answer.status == 200:
            left[organization].append(answer.json()["_meta"]["_rate_limits"]["remaining_minute"])

    assert {200, 429} == {answer.status for answer in answers}
    for organization in ORGANIZATIONS:
        assert list(range(LIMIT)) == sorted(left[organization]), organization
        (home,) = fleet.homes(organization)
        assert len(turns) == home.mock.world.organizations[organization].journal.total
    assert 3 == len({id(fleet.homes(organization)[0]) for organization in ORGANIZATIONS})


@needs_nginx
def test_calls_of_the_control_api_find_the_organization(fleet: Fleet) -> None:
    for number in range(6):  # of which not all have the same home
        path = f"/_mock/organizations/heard-{number}"
        key = made(fleet, f"heard-{number}")[0]
        fleet.ask("POST", f"{path}/exhaust", body={"windows": ["minute"]})
        refused = fleet.ask("GET", "/v1/accounts", presented(key, number))
        fleet.ask("POST", f"{path}/clock", body={"advance": 60})
        passed = fleet.ask("GET", "/v1/accounts", presented(key, number + 1))
        exchanges = fleet.ask("GET", f"{path}/journal").json()["exchanges"]

        assert [429, 200] == [refused.status, passed.status]
        assert [429, 200] == [exchange["status"] for exchange in exchanges]
        assert 200 == fleet.ask("DELETE", path).status
        assert 404 == fleet.ask("GET", path).status


@needs_nginx
def test_seeded_keys_go_where_their_organization_is(fleet: Fleet) -> None:
    for key in ("fm_api_test_full", "fm_api_test_second", "fm_api_test_chats"):
        assert fleet.ask("GET", "/v1/1001/chats", presented(key, 1)).status in {200, 403}
    shown = fleet.ask("GET", "/_mock/organizations/lark/journal").json()
    (home,) = fleet.homes("lark")

    assert 3 == shown["total"] == home.mock.world.organizations["lark"].journal.total


@needs_nginx
def test_refusals_are_the_mocks(fleet: Fleet) -> None:
    """The router has no limit of its own, and the mock's time and diagnosis come through."""
    key = made(fleet, "refused")[0]
    heavy = fleet.ask("POST", "/v1/1001/chats/1/messages", presented(key, 0), "x" * 1_048_576)
    nobody = fleet.ask("GET", "/v1/accounts", {"X-API-Key": "fm_api_test_nobody"})

    assert [(413, "error.413"), (401, "auth.key-invalid")] == [
        (answer.status, answer.headers["X-Mock-Rule"]) for answer in (heavy, nobody)
    ]
    assert "Sat, 31 Jan 2026 10:20:30 GMT" == heavy.headers["Date"]
    assert 403 == fleet.ask("GET", "/_mock/organizations/lark", {"Host": "example.com"}).status


@needs_nginx
@pytest.mark.parametrize(
    "path", ["", "/", "/reset", "/clock", "/journal", "/organizations", "/organizations?limit=1"]
)
def test_what_concerns_every_mock_is_refused(path: str, fleet: Fleet) -> None:
    answer = fleet.ask("GET", f"/_mock{path}")

    assert 421 == answer.status
    assert "its own address" in answer.json()["error"]


@needs_nginx
def test_absent_mock_is_named(tmp_path: Path) -> None:
    """Nothing is sent to another mock instead."""
    with socket.socket() as absent:
        absent.bind(("127.0.0.1", 0))
        home = f"127.0.0.1:{absent.getsockname()[1]}"
        with routed(tmp_path, [home] * 3) as url:
            answer = urllib3.request("GET", f"{url}/v1/accounts", retries=False, timeout=60)

    assert (502, "application/json") == (answer.status, answer.headers["Content-Type"])
    assert ["error"] == list(answer.json())


@needs_nginx
def test_pytest_plugin_works_through_the_router(fleet: Fleet) -> None:
    with FansMetric.start(fleet.url) as fansmetric:
        for _ in range(6):
            organization = fansmetric.org(limit_minute=1)
            headers = {"X-API-Key": organization.key()}
            statuses = [fleet.ask("GET", "/v1/accounts", headers).status for _ in range(2)]

            assert [200, 429] == statuses
            assert 429 == organization.requests.last.status


def test_every_seeded_key_is_named() -> None:
    listed = json.loads(CliRunner().invoke(main, ["keys", "--json"]).output)
    named = re.findall(r"^ +(fm_api_test_\w+) (\w+);$", CONFIGURATION.read_text(), re.MULTILINE)

    assert [(key["key"], key["organization"]) for key in listed] == named
