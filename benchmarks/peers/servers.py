"""What is measured: our own servers, the machine's yardstick, and the shape that peers share with them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.peers.calls import (
    CHANGED,
    FORBIDDEN,
    LIST,
    LIST_CHATS,
    SEND,
    SEND_MESSAGE,
    SPENT,
    UNKNOWN,
    Call,
    ask,
)
from benchmarks.peers.installs import NotInstalled
from mockserver.contract import load_contract

PARTS = Path(__file__).parent / "parts"
BOTH = {LIST: LIST_CHATS, SEND: SEND_MESSAGE}
_WRITTEN = "written"
"""The organization that is written to."""

_SERVE = "from mockserver.cli import main; main()"


@dataclass(frozen=True)
class Place:
    """Where a server finds what it needs."""

    spec: Path
    """The contract as JSON."""
    page: Path
    """A page of ten entries, for servers that are told what to say."""
    work: Path
    """A folder to write to."""
    cache: Path
    """Where peers are installed."""


class Server(ABC):
    """A server that can be started, and what it does with a request."""

    name: str
    spec: str
    """What it takes its answers from."""
    enforces: str
    version: str
    calls: Mapping[str, Call] = BOTH
    grows: bool = False
    """Whether it can be started on a generated contract too."""

    def install(self, place: Place) -> None:  # noqa: B027  # ours are there already
        """Make sure that it can be started. Raises ``NotInstalled``."""

    @abstractmethod
    def command(self, port: int, place: Place) -> list[str]:
        """Return what starts it on ``port``."""

    def furnish(self, port: int) -> Mapping[str, Call]:
        """Make what the calls need in the running server; return the calls."""
        return self.calls

    def refresh(self, port: int) -> None:  # noqa: B027  # most can't forget
        """Return the running server to how it was furnished, before each round."""


class Mock(Server):
    """The mock as `mockserver serve` starts it."""

    name = "this mock"
    spec = "openapi.yaml, 93 operations, and its rules"
    enforces = "keys, roles, both windows, credits, schemas of requests and answers, state, pages"
    version = version("fansmetric-contract")
    grows = True

    def install(self, place: Place) -> None:
        """Read the contract once, which keeps it in the cache as the first start of all does."""
        load_contract(place.spec)

    def command(self, port: int, place: Place) -> list[str]:
        return [sys.executable, "-c", _SERVE, "serve", f"--port={port}", f"--spec={place.spec}"]

    def furnish(self, port: int) -> Mapping[str, Call]:
        """Make an organization to write to, a key without the permission, and one whose windows hold nothing.

        The list alone is asked of an organization that nobody writes to.
        """
        large = {"id": _WRITTEN, "limit_minute": 10**9, "limit_day": 10**9, "keys": [{}]}
        (written,) = _control(port, "/_mock/organizations", large)["keys"]
        poor = {"permissions": ["api_messages_list"]}
        spent = {"limit_minute": 0, "keys": [{}]}
        forbidden = _control(port, "/_mock/organizations/heron/keys", poor)["key"]
        (key,) = _control(port, "/_mock/organizations", spent)["keys"]
        return {
            LIST: LIST_CHATS,
            SEND: SEND_MESSAGE.with_key(written["key"], 200),
            CHANGED: LIST_CHATS.with_key(written["key"], 200),
            UNKNOWN: LIST_CHATS.with_key("fm_api_test_nobody", 401),
            FORBIDDEN: LIST_CHATS.with_key(forbidden, 403),
            SPENT: LIST_CHATS.with_key(key["key"], 429),
        }

    def refresh(self, port: int) -> None:
        """Forget what was written, so that every round writes to an organization of the same size."""
        _control(port, f"/_mock/organizations/{_WRITTEN}/reset", {})


def _control(port: int, path: str, body: Mapping[str, object]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    answer: dict[str, Any] = json.loads(
        ask(port, Call("POST", path, headers, json.dumps(body))).body
    )
    return answer


class Constant(Server):
    """The mock's HTTP server under an application of four lines."""

    name = "its server (constant body)"
    spec = "a page of ten entries"
    enforces = "nothing"
    version = Mock.version

    def command(self, port: int, place: Place) -> list[str]:
        return [sys.executable, str(PARTS / "constant.py"), str(port), str(place.page)]


class Nginx(Server):
    """nginx, `return 200`: what the machine can do."""

    name = "nginx (return 200)"
    spec = "11 bytes"
    enforces = "nothing"
    version = ""

    def install(self, place: Place) -> None:
        nginx = shutil.which("nginx")
        if nginx is None:
            raise NotInstalled("nginx isn't on the PATH (`apt install nginx-light`)")
        said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False).stderr
        self.version = said.strip().rpartition("/")[2]

    def command(self, port: int, place: Place) -> list[str]:
        conf = (PARTS / "nginx.conf").read_text()
        file = place.work / f"nginx-{port}.conf"
        file.write_text(conf.replace("FOLDER", str(place.work)).replace("PORT", str(port)))
        return ["nginx", "-p", str(place.work), "-c", str(file)]
