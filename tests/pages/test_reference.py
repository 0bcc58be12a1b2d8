"""The contract as a file, and the reference made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient

from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.contract import Contract
from mockserver.data import default_spec
from mockserver.pages import assets, reference
from mockserver.pages.display import displayed


def test_yaml_is_the_file_itself(browser: FlaskClient) -> None:
    assert default_spec().read_bytes() == browser.get("/openapi.yaml").data


def test_json_is_the_same_document(paged: MockFlask, browser: FlaskClient) -> None:
    assert paged.mock.contract.document == browser.get("/openapi.json").get_json()


@pytest.mark.parametrize("after", ["openapi: 3.1.0\n", "openapi: [", None])
def test_yaml_is_what_is_served_though_its_file_changed(tmp_path: Path, after: str | None) -> None:
    file = tmp_path / "openapi.yaml"
    file.write_bytes(default_spec().read_bytes())
    app = create_app(spec=file)
    file.unlink() if after is None else file.write_text(after)

    answer = app.test_client().get("/openapi.yaml")

    assert app.mock.contract.document == yaml.safe_load(answer.text)


def test_operations_show_permission_level_and_source(
    contract: Contract, browser: FlaskClient
) -> None:
    paths = browser.get("/docs/openapi.json").get_json()["paths"]
    for operation in contract:
        shown = paths[operation.path][operation.method.lower()]["description"]
        needs = f"Permission `{operation.permission}`" if operation.permission else "No key needed"
        assert shown.endswith(f"{needs} · {operation.level} · source: `{operation.source}`")


def test_requests_go_to_this_mock(browser: FlaskClient) -> None:
    """Never to the real API, whose address the contract names."""
    shown = [browser.get(f"/docs{part}/openapi.json").get_json() for part in ("", "/control")]

    assert [["/"], ["/_mock"]] == [[s["url"] for s in document["servers"]] for document in shown]


def test_links_lead_straight_to_an_operation(browser: FlaskClient) -> None:
    """Which Swagger UI shows whole, and without a complaint, only if no name or parameter is in its way."""
    for part in ("", "/control"):
        for item in browser.get(f"/docs{part}/openapi.json").get_json()["paths"].values():
            assert all("name" in parameter for parameter in item.get("parameters", ()))
            names = [o["operationId"] for m, o in item.items() if m != "parameters"]
            assert not any("_" in name for name in names)


def test_contract_is_left_as_it_is() -> None:
    operation: dict[str, Any] = {"x-level": "inferred", "x-source": "chats", "summary": "Do"}
    document = {"paths": {"/a": {"parameters": [], "get": operation}}, "servers": [{"url": "/b"}]}
    copy = displayed(document, "/")

    assert "No key needed · inferred · source: `chats`" == copy["paths"]["/a"]["get"]["description"]
    assert "description" not in operation
    assert [{"url": "/b"}] == document["servers"]


def test_missing_extra_is_said(monkeypatch: pytest.MonkeyPatch, browser: FlaskClient) -> None:
    """The page says what to install; everything else works without it."""
    monkeypatch.setattr(reference, "renderer_folder", lambda: None)
    monkeypatch.setattr(assets, "renderer_folder", lambda: None)
    answer = browser.get("/docs")

    assert 501 == answer.status_code
    assert "pip install &#39;fansmetric-contract[pages]&#39;" in answer.text.replace("'", "&#39;")
    assert 404 == browser.get("/_pages/swagger-ui/swagger-ui.css").status_code
    assert 200 == browser.get("/rules").status_code
