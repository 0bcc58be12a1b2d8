"""A client that `openapi-python-client` generates from the contract works against the mock."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver import create_app
from mockserver.data import default_spec
from mockserver.roles import ALL
from mockserver.seeds import OrganizationSeed

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


def test_drives_the_mock(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """List chats, send, create a tracking link, and meet 401, 403 and 429."""
    monkeypatch.syspath_prepend(str(generated))
    app = create_app()
    world = app.mock.world
    organization = world.add_organization(OrganizationSeed("generated", limit_minute=5))

    def client(secret: str) -> Any:
        made = importlib.import_module(PACKAGE).AuthenticatedClient("http://mock", secret)
        return made.set_httpx_client(
            httpx.Client(
                base_url="http://mock",
                headers={"Authorization": f"Bearer {secret}"},
                transport=httpx.WSGITransport(app=app),
            )
        )

    def call(operation: str, *arguments: Any, **keywords: Any) -> Any:
        module = importlib.import_module(f"{PACKAGE}.api.{operation}")
        return module.sync_detailed(*arguments, **keywords)

    def body(name: str, /, **members: Any) -> Any:
        return getattr(importlib.import_module(f"{PACKAGE}.models"), name)(**members)

    full = client(world.add_key(organization, [ALL]).secret)
    reader = client(world.add_key(organization, ["api_chats_list"]).secret)
    message = body("SendMessageBody", text="Freshly roasted.")
    link = body("CreateTrackingLinkBody", name="Spring roast")

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
