"""The light application: it answers as the Flask application does, and makes that one only when it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from flask import Blueprint
from werkzeug.test import Client

import mockserver
from mockserver import app as flask_module
from mockserver import create_app
from mockserver.cache import CACHE_VARIABLE
from mockserver.clock import Clock, parse_time
from mockserver.control.calling import call
from mockserver.control.document import control_document
from mockserver.errors import ContractError, FixtureError, Misuse
from mockserver.light import LightApp, create_light_app, has_route
from mockserver.server import MockServer
from tests.conftest import NOW

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from mockserver.mock import Mock

HTML = {"Accept": "text/html"}
KEY = {"X-API-Key": "fm_api_test_full"}
LOCAL = {"REMOTE_ADDR": "127.0.0.1"}

ODD_PATHS = [
    "/v1/nothing", "/v1/", "//v1/accounts", "/v1/accounts/", "/v1//chats", "/%2f", "/%FF%FE", "/rulesx",
    "/rules/", "/docs/nothing", "/openapi", "/_mock/nothing", "/_mocked", "/_pages/", "/static/x", "/favicon.ico",
    "/.", "/v1/1001/chats/50001", "/*", "/rules%0A",
]  # fmt: skip


@pytest.fixture
def light() -> LightApp:
    """Return an application that nobody has asked for anything yet."""
    return create_light_app(clock=still())


def still() -> Clock:
    clock = Clock()
    clock.freeze(parse_time(NOW))
    return clock


def has_flask(light: LightApp) -> bool:
    """Whether the Flask application was made."""
    return light._flask is not None


def told(answer: TestResponse) -> tuple[int, object, bytes]:
    return answer.status_code, sorted(answer.headers), answer.data


def test_serving_the_mocked_api_imports_no_flask(tmp_path: Path) -> None:
    """Neither the plugin nor a request does, with all that a client's test usually does around it."""
    (tmp_path / "test_light.py").write_text(
        "import sys, urllib.error, urllib.request\n"
        "import pytest\n"
        "def test_light(fansmetric):\n"
        "    org = fansmetric.org(limit_minute=2)\n"
        "    org.clock.advance(minutes=1)\n"
        "    org.fail_next(502)\n"
        "    send = urllib.request.Request(\n"
        "        fansmetric.url + '/v1/1001/chats', headers={'X-API-Key': str(org.key())})\n"
        "    with pytest.raises(urllib.error.HTTPError, match='502'):\n"
        "        urllib.request.urlopen(send)\n"
        "    with urllib.request.urlopen(send) as answer:\n"
        "        assert answer.status == 200\n"
        "    with pytest.raises(urllib.error.HTTPError, match='404'):\n"
        "        urllib.request.urlopen(fansmetric.url + '/v1/nothing')\n"
        "    assert org.requests.last.status == 200\n"
        "    assert not {'flask', 'werkzeug', 'jinja2'} & set(sys.modules)\n"
        "    assert fansmetric.app.test_client().get('/rules').status_code == 200\n"
    )
    ended = run_tests(tmp_path)

    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout


def test_serving_imports_nothing_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither TLS, which a mock inside the process doesn't speak, nor YAML, once what it says was kept."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    create_light_app()
    control_document.__wrapped__()
    (tmp_path / "test_light.py").write_text(
        "import socket, sys\n"
        "def test_light(fansmetric):\n"
        "    key = fansmetric.org().key()\n"
        "    for sent, status in ((key, b'200'), ('nobodys', b'401')):\n"
        "        client = socket.socket()\n"
        "        client.connect(('127.0.0.1', int(fansmetric.url.rpartition(':')[2])))\n"
        "        client.sendall(f'GET /v1/1001/chats HTTP/1.1\\r\\nHost: mock\\r\\nX-API-Key: {sent}\\r\\n\\r\\n'.encode())\n"
        "        assert client.recv(12) == b'HTTP/1.1 ' + status\n"
        "        client.close()\n"
        "    heavy = {'_hashlib', 'encodings.idna', 'http.client', 'ssl', 'urllib.request', 'yaml', 'zoneinfo'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    ended = run_tests(tmp_path)

    assert (0, "") == (ended.returncode, ended.stderr), ended.stdout


def run_tests(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests in ``directory`` with the plugin and no other."""
    options = ["-p", "mockserver.pytest_plugin", "-p", "no:cacheprovider", "-q", str(directory)]
    return run(
        "import os, pytest, sys; os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1';"
        f"sys.exit(pytest.main({options!r}))"
    )


def run(script: str) -> subprocess.CompletedProcess[str]:
    root = Path(mockserver.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )


def test_the_command_imports_no_flask_either() -> None:
    ended = run(
        "import sys; from mockserver.cli import announcement; from mockserver.light import create_light_app;"
        "list(announcement(create_light_app().mock, '', is_open=True)); print('flask' in sys.modules)"
    )

    assert ("False\n", "") == (ended.stdout, ended.stderr)


def test_knows_every_path_that_flask_has(own_app: MockFlask) -> None:
    """One that it didn't know would be answered 404 until somebody asks for another."""
    operations = own_app.mock.contract.operations
    others = [rule for rule in own_app.url_map.iter_rules() if rule.endpoint not in operations]
    forgotten = [rule.rule for rule in others if not has_route(re.sub("<.*?>", "1", rule.rule))]

    assert 50 < len(others)
    assert [] == forgotten


@pytest.mark.parametrize("path", ODD_PATHS)
def test_answers_odd_paths_as_flask_does(path: str, app: MockFlask) -> None:
    light = create_light_app(clock=still())
    ours, theirs = (
        [
            told(Client(asked).open(path, method=method, headers=KEY, environ_base=LOCAL))
            for method in ("GET", "HEAD", "POST", "OPTIONS", "TRACE", "BREW")
        ]
        for asked in (light, app)
    )

    assert theirs == ours
    assert has_route(unquote(path, errors="replace")) == has_flask(light)


def test_journals_an_unknown_route(light: LightApp) -> None:
    Client(light).get("/v1/nothing?page=2", headers=KEY)
    (exchange,) = light.mock.world.unclaimed

    assert ("/v1/nothing", 404, "error.unknown-route") == (
        exchange.path,
        exchange.status,
        exchange.rule,
    )
    assert not has_flask(light)


PAGES = ["/", "/rules", "/docs", "/docs/openapi.json", "/docs/control", "/docs/control/openapi.json",
         "/openapi.yaml", "/openapi.json", "/_pages/pages.css", "/_mock", "/_mock/", "/_mock/page/world.js",
         "/_mock/openapi.json", "/_mock/organizations/lark", "/_mock/journal", "/_mock/clock", "/_mock/defects"]  # fmt: skip


def test_serves_pages_and_the_control_api(light: LightApp) -> None:
    flask = create_app(clock=still()).test_client()
    theirs = [(200, flask.get(path, headers=HTML).data) for path in PAGES]
    with MockServer(light) as server:
        ours = [fetched(server, path) for path in PAGES]

    assert theirs == ours


def fetched(server: MockServer, path: str) -> tuple[int, bytes]:
    """Return what the server answers to a browser that thinks it is at `http://localhost`."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=10)
    with closing(connection):
        connection.request("GET", path, headers={**HTML, "Host": "localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_flask_runs_the_application() -> None:
    """As `flask --app mockserver run` does, which finds the factory by its name."""
    ended = run(
        "from flask.cli import ScriptInfo; app = ScriptInfo('mockserver').load_app();"
        "client = app.test_client(); print(type(app).__name__, [client.get(path).status_code"
        " for path in ('/health', '/rules', '/_mock/organizations', '/v1/nothing')])"
    )

    assert ("MockFlask [200, 200, 200, 404]\n", "") == (ended.stdout, ended.stderr)


def test_threads_that_need_flask_at_once_get_one(
    light: LightApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    applications: list[MockFlask] = []
    make, all_are_here = flask_module.flask_app, Barrier(4, timeout=10)

    def making(mock: Mock, token: str | None = None) -> MockFlask:
        applications.append(make(mock, token))
        return applications[-1]

    def asking(_: int) -> int:
        all_are_here.wait()
        return Client(light).get("/_mock/clock", environ_base=LOCAL).status_code

    monkeypatch.setattr(flask_module, "flask_app", making)
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(asking, range(4)))

    assert [200] * 4 == statuses
    assert [light.flask] == applications


def test_serves_what_is_added_to_the_application(light: LightApp) -> None:
    """Blueprints, and what stands around it."""
    ours, seen = Blueprint("ours", __name__), list[str]()
    ours.add_url_rule("/ours", view_func=lambda: "ours")
    light.flask.register_blueprint(ours)
    inner = light.flask.wsgi_app

    def noting(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return inner(environ, start_response)

    light.flask.wsgi_app = noting  # type: ignore[method-assign]  # Flask's idiom for middleware

    assert b"ours" == Client(light).get("/ours").data
    assert 200 == Client(light).get("/health").status_code
    assert ["/ours", "/health"] == seen
    assert light.mock is light.flask.mock


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: create_light_app(token=""), Misuse),
        (lambda path: create_light_app(path / "none"), FixtureError),
        (lambda path: create_light_app(spec=path / "none"), ContractError),
    ],
    ids=["token", "fixtures", "spec"],
)
def test_refuses_at_the_start(
    make: Callable[[Path], LightApp], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        make(tmp_path)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/nothing"),
        ("POST", "/clock?x=1"),
        ("GET", "/organizations?search=l%61rk&search=x&offset="),
        ("GET", "/organizations/la%72k"),
        ("GET", "/organizations/a%2Fb"),
        ("DELETE", "/organizations/lark/accounts/many"),
        ("DELETE", "/organizations/lark/accounts/-1"),
        ("DELETE", "/organizations/lark/accounts/4711"),
        ("PUT", "/reset"),
        ("BREW", "/nothing"),
        ("POST", "/organizations/lark/clock"),
        ("GET", "/organizations/%FF"),
    ],
)
def test_calls_in_this_process_are_answered_as_over_flask(
    method: str, target: str, app: MockFlask
) -> None:
    theirs = app.test_client().open(f"/_mock{target}", method=method)
    status, payload, kind = call(app.mock, method, target)

    assert (theirs.status_code, theirs.headers.get("X-Mock-Misuse")) == (status, kind)
    assert kind is None or theirs.data == payload


def test_of_a_repeated_parameter_the_first_counts(app: MockFlask) -> None:
    target = "/organizations?search=lark&search=alder"
    theirs = app.test_client().get(f"/_mock{target}")
    status, payload, _ = call(app.mock, "GET", target)

    assert (200, theirs.data) == (status, payload)
    assert ["lark"] == [one["id"] for one in theirs.get_json()["organizations"]]


def test_what_never_ends_is_let_go_at_once(light: LightApp) -> None:
    """A caller in this process reads no stream, and takes no listener's place."""
    answered = call(light.mock, "GET", "/journal/stream")

    assert (200, b"", None) == answered
    assert () == light.mock.audience.listeners


def test_a_call_that_fails_is_logged(app: MockFlask, caplog: pytest.LogCaptureFixture) -> None:
    status, _, kind = call(None, "GET", "/clock")  # type: ignore[arg-type]  # what no view can work with

    assert (500, None) == (status, kind)
    assert "GET /_mock/clock failed" in caplog.text
