"""What the toolkit's tests share: a client that takes spoilt answers, and exchanges made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from mockserver.journal import OVERHEAD, Exchange, Shown

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from tests.conftest import Tenant

Ask = Callable[..., "TestResponse"]
MakeExchange = Callable[..., Exchange]


@pytest.fixture
def ask(app: MockFlask, tenant: Tenant) -> Ask:
    """Return what sends a request with the tenant's key, and takes any answer to it."""
    client = Client(app.wsgi_app)

    def asked(path: str = "/v1/accounts", method: str = "GET", **options: Any) -> TestResponse:
        headers = {"X-API-Key": tenant.key, **options.pop("headers", {})}
        return client.open(path, method=method, headers=headers, **options)

    return asked


@pytest.fixture
def control(app: MockFlask, tenant: Tenant) -> Ask:
    """Return what asks the control API about the tenant's organization."""
    client = Client(app.wsgi_app)

    def asked(method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        if body is not None:
            options["json"] = body
        local = {"REMOTE_ADDR": "127.0.0.1"}
        return client.open(
            f"/_mock/organizations/{tenant.id}{path}", method=method, environ_base=local, **options
        )

    return asked


@pytest.fixture(scope="session")
def exchange() -> MakeExchange:
    """Return what makes one exchange; what isn't said is a success, a second after the one before."""

    def made(number: int = 1, **changes: Any) -> Exchange:
        plain: dict[str, Any] = {
            "at": float(number),
            "clocked": float(number),
            "took": 0.0,
            "seen": number - 1,
            "organization": "org",
            "method": "GET",
            "path": "/v1/accounts",
            "query": "",
            "headers": {},
            "body": b"",
            "body_size": 0,
            "operation": "listAccounts",
            "status": 200,
            "key": "one",
            "key_places": ("authorization",),
        }
        merged = plain | changes
        characters = sum(len(name) + len(value) for name, value in merged["headers"].items())
        characters += len(merged["path"]) + len(merged["query"])
        asked = {
            name: merged.pop(name) for name in ("method", "path", "query", "headers", "key_places")
        }
        weight = OVERHEAD + characters + len(merged["body"])
        return Exchange(number=number, shown=Shown(**asked), weight=weight, **merged)

    return made
