"""Fixtures of a client that outlast one test, and what becomes of their organizations."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)

FIXTURE = """
import pytest

@pytest.fixture(scope="{scope}")
def client({scope}_fansmetric):
    org = {scope}_fansmetric.org(limit_minute=2)
    with {scope}_fansmetric.httpx_client(headers=org.key().headers) as client:
        client.org = org
        yield client
"""
TESTS = """
def test_first(client):
    assert client.get("/v1/accounts").status_code == 200

def test_second(client, fansmetric):
    other = fansmetric.org()
    assert client.get("/v1/accounts").status_code == 200
    assert client.get("/v1/accounts").status_code == 429
    assert client.org.requests.statuses == [200, 200, 429]
    other.requests.never()
"""


@pytest.mark.parametrize("scope", ["module", "session"])
def test_an_organization_may_outlast_a_test(project: pytest.Pytester, scope: str) -> None:
    project.makeconftest(FIXTURE.format(scope=scope))
    project.makepyfile(TESTS)

    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_one_of_a_module_is_gone_after_it(project: pytest.Pytester) -> None:
    project.makeconftest(FIXTURE.format(scope="module"))
    project.makepyfile(test_one=TESTS, test_two=TESTS)

    project.runpytest_inprocess().assert_outcomes(passed=4)


def test_one_of_the_session_is_shared_by_modules(project: pytest.Pytester) -> None:
    project.makeconftest(FIXTURE.format(scope="session"))
    project.makepyfile(test_one=TESTS, test_two=TESTS)

    project.runpytest_inprocess().assert_outcomes(passed=2, failed=2)


def test_what_a_lasting_one_leaves_is_judged_in_its_end(project: pytest.Pytester) -> None:
    """The tests pass, and the teardown of the last one names what none of them expected."""
    project.makeconftest(FIXTURE.format(scope="module"))
    project.makepyfile(
        TESTS
        + """
def test_no_key(client, fansmetric):
    fansmetric.expect(401)
    assert client.get("/v1/accounts", headers={"Authorization": ""}).status_code == 401
"""
    )
    result = project.runpytest_inprocess("--fansmetric-fail-on=refusals")

    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_no_key*",
            'org-*: GET /v1/accounts -> 429 (rate.minute) was refused unexpectedly; *"rate.minute")',
        ]
    )
    result.stdout.no_fnmatch_line("*without a valid key*")


def test_a_failure_shows_the_lasting_one_that_it_used(project: pytest.Pytester) -> None:
    """And no other's, nor what came without a key long before."""
    project.makeconftest(FIXTURE.format(scope="session"))
    project.makepyfile(
        """
def test_uses_it(client):
    client.get("/v1/accounts?uses", headers={"Authorization": ""})
    assert client.get("/v1/accounts?uses").status_code == 201

def test_does_not(fansmetric):
    fansmetric.org()
    raise AssertionError("marker")
"""
    )
    result = project.runpytest_inprocess()

    result.assert_outcomes(failed=2)
    lines = result.outlines
    marker = next(n for n, line in enumerate(lines) if "marker" in line)
    shown = [n for n, line in enumerate(lines) if line == "  GET /v1/accounts?uses -> 200"]
    assert 1 == len(shown)
    assert shown[0] < marker
    result.stdout.no_fnmatch_line("*without a valid key*")
