"""The shape of everything that isn't a success: flat, JSON, and silent about the server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import create_app, rules
from mockserver.envelope import JSON_TYPE
from mockserver.faults import Fault

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from mockserver.contract import Contract, Operation
    from tests.conftest import Tenant

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW")
KEY = {"Authorization": "Bearer fm_api_test_full"}


def outcome(response: TestResponse) -> tuple[int, str | None, str | None]:
    """Return the status, the type of the body and the rule that refused."""
    headers = response.headers
    return response.status_code, headers.get("Content-Type"), headers.get("X-Mock-Rule")


@pytest.mark.shows(rules.FLAT, rules.ERROR_JSON, rules.UNKNOWN_ROUTE)
@pytest.mark.parametrize(
    "path",
    [
        "/", "/v1", "/v1/", "/v2/accounts", "/v1/accounts/", "/v1//accounts", "/V1/accounts",
        "/v1/1001", "/v1/1001/", "/v1/1001/nowhere", "/v1/1001/tags/", "/v1/1001//tags",
        "/v1/1001/tags/11/x", "/v1/1001/Tags", "/health/", "/favicon.ico", "/robots.txt",
        "/static/x", "/../etc/passwd", "/v1/../health", "/%00", "/%ff",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_route(method: str, path: str, tenant: Tenant) -> None:
    """404 for whoever asks, with a key or without; no redirect to a route that is nearly it."""
    headers = {"X-API-Key": tenant.key}
    known = tenant.client.open(path, method=method, headers=headers)
    unknown = tenant.client.open(path, method=method)

    assert (404, JSON_TYPE, rules.UNKNOWN_ROUTE.id) == outcome(known) == outcome(unknown)
    assert (1_000, 50_000) == tenant.left


@pytest.mark.shows(rules.FLAT, rules.ERROR_JSON, rules.UNKNOWN_METHOD)
@pytest.mark.parametrize("method", METHODS)
def test_unknown_method(method: str, contract: Contract, tenant: Tenant) -> None:
    """405 on every route that doesn't have the method; Allow lists the ones that it has."""
    allowed: dict[str, set[str]] = {}
    for op in contract:
        allowed.setdefault(op.path, set()).add(op.method)
    lacking = {path: methods for path, methods in allowed.items() if method not in methods}
    found = {}
    for path in lacking:
        response = tenant.client.open(fill(path), method=method)
        found[path] = (response.status_code, set(response.headers["Allow"].split(", ")))

    assert {path: (405, methods) for path, methods in lacking.items()} == found


def fill(path: str) -> str:
    """Put 1 where a path has a parameter."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.shows(rules.UPSTREAM_FAILED)
def test_upstream_failure(operation: Operation, tenant: Tenant) -> None:
    """A failure of upstream takes the answer's place, without effect, and passes."""
    records, failed = tenant.records(), []
    for status in (500, 502, 503):
        tenant.organization.faults.plant(Fault(status, message="Upstream is away."))
        failed.append(tenant.call(operation))
    untouched = tenant.records()
    recovered = tenant.call(operation)

    assert [500, 502, 503] == [answer.status_code for answer in failed]
    assert {rules.UPSTREAM_FAILED.id} == {answer.headers["X-Mock-Rule"] for answer in failed}
    assert {"fault"} == {answer.headers["X-Mock-Source"] for answer in failed}
    assert {"error": "Upstream is away."} == failed[0].get_json()
    assert records == untouched
    assert 200 == recovered.status_code


@pytest.mark.shows(rules.UPSTREAM_FAILED)
@pytest.mark.parametrize(
    "error",
    [RuntimeError("secret"), KeyError("secret"), RecursionError("secret"), OSError(5, "secret")],
    ids=lambda error: type(error).__name__,
)
def test_unhandled_exception(
    error: Exception,
    own_app: MockFlask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An exception in the mock's own code is a flat 500 that tells nothing of it, on every operation."""

    def fail(*_: Any) -> None:
        raise error

    caplog.set_level(
        logging.CRITICAL, "mockserver"
    )  # the mock logs each of them with its traceback
    monkeypatch.setattr(own_app.mock.pipeline.engine, "carry_out", fail)
    client, found = own_app.test_client(), {}
    for op in own_app.mock.contract:
        if op.authenticated:
            found[op.id] = outcome(client.open(**request_of(op)))

    assert {(500, JSON_TYPE, rules.UPSTREAM_FAILED.id)} == set(found.values())
    body = client.get("/v1/accounts", headers=KEY).text
    assert not [word for word in ("secret", "Error", "Traceback", ".py", "/") if word in body]


def request_of(operation: Operation) -> dict[str, Any]:
    path = operation.path.format(**{p.name: p.example for p in operation.path_parameters})
    query = {p.name: p.example for p in operation.query_parameters if p.required}
    body = operation.body_example
    return {
        "path": path,
        "method": operation.method,
        "query_string": query,
        "json": body,
        "headers": KEY,
    }


def test_an_answer_against_the_contract_is_a_500(
    own_app: MockFlask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mock sends nothing that the contract doesn't describe, even by mistake."""
    collection = own_app.mock.world.organization("lark").collection("tags")
    collection.add({"id": "no number", "name": 5})
    last = own_app.test_client().get("/v1/1001/tags?limit=100", headers=KEY)
    fine = own_app.test_client().get("/v1/1001/tags?limit=1", headers=KEY)

    assert (500, JSON_TYPE, rules.UPSTREAM_FAILED.id) == outcome(last)
    assert 200 == fine.status_code


def test_diagnosis_can_be_left_out() -> None:
    """Without diagnosis no header tells the rule; the answers are the same otherwise."""
    client = create_app(diagnosis=False).test_client()
    answers = [client.get("/v1/accounts"), client.get("/v1/x"), client.put("/v1/accounts")]

    assert [401, 404, 405] == [answer.status_code for answer in answers]
    assert not [a for a in answers if {"X-Mock-Rule", "X-Mock-Source"} & set(a.headers.keys())]


@pytest.mark.parametrize(
    ("path", "source"),
    [("/v1/accounts", "rule"), ("/nowhere", "rule")],
    ids=["401", "404"],
)
def test_diagnosis_names_its_source(path: str, source: str, tenant: Tenant) -> None:
    assert source == tenant.client.get(path).headers["X-Mock-Source"]
