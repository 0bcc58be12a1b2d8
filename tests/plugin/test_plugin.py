"""The plugin as a client author meets it: in a project of its own, through pytest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest

from mockserver import testing
from mockserver.testing import Remote

pytest_plugins = ("pytester",)

Run = Callable[..., pytest.RunResult]

ASK = """
import requests

def ask(fansmetric, org, path="/v1/1001/chats"):
    session = fansmetric.requests_session()
    return session.get(fansmetric.url + path, headers=org.key().headers).status_code
"""


def test_the_fixture_is_there(project: pytest.Pytester) -> None:
    """Each test gets organizations of its own, which are gone afterwards, from one mock."""
    project.makepyfile(
        ASK
        + """
import pytest
from mockserver.errors import NotThere

seen = []

def test_backs_off(fansmetric):
    org = fansmetric.org(limit_minute=2)
    seen.append((fansmetric.url, org))
    assert [ask(fansmetric, org) for _ in range(3)] == [200, 200, 429]
    org.clock.advance(minutes=1)
    assert ask(fansmetric, org) == 200
    org.fail_next(502, times=2); org.account().lose_sync(); org.subscription = "past_due"
    assert ask(fansmetric, org) == 402
    assert org.requests.last.status == 402
    org.assert_backed_off()

def test_comes_after_it(fansmetric):
    url, org = seen[0]
    assert fansmetric.url == url
    with pytest.raises(NotThere, match="removed"):
        org.requests
"""
    )

    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_pytest_finds_it() -> None:
    """The installed package names the plugin as an entry point."""
    found = entry_points(group="pytest11", name="fansmetric")
    if not found:
        pytest.skip("needs the package installed, as tox does")

    assert ["mockserver.pytest_plugin"] == [point.value for point in found]


def test_is_idle_where_nobody_asks(project: pytest.Pytester) -> None:
    """A session that doesn't use the fixture imports neither Flask nor the mock, and starts nothing."""
    project.makepyfile(
        """
import sys

def test_plain():
    heavy = {"flask", "werkzeug", "yaml", "jsonschema_rs", "orjson", "requests"}
    ours = {m for m in sys.modules if m.startswith("mockserver")}
    assert not heavy & set(sys.modules)
    assert ours == {"mockserver", "mockserver.pytest_options", "mockserver.pytest_plugin"}
"""
    )
    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=1)


LEFTOVERS = (
    ASK
    + """
import pytest

def test_unused_fault(fansmetric):
    org = fansmetric.org()
    org.fail_next(502, to="GET /v1/accounts")
    ask(fansmetric, org)

def test_unknown_route(fansmetric):
    org = fansmetric.org()
    ask(fansmetric, org, "/v1/1001/chat")

def test_refusal(fansmetric):
    org = fansmetric.org(subscription="none")
    ask(fansmetric, org)

def test_expected(fansmetric):
    org = fansmetric.org(subscription="none", limit_minute=1)
    org.expect(402, "rate.minute")
    assert [ask(fansmetric, org) for _ in range(2)] == [402, 429]

def test_removed(fansmetric):
    org = fansmetric.org()
    ask(fansmetric, org, "/v1/1001/chat")
    org.remove()

def test_planted(fansmetric):
    org = fansmetric.org()
    org.fail_next(502)
    ask(fansmetric, org)

def test_forgotten(fansmetric):
    org = fansmetric.org(journal_size=1)
    ask(fansmetric, org, "/v1/1001/chat")
    ask(fansmetric, org)

def test_its_own_failure(fansmetric):
    org = fansmetric.org(subscription="none")
    assert ask(fansmetric, org) == 200

@pytest.mark.fansmetric(fail_on=[])
def test_forgives(fansmetric):
    ask(fansmetric, fansmetric.org(subscription="none"))

@pytest.mark.fansmetric(fail_on=["refusals"])
def test_forgives_nothing(fansmetric):
    ask(fansmetric, fansmetric.org(subscription="none"))
"""
)


@pytest.fixture
def leftovers(project: pytest.Pytester, remote: Remote) -> Run:
    """Return what runs the tests that leave something behind, on a server that runs already."""
    project.makepyfile(LEFTOVERS)

    def run(*arguments: str) -> pytest.RunResult:
        return project.runpytest_inprocess(f"--fansmetric-url={remote.url}", *arguments)

    return run


def test_leftovers_pass_by_default(leftovers: Run, remote: Remote) -> None:
    """And a server that runs already keeps nothing of what the tests did there."""
    leftovers().assert_outcomes(passed=8, failed=2)
    left = remote.call("GET", "/organizations")["organizations"]

    assert not [o["id"] for o in left if o["id"].startswith("org-")]


def test_leftovers_fail_on_request(leftovers: Run) -> None:
    """Each failure says what was left behind, and of an unknown route the nearest one."""
    result = leftovers("--fansmetric-fail-on=faults,routes,refusals")

    result.assert_outcomes(passed=4, failed=6)
    result.stdout.fnmatch_lines(
        [
            "*fault status 502 for listAccounts was planted, but no request met it",
            "*GET /v1/1001/chat matches no route; the nearest is GET /v1/{account_id}/chats",
            "*GET /v1/1001/chats -> 402 (*) was refused unexpectedly; *org.expect(*)",
            "org-*: the journal didn't keep the first 1 request, *larger journal_size*",
        ]
    )


def test_options_may_stand_in_the_ini_file(project: pytest.Pytester, leftovers: Run) -> None:
    project.makeini("[pytest]\nfansmetric_fail_on = refusals")

    leftovers("-k", "unused or refusal").assert_outcomes(passed=1, failed=1)


def test_a_failure_shows_what_was_asked(leftovers: Run) -> None:
    result = leftovers("-k", "own_failure")

    result.stdout.fnmatch_lines(["*requests to org-*", "*GET /v1/1001/chats -> 402*"])


def test_workers_of_xdist_have_a_mock_each(project: pytest.Pytester) -> None:
    """With `--fansmetric-one-server` they share one, as the rivals of `test_isolation.py` do."""
    project.makepyfile(
        """
import pathlib

def test_it(fansmetric, worker_id):
    pathlib.Path(f"{worker_id}.seen").write_text(fansmetric.url)
"""
    )
    result = project.runpytest_subprocess("-n2", "--dist=each")
    urls = {file.read_text() for file in project.path.glob("*.seen")}

    result.assert_outcomes(passed=2)
    assert 2 == len(urls)


def test_costs_little_to_import(project: pytest.Pytester) -> None:
    """The plugin adds less than 20 ms to the import of pytest, of the processor's time, best of five."""
    command = (sys.executable, "-c", TIMED_IMPORT)

    assert any(float(project.run(*command).outlines[-1]) < 0.02 for _ in range(5))


TIMED_IMPORT = """
from time import process_time
import pytest
began = process_time()
import mockserver.pytest_plugin
print(process_time() - began)
"""


def test_helpers_are_no_tests() -> None:
    """The classes whose names begin with Test may be imported without being collected."""
    helpers = [getattr(testing, name) for name in testing.__all__ if name.startswith("Test")]

    assert helpers
    assert not [helper for helper in helpers if helper.__test__]
