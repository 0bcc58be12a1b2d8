"""The pages: who sees them, under which policy, and what they cost until somebody asks."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient

import mockserver
from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.pages import assets
from mockserver.rules import RULES, UNKNOWN_ROUTE

ROOT = Path(mockserver.__file__).parent.parent
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ["/", "/rules", "/docs", "/docs/control"]
FILES = {
    "/openapi.yaml": "application/yaml",
    "/openapi.json": "application/json",
    "/docs/openapi.json": "application/json",
    "/docs/control/openapi.json": "application/json",
    "/_pages/pages.css": "text/css; charset=utf-8",
    "/_pages/rules.js": "text/javascript; charset=utf-8",
    "/_pages/swagger-ui/swagger-ui.css": "text/css; charset=utf-8",
    "/_pages/swagger-ui/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
}
pytestmark = pytest.mark.skipif(
    assets.renderer_folder() is None, reason="needs the extra: pip install '.[pages]'"
)


@pytest.mark.parametrize("path", PAGES)
def test_page_under_a_strict_policy(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path, headers=HTML)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))  # fmt: skip

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.content_type)
    assert ("'none'", "'self'", "'self'") == (policy["default-src"], policy["script-src"], policy["style-src"])  # fmt: skip
    assert "'none'" == policy["frame-ancestors"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "nosniff" == answer.headers["X-Content-Type-Options"]


@pytest.mark.parametrize("path", PAGES)
def test_page_is_whole_on_this_host(browser: FlaskClient, path: str) -> None:
    """Every address is a path that answers, no script or style stands in the page itself."""
    html = browser.get(path, headers=HTML).text
    addresses = set(re.findall(r"(?:src|href)=\"([^\"]*)\"", html)) - {"data:,", "#content"}

    assert addresses
    for address in addresses:
        assert re.match(r"/(?!/)|#", address), address
        if address.startswith("/"):
            assert 200 == browser.get(address, headers=HTML).status_code, address
    assert [] == re.findall(r"<style|\sstyle=|\son\w+=|<script(?! src=)|javascript:", html)


@pytest.mark.parametrize("path", [*PAGES, "/_mock/"])
def test_every_page_leads_to_every_other(browser: FlaskClient, path: str) -> None:
    """They have one navigation, in which the page itself is marked."""
    html = browser.get(path, headers=HTML).text
    bar = html.partition('<div class="pages-bar">')[2].partition("</div>")[0]
    links = dict(re.findall(r"<a (?:class=\"home\" )?href=\"([^\"]*)\"([^>]*)>", bar))

    assert {*PAGES, "/_mock/"} == set(links)
    assert {path: ' aria-current="page"'} == {to: marked for to, marked in links.items() if marked}


@pytest.mark.parametrize("path", FILES)
def test_file_is_sent_once(browser: FlaskClient, path: str) -> None:
    answer = browser.get(path)
    again = browser.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    other = browser.get(path, headers={"If-None-Match": '"another"'})

    assert (200, FILES[path]) == (answer.status_code, answer.content_type)
    assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "no-cache" == answer.headers["Cache-Control"]
    assert (304, b"") == (again.status_code, again.data)
    assert 200 == other.status_code


@pytest.mark.parametrize(
    "path", ["/_pages/nothing.js", "/_pages/..%2fblueprint.py", "/_pages/swagger-ui/LICENSE"]
)
def test_no_other_file_is_sent(browser: FlaskClient, path: str) -> None:
    assert 404 == browser.get(path).status_code


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "application/json, text/html;q=0.5"]
)
def test_clients_find_no_route(browser: FlaskClient, method: str, accept: str | None) -> None:
    """Only a browser gets the first page; a client's mistake is answered as the API would."""
    answer = browser.open("/", method=method, headers={"Accept": accept} if accept else {})

    assert (404, ["error"]) == (answer.status_code, list(answer.get_json()))
    assert UNKNOWN_ROUTE.id == answer.headers["X-Mock-Rule"]
    assert "Content-Security-Policy" not in answer.headers


@pytest.mark.parametrize("host", ["localhost", "mock:4010", "evil.example"])
def test_clients_find_no_route_whatever_the_host(browser: FlaskClient, host: str) -> None:
    """The mocked API answers under every name, such as that of a container."""
    answer = browser.get("/", headers={"Host": host})

    assert (404, UNKNOWN_ROUTE.id) == (answer.status_code, answer.headers["X-Mock-Rule"])


STRANGERS = {
    "host": {"Host": "evil.example"},
    "host-like": {"Host": "localhost.evil.example:4010"},
    "origin": {"Origin": "http://evil.example"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("path", [*PAGES, "/docs/openapi.json", "/_pages/pages.css"])
def test_strangers_are_refused(browser: FlaskClient, path: str, headers: dict[str, str]) -> None:
    answer = browser.get(path, headers=HTML | headers)

    assert (403, ["error"]) == (answer.status_code, list(answer.get_json()))


def test_other_hosts_need_the_token() -> None:
    """A browser on this machine can't send it and needs none; the contract is for everybody."""
    client = create_app(token="s3cret").test_client()
    far = {"base_url": "http://mock:4010", "environ_base": {"REMOTE_ADDR": "172.17.0.2"}}

    assert 200 == client.get("/rules").status_code
    assert 403 == client.get("/rules", **far).status_code
    assert 403 == client.get("/rules", **far, headers={"X-Mock-Token": "other"}).status_code
    assert 200 == client.get("/rules", **far, headers={"X-Mock-Token": "s3cret"}).status_code
    assert 200 == client.get("/openapi.yaml", **far).status_code


def test_first_page_says_what_is_served(paged: MockFlask, browser: FlaskClient) -> None:
    html = browser.get("/", headers=HTML, base_url="http://localhost:4010").text

    assert f"<b>{len(paged.mock.contract)}</b> operations" in html
    assert f"<b>{len(RULES)}</b> rules" in html
    for key in paged.mock.world.seed.keys:
        assert f'<code class="key">{key.secret}</code>' in html
    line = "curl -i -H &#39;Authorization: Bearer fm_api_test_full&#39; http://localhost:4010/v1/1001/chats"
    assert line in html


def test_pages_cost_nothing_until_asked_for() -> None:
    """Neither their modules nor what they need are imported by the mock and a call."""
    code = """
import sys
from mockserver import create_app
client = create_app().test_client()
key = {"Authorization": "Bearer fm_api_test_full"}
assert client.get("/v1/1001/chats", headers=key).status_code == 200
print(*sorted(sys.modules))
assert client.get("/rules").status_code == 200
assert "mockserver.pages.catalogue" in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, capture_output=True, text=True
    )
    loaded = set(run.stdout.split())

    assert 0 == run.returncode, run.stderr
    assert {"mockserver.pages", "mockserver.pages.blueprint"} == {
        name for name in loaded if name.startswith("mockserver.pages")
    }
    assert not {"flask_swagger_ui", "mockserver.defects"} & loaded
