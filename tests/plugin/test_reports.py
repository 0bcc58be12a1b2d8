"""What a client author reads after a failure: their own lines, and what the client asked."""

from __future__ import annotations

import os

import pytest

from mockserver.testing.proxies import exceptions

pytest_plugins = ("pytester",)

FAILURES = {
    "assertion": ("org.assert_backed_off()", "AssertionError: *was asked nothing*"),
    "count": ("org.requests.times(2)", "AssertionError: expected 2 requests, got 0"),
    "misuse": ("org.exhaust('hour')", "*Misuse: windows.0: *"),
    "operation": ("org.fail_next(to='GET /v1/1001/chats')", "*UnknownOperation: *did you mean*"),
    "setting": ("org.limits = 3", "*Misuse: TestOrganization.limits*"),
}


@pytest.mark.parametrize(("line", "sentence"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_shown_where_it_was_caused(
    project: pytest.Pytester, line: str, sentence: str
) -> None:
    """No frame of ours stands between the test's line and the sentence."""
    project.makepyfile(f"def test_it(fansmetric):\n    org = fansmetric.org()\n    {line}")
    result = project.runpytest_inprocess()

    result.stdout.fnmatch_lines([f">       {line}", f"E       {sentence}"])
    result.stdout.no_fnmatch_line("*conduct.py*")
    result.stdout.no_fnmatch_line("*organization.py:*")
    project.runpytest_inprocess("--full-trace").stdout.fnmatch_lines(
        ["*mockserver*testing*:[0-9]*"]
    )


def test_a_mistake_of_ours_is_shown_whole(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is neither an assertion nor misuse may be our own fault, so nothing is hidden."""
    monkeypatch.setattr("mockserver.testing.organization.iso", None)
    project.makepyfile("def test_it(fansmetric):\n    fansmetric.org().key(expires='2030-01-01')")

    project.runpytest_inprocess().stdout.fnmatch_lines(["*organization.py:*TypeError*"])


def test_a_failed_fixture_shows_what_was_asked(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
import pytest

@pytest.fixture
def client(fansmetric):
    org = fansmetric.org(subscription="none")
    with fansmetric.httpx_client(headers=org.key().headers) as client:
        assert client.get("/v1/accounts").status_code == 200

def test_it(client):
    pass
"""
    )
    result = project.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*requests to org-1*", "  GET /v1/accounts -> 402 *"])


def test_a_failure_shows_what_became_of_faults(project: pytest.Pytester) -> None:
    """A client that gave up early, or that asked something else, is seen by what it left of them."""
    project.makepyfile(
        """
def test_it(fansmetric):
    org = fansmetric.org()
    org.fail_next(503, times=3)
    org.plant_fault(kind="latency", latency=1, to="GET /v1/accounts")
    with fansmetric.httpx_client(headers=org.key().headers) as client:
        assert client.get("/v1/1001/chats").status_code == 200
"""
    )
    result = project.runpytest_inprocess()

    result.stdout.fnmatch_lines(
        [
            "*requests to org-1*",
            "  GET /v1/1001/chats -> 503 *",
            "  the fault status 503 for any request was met 1 of 3 times",
            "  the fault latency for listAccounts was met 0 of 1 times",
        ]
    )


PROXIED = """
import os
import requests
import urllib.request

def test_it(fansmetric):
    headers = fansmetric.org().key().headers
    url = fansmetric.url + "/v1/accounts"
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    assert urllib.request.urlopen(urllib.request.Request(url, headers=headers)).status == 200
    assert "intranet.example" in os.environ["no_proxy"].split(",")
"""


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of this machine, and what it excepts from them."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize("options", [(), ("-n1",), ("-n1", "--fansmetric-one-server")], ids=str)
def test_a_proxy_stands_not_between(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    """Where the environment names a proxy, clients still reach the mock; what was excepted stays so."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    project.makepyfile(PROXIED)

    project.runpytest_subprocess(*options).assert_outcomes(passed=1)


@pytest.mark.usefixtures("no_proxies")
def test_the_environment_is_as_it_was(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    project.makepyfile("import os\ndef test_it(fansmetric):\n    assert os.environ['no_proxy']")
    project.runpytest_inprocess().assert_outcomes(passed=1)

    assert not {"no_proxy", "NO_PROXY"} & set(os.environ)


@pytest.mark.usefixtures("no_proxies")
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"no_proxy": "a.example"}, None),
        ({"http_proxy": "http://p.example", "no_proxy": "*"}, None),
        ({"https_proxy": "http://p.example"}, "127.0.0.1,localhost,::1"),
        ({"ALL_PROXY": "http://p.example", "NO_PROXY": "::1, a"}, "::1,a,127.0.0.1,localhost"),
    ],
    ids=["no-proxy", "exceptions-only", "everything", "any-proxy", "some-known"],
)
def test_exceptions_from_proxies(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert ({"no_proxy": expected, "NO_PROXY": expected} if expected else {}) == exceptions()
