"""The contract's document: what breaks a rule of its form is refused in one line with file and key."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import create_app
from mockserver.contract import load_contract
from mockserver.errors import ContractError
from mockserver.resources import Engine

if TYPE_CHECKING:
    from mockserver.contract import Contract

Document = dict[str, Any]
Edit = Callable[[Document], None]

TAGS = "/v1/{account_id}/tags"
TAG = "/v1/{account_id}/tags/{tag_id}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the cache of these documents apart from the user's."""
    monkeypatch.setenv("FANSMETRIC_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def small(contract: Contract) -> Document:
    """Return a small document: the tags of the real one, which use most of its features."""
    whole = contract.document
    paths = {path: whole["paths"][path] for path in (TAGS, TAG, "/health")}
    return {
        **{key: whole[key] for key in ("openapi", "info", "security", "components")},
        "paths": paths,
    }


def write(path: Path, document: Any) -> Path:
    """Write ``document`` as JSON, which is YAML too and faster."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def operation(document: Document, method: str = "get", path: str = TAGS) -> Document:
    found: Document = document["paths"][path][method]
    return found


def set_in(method: str, key: str, value: Any, path: str = TAGS) -> Edit:
    return lambda document: operation(document, method, path).update({key: value})


def without(method: str, key: str, path: str = TAGS) -> Edit:
    return lambda document: operation(document, method, path).pop(key)


def content(document: Document) -> Document:
    found: Document = operation(document)["responses"]["200"]["content"]["application/json"]
    return found


def example_only(document: Document) -> None:
    """Let an operation answer its example, which it hasn't."""
    operation(document)["x-resource"] = {"action": "example"}
    del content(document)["example"]


BROKEN: dict[str, tuple[Edit, str]] = {
    "version": (lambda d: d.update(openapi="3.0.3"), "openapi: must be 3.1.x, found '3.0.3'"),
    "no-paths": (lambda d: d.update(paths={}), "paths: is missing or empty"),
    "no-components": (lambda d: d.pop("components"), "components: is missing or empty"),
    "path-without-methods": (
        lambda d: d["paths"].update({"/v1/x": None}),
        "paths./v1/x: must be a mapping of methods",
    ),
    "unknown-extension": (
        set_in("get", "x-permissions", "api_tags_list"),
        f"paths.{TAGS}.get.x-permissions: unknown extension; known are x-bounds",
    ),
    "unknown-extension-on-top": (lambda d: d.update({"x-rules": []}), "x-rules: unknown extension"),
    "unknown-extension-in-a-schema": (
        lambda d: d["components"]["schemas"]["Id"].update({"x-note": 1}),
        "components.schemas.Id.x-note: unknown extension",
    ),
    "drops-no-parameter": (
        set_in("get", "x-pagination", {"style": "offset", "drops": ["since"]}),
        f"paths.{TAGS}.get.x-pagination.drops: there is no parameter since",
    ),
    "bounds-of-another-level": (
        lambda d: d["components"]["schemas"]["Id"].update({"x-bounds": "guessed"}),
        "components.schemas.Id.x-bounds: must be inferred",
    ),
    "no-permission": (
        without("get", "x-permission"),
        f"paths.{TAGS}.get.x-permission: is missing; name the permission, or set `security: []`",
    ),
    "permission-without-key": (
        lambda d: operation(d, "get", "/health").update({"x-permission": "api_health_read"}),
        "paths./health.get.x-permission: stands on an operation that needs no key",
    ),
    "bad-permission": (set_in("get", "x-permission", "Tags"), f"paths.{TAGS}.get.x-permission: "),
    "no-level": (without("get", "x-level"), f"paths.{TAGS}.get: "),
    "bad-level": (set_in("get", "x-level", "guessed"), f"paths.{TAGS}.get.x-level: "),
    "no-source": (without("post", "x-source"), f"paths.{TAGS}.post: "),
    "no-upstream": (without("post", "x-upstream"), f"paths.{TAGS}.post: "),
    "no-resource": (without("post", "x-resource"), f"paths.{TAGS}.post: "),
    "bad-action": (
        set_in("get", "x-resource", {"action": "lists", "collection": "tags"}),
        f"paths.{TAGS}.get.x-resource",
    ),
    "example-without-one": (
        example_only,
        f"paths.{TAGS}.get.responses.200.content.application/json.example: lacks `data`",
    ),
    "unknown-resource-member": (
        set_in("get", "x-resource", {"action": "list", "collection": "tags", "sort": "id"}),
        f"paths.{TAGS}.get.x-resource: ",
    ),
    "action-without-collection": (
        set_in("get", "x-resource", {"action": "list"}),
        f"paths.{TAGS}.get.x-resource",
    ),
    "bad-pagination": (set_in("get", "x-pagination", {"style": "page"}), f"paths.{TAGS}.get.x-pagination"),
    "unknown-status": (
        lambda d: operation(d)["responses"].update(default={"description": "Anything."}),
        f"paths.{TAGS}.get.responses",
    ),
    "no-success": (lambda d: operation(d)["responses"].pop("200"), f"paths.{TAGS}.get.responses"),
    "missing-refusal": (
        lambda d: operation(d)["responses"].pop("413"),
        f"paths.{TAGS}.get.responses: lacks 413",
    ),
    "impossible-refusal": (
        lambda d: operation(d)["responses"].update(
            {"424": {"$ref": "#/components/responses/SyncLost"}}
        ),
        f"paths.{TAGS}.get.responses.424: only an upstream operation on an account can give it",
    ),
    "same-operation-id": (
        set_in("post", "operationId", "listTags"),
        f"paths.{TAGS}.post.operationId: already used by paths.{TAGS}.get",
    ),
    "bad-operation-id": (set_in("get", "operationId", "List tags"), f"paths.{TAGS}.get.operationId: "),
    "same-route": (
        lambda d: d["paths"].update({"/v1/{account_id}/tags/{id}": {"description": "x"}}),
        "paths./v1/{account_id}/tags/{id}: the same route as /v1/{account_id}/tags/{tag_id}",
    ),
    "parameter-not-in-the-path": (
        lambda d: operation(d, "delete", TAG)["parameters"].pop(),
        f"paths.{TAG}.delete.parameters: path and parameters disagree on tag_id",
    ),
    "parameter-without-schema": (
        lambda d: operation(d)["parameters"].append({"name": "q", "in": "query"}),
        f"paths.{TAGS}.get.parameters[3]: lacks schema",
    ),
    "dangling-reference": (
        lambda d: operation(d)["parameters"].append({"$ref": "#/components/parameters/Nothing"}),
        f"paths.{TAGS}.get.parameters[3].$ref: nothing stands at #/components/parameters/Nothing",
    ),
    "dangling-reference-in-a-schema": (
        lambda d: d["components"]["schemas"]["Tag"].update(allOf=[{"$ref": "#/x/y"}]),
        "components.schemas.Tag.allOf[0].$ref: nothing stands at #/x/y",
    ),
    "invalid-example": (
        lambda d: content(d)["example"]["data"]["list"][0].update(id="eleven"),
        f"paths.{TAGS}.get.responses.200.content.application/json.example: data.list.0.id: ",
    ),
    "invalid-parameter-example": (
        lambda d: d["components"]["parameters"]["AccountId"].update(example="x"),
        "components.parameters.AccountId.example: ",
    ),
    "schema-that-is-none": (
        lambda d: d["components"]["schemas"]["Tag"].update(type="thing"),
        f"paths.{TAGS}.get.responses.200.content.application/json.example: components.schemas.Tag.type: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_refuses(case: str, small: Document, tmp_path: Path) -> None:
    """One line: the file, the key, and what is wrong there."""
    edit, message = BROKEN[case]
    document = copy.deepcopy(small)
    edit(document)
    file = write(tmp_path / "spec.yaml", document)
    with pytest.raises(ContractError) as caught:
        load_contract(file)

    assert str(caught.value).startswith(f"{file}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"a: [", "not valid YAML: ", id="no-yaml"),
        pytest.param(b"openapi: 3.1.0\nopenapi: 3.1.0\n", "not valid YAML: the key 'openapi' stands here twice", id="key-twice"),
        pytest.param(b"openapi: 3.1.0\ninfo: {x-limit: .inf}\n", "not valid YAML: JSON has no number like .inf", id="infinity"),
        pytest.param(b"\xff\xfe\x00", "not valid YAML: ", id="binary"),
        pytest.param(b"", "must be a mapping with `openapi`", id="empty"),
        pytest.param(b"- a\n", "must be a mapping with `openapi`", id="list"),
        pytest.param(b"{}", "openapi: must be 3.1.x, found None", id="empty-mapping"),
        pytest.param(b"paths: {}\nopenapi: 3.1.0", "paths: is missing or empty", id="no-paths"),
        pytest.param(b"openapi: 3.1.0\npaths: []\n", "paths: is missing or empty", id="paths-list"),
        pytest.param(b"openapi: 3.1.0\npaths: [a]\ncomponents: {a: 1}\nsecurity: [a]\n", "paths: ", id="paths-no-mapping"),
        pytest.param(b"? [a]\n: 1\n", "not valid YAML: ", id="key-no-text"),
    ],
)  # fmt: skip
def test_refuses_what_is_no_document(text: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_bytes(text)
    with pytest.raises(ContractError) as caught:
        load_contract(file)

    assert str(caught.value).startswith(f"{file}: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.yaml", "."], ids=["missing", "a-directory"])
def test_refuses_what_it_cannot_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="can't be read"):
        load_contract(tmp_path / name)


@pytest.mark.parametrize(
    "place", ["{url}/x.json", "file:///etc/hostname", "../other.yaml", "{url}#/a"]
)
def test_fetches_nothing(place: str, small: Document, tmp_path: Path) -> None:
    """A reference leads to a place in the document; no other file is read, and nobody is asked."""
    document = copy.deepcopy(small)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        document["components"]["schemas"]["Tag"]["allOf"] = [{"$ref": place.format(url=url)}]
        with pytest.raises(ContractError, match="nothing stands at"):
            load_contract(write(tmp_path / "api.yaml", document))
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_refuses_a_handler_that_is_not_there(small: Document, tmp_path: Path) -> None:
    """At the start, not when somebody asks for the operation."""
    document = copy.deepcopy(small)
    operation(document)["x-resource"] = {"action": "handler", "handler": "list_chat"}
    file = write(tmp_path / "openapi.json", document)

    with pytest.raises(
        ContractError, match=r"openapi.json: GET .*/tags: .*'list_chat'.* list_chats"
    ):
        Engine(load_contract(file))


def test_an_operation_may_answer_its_example(contract: Contract, tmp_path: Path) -> None:
    """What has nothing but an example in the contract answers its data."""
    document = copy.deepcopy(dict(contract.document))
    operation(document)["x-resource"] = {"action": "example"}
    due = content(document)["example"]["data"]
    app = create_app(spec=write(tmp_path / "openapi.json", document))
    answer = app.test_client().get("/v1/1001/tags", headers={"X-API-Key": "fm_api_test_full"})

    assert (200, due) == (answer.status_code, answer.get_json()["data"])


def test_loads_a_sound_document(small: Document, tmp_path: Path) -> None:
    """The document that the broken ones are made from has nothing wrong with it."""
    contract = load_contract(write(tmp_path / "spec.yaml", small))
    written = [operation for item in small["paths"].values() for operation in item.values()]

    assert {"listTags", "createTag", "deleteTag", "getHealth"} <= set(contract.operations)
    assert {operation["operationId"] for operation in written} == set(contract.operations)
    assert {o["x-permission"] for o in written if "x-permission" in o} == contract.permissions


def test_reads_the_cache_until_the_file_changes(
    small: Document, tmp_path: Path, cache: Path
) -> None:
    """A document that passed is read from the cache; another text is checked anew."""
    file = write(tmp_path / "spec.yaml", small)
    first, second = load_contract(file), load_contract(file)
    write(file, {**small, "openapi": "2.0"})

    assert first == second
    assert 1 == len(list(cache.iterdir()))
    with pytest.raises(ContractError, match=r"must be 3\.1\.x"):
        load_contract(file)


def test_a_broken_cache_is_no_trouble(small: Document, tmp_path: Path, cache: Path) -> None:
    """A damaged entry is read anew; a cache that can't be written costs time only."""
    file = write(tmp_path / "spec.yaml", small)
    due = load_contract(file)
    for entry in cache.iterdir():
        entry.write_bytes(b"{")
    damaged = load_contract(file)
    for entry in cache.iterdir():
        entry.unlink()
    cache.rmdir()
    cache.write_text("no directory")

    assert due == damaged == load_contract(file)


def test_a_refused_document_is_not_cached(small: Document, tmp_path: Path, cache: Path) -> None:
    file = write(tmp_path / "spec.yaml", {**small, "openapi": "2.0"})
    for _ in range(2):
        with pytest.raises(ContractError):
            load_contract(file)

    assert not cache.exists()


def test_refuses_a_path_that_is_none(small: Document, tmp_path: Path) -> None:
    document = copy.deepcopy(small)
    document["paths"]["health"] = document["paths"].pop("/health")
    file = write(tmp_path / "openapi.json", document)

    with pytest.raises(ContractError, match=r"openapi.json: paths.health: a path begins with one"):
        create_app(spec=file)
