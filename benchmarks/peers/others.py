"""The peers: mocks from npm and PyPI that a developer could take instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from benchmarks.peers import specs
from benchmarks.peers.calls import KEY, LIST, LIST_CHATS, SEND, UNKNOWN, Call, ask, text_of
from benchmarks.peers.installs import Npm, Pip, Recipe, install
from benchmarks.peers.servers import BOTH, PARTS, Constant, Mock, Nginx, Place, Server

_WHOLE = "openapi.yaml as JSON, 93 operations"
_WITHOUT_KEY = {**BOTH, UNKNOWN: LIST_CHATS.with_key(None, 401)}
"""For servers to which every key is as good as another: what they refuse is a request without one."""


class Peer(Server):
    """A server that is installed first."""

    recipe: Recipe

    def install(self, place: Place) -> None:
        install(self.recipe, place.cache)

    def home(self, place: Place) -> Path:
        """Return where it is installed."""
        return place.cache / self.recipe.name


class Prism(Peer):
    """Prism, which checks requests against the document and answers its examples."""

    name, version = "Prism", "5.16.0"
    recipe = Npm((f"@stoplight/prism-cli@{version}",))
    spec = _WHOLE
    enforces = "that there is a key; schemas of requests"
    calls = _WITHOUT_KEY
    grows = True

    def command(self, port: int, place: Place) -> list[str]:
        prism = self.home(place) / "node_modules/.bin/prism"
        return [str(prism), "mock", f"--port={port}", "--verboseLevel=silent", str(place.spec)]


class Scalar(Peer):
    """Scalar's mock server, which does the same on Hono."""

    name, version = "Scalar mock server", "0.14.4"
    recipe = Npm((f"@scalar/mock-server@{version}", "@hono/node-server@2.1.9"))
    spec = _WHOLE
    enforces = "that there is a key; schemas of requests"
    calls = _WITHOUT_KEY
    grows = True

    def command(self, port: int, place: Place) -> list[str]:
        # Node.js looks for packages where the program lies.
        program = self.home(place) / "scalar.mjs"
        program.write_text((PARTS / "scalar.mjs").read_text())
        return ["node", str(program), str(place.spec), str(port)]


class Mockoon(Peer):
    """Mockoon, which makes up an answer from the schema at each request."""

    name, version = "Mockoon", "9.9.0"
    recipe = Npm((f"@mockoon/cli@{version}",))
    spec = _WHOLE
    enforces = "nothing; makes up answers from the schema, logs each request"
    grows = True

    def command(self, port: int, place: Place) -> list[str]:
        mockoon = self.home(place) / "node_modules/.bin/mockoon-cli"
        options = ["--hostname=127.0.0.1", "--disable-log-to-file", "--disable-admin-api"]
        return [str(mockoon), "start", f"--data={place.spec}", f"--port={port}", *options]


class Connexion(Peer):
    """Connexion with its mock resolver, on the document that all read."""

    name, version = "connexion", "3.3.0"
    recipe = Pip(f"connexion[uvicorn]=={version}")
    spec = _WHOLE
    enforces = "nothing"
    calls = _WITHOUT_KEY

    def command(self, port: int, place: Place) -> list[str]:
        python = self.home(place) / "bin/python"
        # It looks for the check of keys beside the program.
        return [str(python), str(PARTS / "mock_app.py"), str(port), str(place.spec)]


class SmallConnexion(Connexion):
    """Connexion on what it can read."""

    name = "connexion (OpenAPI 3.0)"
    spec = "two of the operations, rewritten as 3.0.3"
    enforces = "that there is a key; schemas of requests"

    def command(self, port: int, place: Place) -> list[str]:
        file = specs.write(specs.as_openapi_3_0(), place.work / "two.json")
        return super().command(port, replace(place, spec=file))


class HttpServer(Peer):
    """pytest-httpserver, which says what it was told."""

    name, version = "pytest-httpserver", "1.2.0"
    recipe = Pip(f"pytest-httpserver=={version}")
    spec = "two canned answers"
    enforces = "that path, method and key are those expected; keeps every request"

    def command(self, port: int, place: Place) -> list[str]:
        python = self.home(place) / "bin/python"
        return [str(python), str(PARTS / "canned.py"), str(port), str(place.page), KEY]


def _aws(service: str) -> dict[str, str]:
    """Return the header by which moto tells the services apart; it checks no signature."""
    scope = f"Credential=mock/20261124/us-east-1/{service}/aws4_request"
    return {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.0",
    }


def _queue(action: str, body: Mapping[str, str]) -> Call:
    headers = {**_aws("sqs"), "X-Amz-Target": f"AmazonSQS.{action}"}
    return Call("POST", "/", headers, json.dumps(body))


class Moto(Peer):
    """moto's server, a mock of another API: ten objects of a bucket, and a message to a queue."""

    name, version = "moto server", "5.2.5"
    recipe = Pip(f"moto[server]=={version}")
    spec = "AWS: S3 ListObjectsV2 and SQS SendMessage"
    enforces = "parameters; has state; logs each request"
    calls: Mapping[str, Call] = {LIST: Call("GET", "/", _aws("s3"))}

    def command(self, port: int, place: Place) -> list[str]:
        return [str(self.home(place) / "bin/moto_server"), f"--port={port}"]

    def furnish(self, port: int) -> Mapping[str, Call]:
        """Make a bucket of ten objects, and a queue."""
        for path in ("/chats", *(f"/chats/{number}" for number in range(10))):
            ask(port, Call("PUT", path, _aws("s3")))
        queue = json.loads(ask(port, _queue("CreateQueue", {"QueueName": "messages"})).body)
        message = {"QueueUrl": queue["QueueUrl"], "MessageBody": text_of(1024)}
        return {
            LIST: Call("GET", "/chats?list-type=2", _aws("s3")),
            SEND: _queue("SendMessage", message),
        }


def everyone() -> list[Server]:
    """Return all servers in the order of the tables."""
    ours: list[Server] = [Mock(), Constant(), Nginx()]
    return [
        *ours,
        Prism(),
        Scalar(),
        Mockoon(),
        Connexion(),
        SmallConnexion(),
        HttpServer(),
        Moto(),
    ]
