"""Requests without a valid key: whose they were, what they fail, and where a failure shows them."""

from __future__ import annotations

import pytest

from mockserver.errors import Misuse
from mockserver.testing import FansMetric, InProcess, Remote

pytest_plugins = ("pytester",)

CHECKS = "--fansmetric-fail-on=routes,refusals"
TESTS = """
import pytest

def ask(fansmetric, path="/v1/1001/chats", **headers):
    with fansmetric.httpx_client(headers=headers) as client:
        return client.get(path).status_code

def test_clean(fansmetric):
    assert ask(fansmetric, **fansmetric.org().key().headers) == 200
    assert ask(fansmetric, "/health") == 200

def test_no_key(fansmetric):
    fansmetric.org()
    assert ask(fansmetric) == 401

def test_misspelt_key(fansmetric):
    key = fansmetric.org().key()
    assert ask(fansmetric, **{"X-API-Key": key[:-1]}) == 401

def test_no_route(fansmetric):
    assert ask(fansmetric, "/v1/1001/chat") == 404

def test_expected(fansmetric):
    fansmetric.expect("auth.key-missing")
    assert ask(fansmetric) == 401

def test_expected_of_an_organization(fansmetric):
    org = fansmetric.org()
    org.expect(401)
    assert ask(fansmetric) == 401

def test_planting_says_nothing_of_others(fansmetric):
    org = fansmetric.org()
    org.fail_next(401)
    assert ask(fansmetric, **org.key().headers) == 401
    assert ask(fansmetric) == 401

def test_forgotten(fansmetric):
    assert ask(fansmetric) == 401
    fansmetric.app.test_client().delete("/_mock/journal")

def test_after_it_was_forgotten(fansmetric):
    assert ask(fansmetric) == 401
    fansmetric.app.test_client().delete("/_mock/journal")
    assert ask(fansmetric) == 401

@pytest.mark.fansmetric(fail_on=[])
def test_forgives(fansmetric):
    assert ask(fansmetric) == 401

def test_its_own_failure(fansmetric):
    assert ask(fansmetric) == 200
"""
FAILED = {
    "test_no_key",
    "test_misspelt_key",
    "test_no_route",
    "test_planting_says_nothing_of_others",
    "test_after_it_was_forgotten",
    "test_its_own_failure",
}


def failed(result: pytest.RunResult) -> set[str]:
    lines = (line for line in result.outlines if line.startswith("FAILED "))
    return {line.partition("::")[2].split()[0] for line in lines}


def test_a_mock_of_ones_own_tells(project: pytest.Pytester) -> None:
    """Each test answers for what it sent, in whatever order they run."""
    project.makepyfile(TESTS)
    result = project.runpytest_inprocess(CHECKS)

    assert FAILED == failed(result)
    result.stdout.fnmatch_lines(
        [
            "without a valid key: GET /v1/1001/chats -> 401 (auth.key-missing) was refused"
            ' unexpectedly; if the test wants that, say fansmetric.expect("auth.key-missing")',
            "*- requests without a valid key -*",
            "  GET /v1/1001/chats -> 401 (auth.key-missing)",
            "without a valid key: GET /v1/1001/chats -> 401 (auth.key-invalid) was refused*",
            "without a valid key: GET /v1/1001/chat matches no route;"
            " the nearest is GET /v1/{account_id}/chats",
        ]
    )


def test_nothing_is_checked_unasked(project: pytest.Pytester) -> None:
    """But a test that failed by itself shows what it sent."""
    project.makepyfile(TESTS)
    result = project.runpytest_inprocess()

    assert {"test_its_own_failure"} == failed(result)
    result.stdout.fnmatch_lines(
        ["*- requests without a valid key -*", "  GET /v1/1001/chats -> 401*"]
    )


def test_on_a_shared_mock_nobody_answers_for_others(
    project: pytest.Pytester, remote: Remote
) -> None:
    """Neither for requests that came before the test, nor for those that came while it ran."""
    project.makepyfile(
        """
def test_neighbour(fansmetric):
    org = fansmetric.org()
    with fansmetric.httpx_client() as client:
        assert client.get("/v1/1001/chats").status_code == 401
        assert client.get("/v1/1001/chat").status_code == 404
    assert fansmetric.is_shared

def test_clean(fansmetric):
    fansmetric.org()
"""
    )

    project.runpytest_inprocess(CHECKS, f"--fansmetric-url={remote.url}").assert_outcomes(passed=2)
    project.runpytest_subprocess(CHECKS, "-n2", "--fansmetric-one-server").assert_outcomes(passed=2)


def test_workers_tell_their_own(project: pytest.Pytester) -> None:
    project.makepyfile(TESTS)

    assert FAILED == failed(project.runpytest_subprocess(CHECKS, "-n2"))


def test_is_there_to_assert_on(in_process: InProcess, remote: Remote) -> None:
    """From when the toolkit began; an organization's own requests are its own."""
    with FansMetric(in_process) as before, before.httpx_client() as client:
        client.get("/v1/accounts")
        with FansMetric(in_process) as mock:
            org = mock.org()
            client.get("/v1/1001/chats")
            client.get("/v1/1001/chat", headers=org.key().headers)

            assert 401 == mock.unclaimed.to("GET /v1/{account_id}/chats").once().status
            assert 1 == len(mock.unclaimed)
            with pytest.raises(AssertionError, match="0 requests without a valid key, got 1"):
                mock.unclaimed.never()
            assert not mock.is_shared

    with pytest.raises(Misuse, match="isn't in this process"):
        FansMetric(remote).unclaimed  # noqa: B018 - reading it is what raises
