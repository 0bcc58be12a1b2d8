"""A client that `openapi-python-client` generates from the contract works against the mock."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import create_app, rules
from mockserver.app import MockFlask
from mockserver.contract import Contract, Operation
from mockserver.contract.build import each_operation, resolve
from mockserver.data import default_spec
from mockserver.roles import ALL
from mockserver.seeds import OrganizationSeed
from mockserver.server import MockServer
from tests.guides.session import ADDRESS, steps

PACKAGE = "fansmetric_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client and return the directory that holds its package."""
    directory = tmp_path_factory.mktemp("generated")
    config = directory / "config.yaml"
    config.write_text("post_hooks: []\n")  # it would only format the code
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "openapi_python_client",
            "generate",
            f"--path={default_spec()}",
            f"--config={config}",
            f"--output-path={directory / PACKAGE}",
            "--meta=none",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "warning" not in (done.stdout + done.stderr).lower()
    return directory


class Generated:
    """The generated package, whose clients call a mock of this process."""

    def __init__(self, app: MockFlask) -> None:
        self.app = app

    def client(self, secret: str) -> Any:
        made = importlib.import_module(PACKAGE).AuthenticatedClient("http://mock", secret)
        return made.set_httpx_client(
            httpx.Client(
                base_url="http://mock",
                headers={"Authorization": f"Bearer {secret}"},
                transport=httpx.WSGITransport(app=self.app),
            )
        )

    def call(self, operation: str, *arguments: Any, **keywords: Any) -> Any:
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync_detailed(*arguments, **keywords)

    def model(self, name: str, /, *values: Any, **members: Any) -> Any:
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name)(*values, **members)


@pytest.fixture
def package(generated: Path, monkeypatch: pytest.MonkeyPatch) -> Generated:
    monkeypatch.syspath_prepend(str(generated))
    return Generated(create_app())


def test_drives_the_mock(package: Generated) -> None:
    """List chats, send, create a tracking link, and meet 401, 403 and 429."""
    world = package.app.mock.world
    organization = world.add_organization(OrganizationSeed("generated", limit_minute=5))
    client, call = package.client, package.call
    full = client(world.add_key(organization, [ALL]).secret)
    reader = client(world.add_key(organization, ["api_chats_list"]).secret)
    message = package.model("SendMessageBody", text="Freshly roasted.")
    link = package.model("CreateTrackingLinkBody", name="Spring roast")

    sent = call("messages.send_message", 1001, 50001, client=full, body=message)
    chats = call("chats.list_chats", 1001, client=full)
    created = call("tracking_links.create_tracking_link", 1001, client=full, body=link)
    refused = call("messages.send_message", 1001, 50001, client=reader, body=message)
    unknown = call("chats.list_chats", 1001, client=client("fm_api_test_unknown"))
    call("chats.list_chats", 1001, client=full)
    limited = call("chats.list_chats", 1001, client=full)

    assert sent.parsed.data.text == "Freshly roasted."
    assert chats.parsed.data.list_[0].last_message.id == sent.parsed.data.id
    assert created.parsed.data.campaign_name == "Spring roast"
    assert (refused.status_code, refused.parsed.error) == (
        403,
        "The key's role lacks the permission api_messages_send.",
    )
    assert (unknown.status_code, limited.status_code) == (401, 429)


def test_bodies_with_conditions_keep_their_members(package: Generated) -> None:
    """A body of which one member depends on another is one class, or one class for each form."""
    client = package.client("fm_api_test_full")
    kind = package.model("CreatePromotionBodyType", "new")
    promotion = package.model(
        "CreatePromotionBody",
        type_=kind,
        discount=20,
        subscribe_counts=0,
        subscribe_days=30,
        finish_days=7,
    )
    broadcast = package.model("SendMassMessageBody", text="Freshly roasted.", user_lists=["fans"])
    order = package.model(
        "NamedVaultListOrder",
        sort=package.model("NamedVaultListOrderSort", "name"),
        order=package.model("NamedVaultListOrderOrder", "desc"),
    )

    made = package.call("promotions.create_promotion", 1001, client=client, body=promotion)
    sent = package.call("mass_messages.send_mass_message", 1001, client=client, body=broadcast)
    sorted_ = package.call("vault.sort_vault_lists", 1001, client=client, body=order)
    lists = package.call("mass_messages.list_mass_message_lists", 1001, client=client)

    assert made.parsed.data[0].id > 0
    assert sent.parsed.data.queue.id > 0
    assert sorted_.parsed.data.success
    assert str in {type(item.id) for item in lists.parsed.data.list_}


@pytest.mark.shows(rules.DATA_SCHEMA)
def test_answers_name_their_data(operation: Operation, contract: Contract) -> None:
    """`data` is required where its shape is given, or a typed client doubts it; a title names the answer."""
    item = contract.document["paths"][operation.path][operation.method.lower()]
    answer = resolve(contract.document, item["responses"]["200"])
    schema = answer["content"]["application/json"]["schema"]
    parts = [part for part in schema["allOf"] if "data" in part.get("properties", {})]

    assert [["data"]] == [part["required"] for part in parts]
    assert schema["title"].endswith("Envelope")


def test_one_title_is_one_shape(contract: Contract) -> None:
    """Generators name an answer by its title, and number those that share one and differ."""
    shapes: dict[str, Any] = {}
    for _, _, operation in each_operation(contract.document):
        answer = resolve(contract.document, operation["responses"]["200"])
        schema = answer["content"]["application/json"]["schema"]
        assert schema == shapes.setdefault(schema.get("title"), schema)


def test_alternatives_are_whole(contract: Contract) -> None:
    """Generators make a type of each alternative, and forget the members that stand beside them."""
    partial = [
        name
        for name, schema in contract.document["components"]["schemas"].items()
        for part in (schema, *schema.get("allOf", ()))
        for choice in (*part.get("oneOf", ()), *part.get("anyOf", ()))
        if not {"$ref", "type"} & choice.keys()
    ]

    assert not partial


def test_names_hide_nothing(contract: Contract) -> None:
    """A type called as one of the language hides it in a generated module."""
    names = {"Array", "Date", "Error", "Map", "Object", "Promise", "Request", "Response", "Set"}

    assert not names & contract.document["components"]["schemas"].keys()


def test_example_of_the_guide(generated: Path) -> None:
    """What the questions show in Python runs with the generated package."""
    faq = Path(__file__).parents[1] / "docs" / "faq.md"
    [example] = [step.text for step in steps(faq.read_text("utf-8")) if step.file.endswith(".py")]
    with MockServer(create_app()) as server:
        done = subprocess.run(
            [sys.executable, "-c", example.replace(ADDRESS, server.url)],
            cwd=generated,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (0, "50 999\n") == (done.returncode, done.stdout), done.stderr
