"""The third step: no body over 1 MiB, on any authenticated route, however it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import rules
from mockserver.call import MAX_BODY
from mockserver.envelope import JSON_TYPE

if TYPE_CHECKING:
    from mockserver.contract import Contract, Operation
    from mockserver.server import MockServer
    from tests.conftest import Tenant

MIB = 1_048_576


def test_the_limit_is_one_mebibyte() -> None:
    assert MIB == MAX_BODY


def padded(operation: Operation, size: int) -> bytes:
    """Return the operation's example body, made ``size`` bytes long by white space."""
    return json.dumps(operation.body_example or {}).encode().ljust(size)


@pytest.mark.shows(rules.TOO_LARGE)
@pytest.mark.parametrize("size", [MIB + 1, 3 * MIB], ids=["one-byte-over", "three-times"])
def test_refuses_a_body_over_the_limit(operation: Operation, size: int, tenant: Tenant) -> None:
    """413 on every authenticated operation, also on those that take no body, and nothing changes."""
    records = tenant.records()
    response = tenant.call(operation, data=padded(operation, size))

    assert 413 == response.status_code
    assert rules.TOO_LARGE.id == response.headers["X-Mock-Rule"]
    assert records == tenant.records()


@pytest.mark.shows(rules.AT_SIZE_LIMIT)
def test_accepts_a_body_of_exactly_the_limit(operation: Operation, tenant: Tenant) -> None:
    """At 1 MiB to the byte the request is carried out."""
    response = tenant.call(operation, data=padded(operation, MIB))

    assert 200 == response.status_code, response.text


def test_open_route_has_no_limit(contract: Contract, tenant: Tenant) -> None:
    """The limit is said of authenticated routes only."""
    response = tenant.call("getHealth", key=None, data=b" " * (MIB + 1))

    assert 200 == response.status_code


# --- over HTTP, where length and connection matter --------------------------------------------------


@pytest.fixture
def connection(server: MockServer) -> Iterator[HTTPConnection]:
    """Return one connection that is kept alive for as long as the server keeps it."""
    host = server.url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=30)
    yield connection
    connection.close()


def send(
    connection: HTTPConnection,
    operation: Operation,
    tenant: Tenant,
    body: Any,
    *,
    chunked: bool = False,
) -> tuple[int, Any]:
    """Send ``body`` to the operation; return the status and the decoded answer."""
    path = operation.path.format(**{p.name: p.example for p in operation.path_parameters})
    query = "&".join(f"{p.name}={p.example}" for p in operation.query_parameters if p.required)
    headers = {"X-API-Key": tenant.key, "Content-Type": JSON_TYPE}
    url = f"{path}?{query}" if query else path
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    connection.request(operation.method, url, body, headers, encode_chunked=chunked)
    response = connection.getresponse()
    answer = json.loads(response.read())
    tenant.checker.check(operation.method, path, response.status, dict(response.headers), answer)
    return response.status, answer


def in_blocks(data: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.shows(rules.TOO_LARGE_CHUNKED)
def test_refuses_a_chunked_body_over_the_limit(
    operation: Operation, connection: HTTPConnection, tenant: Tenant
) -> None:
    """Without a Content-Length the size is seen while reading: over the limit 413, at it not."""
    over = in_blocks(padded(operation, MIB + 1))
    exact = in_blocks(padded(operation, MIB))
    refused, body = send(connection, operation, tenant, over, chunked=True)
    accepted, _ = send(connection, operation, tenant, exact, chunked=True)

    assert 413 == refused
    assert ["error"] == list(body)
    assert 200 == accepted


@pytest.mark.parametrize("chunked", [False, True], ids=["with-length", "chunked"])
@pytest.mark.parametrize("size", [MIB + 1, 2 * MIB, 3 * MIB], ids=["1", "2", "3"])
@pytest.mark.parametrize("refused", [413, 401], ids=str)
def test_refusal_does_not_poison_the_connection(
    refused: int, size: int, chunked: bool, connection: HTTPConnection, tenant: Tenant
) -> None:
    """After a refusal of an unread body the next request is answered; `close` is said, or not done."""
    operation = tenant.contract.operations["createTag"]
    key = tenant.key
    tenant.key = key if refused == 413 else "fm_api_nobody"
    body: Any = in_blocks(b"x" * size) if chunked else b"x" * size
    status, _ = send(connection, operation, tenant, body, chunked=chunked)
    tenant.key = key
    after, answer = send(connection, operation, tenant, json.dumps({"name": "Decaf"}))

    assert refused == status
    assert (200, "Decaf") == (after, answer["data"]["name"])


def test_a_huge_body_costs_the_connection_only(connection: HTTPConnection, tenant: Tenant) -> None:
    """A body that isn't worth reading to its end closes the connection; a new one works at once."""
    connection.putrequest("POST", "/v1/1001/tags")
    connection.putheader("X-API-Key", tenant.key)
    connection.putheader("Content-Length", str(1024 * MIB))
    connection.endheaders()
    try:
        for _ in range(64):
            connection.send(b"x" * MIB)
    except OSError:
        pass
    connection.close()
    operation = tenant.contract.operations["createTag"]
    after, _ = send(connection, operation, tenant, json.dumps({"name": "Decaf"}))

    assert 200 == after
