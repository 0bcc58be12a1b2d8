"""Every operation of the control API, run from its own examples, with every answer validated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import yaml
from werkzeug.test import Client, TestResponse

from mockserver import create_app
from mockserver.clock import parse_time
from mockserver.control.document import control_document
from mockserver.control.routes import ROUTES
from mockserver.faults import Fault

if TYPE_CHECKING:
    from mockserver.app import MockFlask

DOCUMENT = control_document()
VALUES: dict[str, Callable[[TestResponse], Any]] = {
    "application/yaml": lambda response: yaml.safe_load(response.data),
    "text/event-stream": lambda response: next(response.iter_encoded()).decode(),
}
"""What the body of an answer says, where that isn't JSON; of a stream, which doesn't end, its begin."""
STATE_YAML = "state: 1\norganization: {id: org-1, accounts: [{id: 1001}]}\nborn: 2026-01-31\n"


def each_case() -> Iterator[tuple[str, str, str, str, Any]]:
    """Yield id, operation, method, path and body of every operation with each of its examples."""
    for path, item in DOCUMENT.document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                name = operation["operationId"]
                for example, body in bodies(operation, path, method):
                    yield f"{name}-{example}" if example else name, name, method, path, body


def bodies(operation: Mapping[str, Any], path: str, method: str) -> Iterator[tuple[str, Any]]:
    given, _ = DOCUMENT.resolve(operation.get("requestBody", {}), "")
    content = given.get("content", {}).get("application/json", {})
    if "examples" in content:
        yield from ((name, example["value"]) for name, example in content["examples"].items())
    else:
        yield "", content.get("example")


CASES = {id: case for id, *case in each_case()}


@pytest.fixture(scope="module")
def served() -> MockFlask:
    """Return a mock that only these tests use."""
    return create_app()


@pytest.fixture
def client(served: MockFlask) -> Client:
    """Return a client of a fresh world, on the day before the examples, that holds what they name."""
    app, client = served, Client(served.wsgi_app)
    app.mock.world.reset()
    app.mock.world.clock.restore(0.0, parse_time("2026-01-30T12:00:00Z"))
    ask(client, "post", "/organizations", {"id": "org-1", "limit_minute": 5, "journal_size": 50})
    organization = app.mock.world.organization("org-1")
    organization.faults.plant(Fault(503))
    key = app.mock.world.add_key(organization, secret="fm_api_test_org-1_000001")
    for headers in ({"X-API-Key": key.secret}, {"X-API-Key": "fm_api_x"}, {}):
        for target in ("/v1/accounts", "/v1/nowhere"):
            client.get(target, headers=headers)
    return client


def ask(client: Client, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
    """Ask the control API as a local caller."""
    if body is not None:
        options["json"] = body
    local = {"REMOTE_ADDR": "127.0.0.1"}
    return client.open("/_mock" + path, method=method.upper(), environ_base=local, **options)


def filled(path: str, item: Mapping[str, Any]) -> str:
    """Put the examples of the path's parameters into it."""
    for node in item.get("parameters", ()):
        parameter, _ = DOCUMENT.resolve(node, "")
        path = path.replace(f"{{{parameter['name']}}}", str(parameter["example"]))
    return path


def check(method: str, path: str, response: TestResponse) -> None:
    """Check an answer against what the document says of its status."""
    node = DOCUMENT.document["paths"][path][method]["responses"][str(response.status_code)]
    place = f"#/paths/{quote(path.replace('/', '~1'))}/{method}/responses/{response.status_code}"
    described, place = DOCUMENT.resolve(node, place)
    form = str(response.mimetype)
    assert form in described["content"]
    value = VALUES.get(form, TestResponse.get_json)(response)
    response.close()  # else a stream keeps its place
    DOCUMENT.schemas.check(f"{place}/content/{form.replace('/', '~1')}/schema", value)


@pytest.mark.parametrize("case", CASES)
def test_example_succeeds(case: str, client: Client) -> None:
    """What the document shows can be sent as it stands, and is answered as it says."""
    name, method, path, body = CASES[case]
    if name == "name_organization":  # which makes what all others find
        ask(client, "delete", "/organizations/org-1")
    response = ask(client, method, filled(path, DOCUMENT.document["paths"][path]), body)

    assert 200 == response.status_code, response.text
    check(method, path, response)


@pytest.mark.parametrize("case", [case for case in CASES if "{" in CASES[case][2]])
def test_without_its_organization(case: str, client: Client) -> None:
    """A removed organization is named as such; loading a state and naming one make it anew."""
    name, method, path, body = CASES[case]
    ask(client, "delete", "/organizations/org-1")
    response = ask(client, method, filled(path, DOCUMENT.document["paths"][path]), body)

    check(method, path, response)
    if name in {"load_state", "name_organization"}:
        assert 200 == response.status_code
    else:
        assert (404, "NotThere") == (response.status_code, response.headers["X-Mock-Misuse"])
        assert "there is no organization org-1 any more: it was removed" in response.text


@pytest.mark.parametrize("case", CASES)
def test_refuses_a_web_page(case: str, client: Client) -> None:
    _, method, path, body = CASES[case]
    url = filled(path, DOCUMENT.document["paths"][path])
    response = ask(client, method, url, body, headers={"Origin": "https://example.com"})

    assert 403 == response.status_code
    check(method, path, response)


def test_every_route_is_documented() -> None:
    """The control API and its document name the same routes, and each view like its operation."""
    documented = {(method, path, name) for name, method, path, _ in CASES.values()}
    routes = {(method.lower(), path, view.__name__) for path, method, view in ROUTES}

    assert documented == routes


@pytest.mark.parametrize("query", ["?format=yaml", "?records=all", "?freeze=true"])
def test_states_in_every_form(query: str, client: Client) -> None:
    response = ask(client, "get", f"/organizations/org-1/state{query}")

    assert 200 == response.status_code
    check("get", "/organizations/{organization}/state", response)


def test_state_as_yaml(client: Client) -> None:
    response = ask(
        client,
        "post",
        "/organizations/org-1/state",
        data=STATE_YAML,
        content_type="application/yaml",
    )

    assert 200 == response.status_code, response.text
    check("post", "/organizations/{organization}/state", response)


def test_each_page_of_organizations(client: Client) -> None:
    response = ask(client, "get", "/organizations?limit=2&offset=1")
    shown = response.get_json()

    check("get", "/organizations", response)
    assert (7, 2) == (shown["total"], len(shown["organizations"]))
