"""What every test starts from: the contract, one application, and an organization of its own."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from flask.testing import FlaskClient

from mockserver import create_app
from mockserver.clock import Clock, parse_time
from mockserver.contract import Contract, Operation, Schemas, load_contract
from mockserver.envelope import JSON_TYPE
from mockserver.roles import ALL
from mockserver.seeds import AccountSeed, AccountState, OrganizationSeed
from mockserver.server import MockServer
from mockserver.testing.proxies import exceptions
from mockserver.windows import Headroom

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from mockserver.organizations import Organization
    from mockserver.world import World

NOW = "2026-01-31T12:00:30Z"
"""Where the shared application's clock stands, so that no test depends on its day."""
HEALTHY, SYNC_LOST = 1001, 1003
"""The accounts of each test's organization; the contract's examples name the healthy one."""

_ACCOUNTS = (
    AccountSeed(HEALTHY, name="Lark Espresso", username="lark_espresso"),
    AccountSeed(1002, name="Lark Filter", username="lark_filter"),
    AccountSeed(SYNC_LOST, AccountState.SYNC_LOST, "Lark Decaf", "lark_decaf"),
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that ties a test to the catalogue; no proxy stands between tests and their servers."""
    os.environ.update(exceptions())
    config.addinivalue_line(
        "markers",
        "shows(*rules): the rules that the test shows;"
        " its argument `operation` takes every operation that all of them apply to",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with an `operation` once for each operation in the scope of the rules it shows."""
    tables = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "operation" not in metafunc.fixturenames or any("operation" in names for names in tables):
        return
    shown = [rule for mark in metafunc.definition.iter_markers("shows") for rule in mark.args]
    found = [op for op in load_contract() if all(op.in_scope(rule.applies) for rule in shown)]
    assert shown, f"{metafunc.definition.nodeid} takes an operation and names no rule"
    assert found, f"no operation is in the scope of {[rule.id for rule in shown]}"
    metafunc.parametrize("operation", found, ids=[op.id for op in found])


@dataclass(frozen=True, slots=True)
class Sample:
    """A request for one operation, valid as `sample_of` makes it."""

    operation: Operation
    path_arguments: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any = None
    data: bytes | None = None
    """The body's bytes, where they aren't simply ``body`` as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The path and the query, encoded."""
        path = self.operation.path
        for name, value in self.path_arguments.items():
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return f"{path}?{urlencode(self.query, doseq=True)}" if self.query else path

    @property
    def payload(self) -> bytes:
        """The body's bytes."""
        if self.data is not None:
            return self.data
        return b"" if self.body is None else json.dumps(self.body).encode()

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers, with the body's type where there is a body and no other type was asked for."""
        typed = {"Content-Type": JSON_TYPE} if self.payload else {}
        return {**typed, **self.headers}


def sample_of(operation: Operation, **changes: Any) -> Sample:
    """Return the request that the contract's examples make, with `changes` of it.

    `path_arguments`, `query` and `headers` are laid over the example's, `body` and `data` replace it.
    """
    query = {p.name: p.example for p in operation.query_parameters if p.required}
    path = {p.name: p.example for p in operation.path_parameters}
    return Sample(
        operation,
        path | changes.pop("path_arguments", {}),
        query | changes.pop("query", {}),
        **{"body": operation.body_example, **changes},
    )


class Checker:
    """Fails the test at any response, wanted or not, that the contract doesn't allow."""

    def __init__(self, contract: Contract) -> None:
        self._schemas = Schemas(contract.document)
        # Routes with fewer parameters first: `/v1/accounts` is no account's page.
        paths = sorted({op.path for op in contract}, key=lambda path: path.count("{"))
        self._routes = {path: re.compile(re.sub(r"{\w+}", "[^/]+", path)) for path in paths}
        self._operations = {(op.method, op.path): op for op in contract}

    def check(
        self, method: str, path: str, status: int, headers: Headers | Mapping[str, str], body: Any
    ) -> None:
        """Check one response, whose ``body`` is decoded."""
        assert headers["Content-Type"] == JSON_TYPE
        if method == "HEAD":
            return
        if status >= 400:
            assert list(body) == ["error"], f"{method} {path}: not flat: {body}"
            assert isinstance(body["error"], str)
            assert body["error"]
        operation = self._operation(method, path)
        if operation is None:
            return
        if headers.get("X-Mock-Source") != "fault":
            assert status in operation.statuses
        if status == 200:
            self._schemas.check(operation.success, body)

    def _operation(self, method: str, path: str) -> Operation | None:
        template = next((t for t, route in self._routes.items() if route.fullmatch(path)), "")
        return self._operations.get((method, template))


CHECKER = "checker"
"""Where an application keeps its checker."""


class CheckedClient(FlaskClient):
    """Flask's test client, with every response checked against the contract."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        sent = response.request
        body = None if sent.method == "HEAD" else response.get_json()
        checker: Checker = self.application.extensions[CHECKER]
        checker.check(sent.method, sent.path, response.status_code, response.headers, body)
        return response


class Tenant:
    """An organization that belongs to one test, and what the test does with it."""

    def __init__(self, app: MockFlask, **seed: Any) -> None:
        self.world: World = app.mock.world
        self.contract: Contract = app.mock.contract
        self.checker: Checker = app.extensions[CHECKER]
        """For answers that come over a socket; the client's are checked already."""
        self.client = app.test_client()
        self.id = self.world.mint_id()
        self.world.add_organization(
            OrganizationSeed(**{"accounts": _ACCOUNTS, "id": self.id} | seed)
        )
        self.key = self.mint()

    @property
    def organization(self) -> Organization:
        """The organization as it is now; a reset replaces it."""
        return self.world.organization(self.id)

    def mint(self, *permissions: str, **options: Any) -> str:
        """Return a new key with exactly ``permissions``, or with all of them."""
        return self.world.add_key(self.organization, permissions or (ALL,), **options).secret

    def mint_without(self, operation: Operation) -> str:
        """Return a new key with every permission but the one that ``operation`` needs."""
        return self.mint(*self.contract.permissions - {str(operation.permission)})

    def call(
        self, operation: Operation | str, *, key: str | None = "", **changes: Any
    ) -> TestResponse:
        """Send the sample of an operation with ``changes``, and a key unless it is ``None``."""
        if isinstance(operation, str):
            operation = self.contract.operations[operation]
        sample = sample_of(operation, **changes)
        auth = {} if key is None else {"Authorization": f"Bearer {key or self.key}"}
        return self.client.open(
            sample.url,
            method=operation.method,
            data=sample.payload,
            headers=auth | sample.all_headers,
        )

    def data(self, operation: Operation | str, **changes: Any) -> Any:
        """Return the ``data`` of a call, which must succeed."""
        response = self.call(operation, **changes)
        assert response.status_code == 200, response.text
        return response.get_json()["data"]

    def follow(self, page: str) -> TestResponse:
        """Ask for a ``next_page`` as it stands."""
        return self.client.get(page, headers={"Authorization": f"Bearer {self.key}"})

    @property
    def headroom(self) -> Headroom:
        """What is left of both windows, without a request."""
        return self.organization.windows.headroom(self.organization.clock.now())

    @property
    def left(self) -> tuple[int, int]:
        """What is left of the minute and of the day."""
        return self.headroom.remaining_minute, self.headroom.remaining_day

    def records(self) -> dict[str, list[Any]]:
        """Return every record that the organization holds, by account and collection."""
        found = {}
        for name in self.world.seed.plans:
            found[name] = list(self.organization.collection(name).records())
            for account in self.organization.accounts.values():
                found[f"{account.id}/{name}"] = list(account.collection(name).records())
        return found


NewTenant = Callable[..., Tenant]


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return the contract of the checkout."""
    return load_contract()


@pytest.fixture(scope="session")
def app() -> MockFlask:
    """Return one application for all tests; each brings its own organization."""
    clock = Clock()
    clock.freeze(parse_time(NOW))
    return checked(create_app(clock=clock))


@pytest.fixture
def own_app() -> MockFlask:
    """Return an application that the test may reset, break or run with real time."""
    return checked(create_app())


def checked(app: MockFlask) -> MockFlask:
    """Return ``app`` with a test client that checks every response."""
    app.extensions[CHECKER] = Checker(app.mock.contract)
    app.test_client_class = CheckedClient
    return app


@pytest.fixture
def new_tenant(app: MockFlask) -> Iterator[NewTenant]:
    """Return what makes organizations that are gone after the test."""
    made: list[Tenant] = []

    def new(**seed: Any) -> Tenant:
        made.append(Tenant(app, **seed))
        return made[-1]

    yield new
    for tenant in made:
        if tenant.id in tenant.world.organizations:
            tenant.world.remove_organization(tenant.id)


@pytest.fixture
def tenant(new_tenant: NewTenant) -> Tenant:
    """Return a healthy organization of the test's own."""
    return new_tenant()


@pytest.fixture(scope="session")
def server(app: MockFlask) -> Iterator[MockServer]:
    """Serve the shared application on a free port of loopback."""
    with MockServer(app) as running:
        yield running
