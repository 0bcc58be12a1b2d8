"""Options, files and markers of a project; wrong ones are one line that says what is right."""

from __future__ import annotations

import pytest

from mockserver import pytest_options
from mockserver.testing import Remote, aftermath

pytest_plugins = ("pytester",)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fansmetric-fail-on=everything"], "*'everything'*faults, routes, refusals*"),
        (["--fansmetric-url=localhost:4010"], "*--fansmetric-url*http://127.0.0.1:4010"),
        (["--fansmetric-url=http://127.0.0.1:port"], "*--fansmetric-url*http://127.0.0.1:4010"),
        (["--fansmetric-url="], "*--fansmetric-url: '' is no address*http://127.0.0.1:4010"),
        (["-o", "fansmetric_url=localhost:4010"], "*--fansmetric-url*http://127.0.0.1:4010"),
        (
            ["-o", "fansmetric_fixtures=nowhere"],
            "*fansmetric_fixtures: there is no directory *nowhere",
        ),
        (["-o", "fansmetric_fixtures=test_it.py"], "*fansmetric_fixtures: there is no directory *"),
        (
            ["-o", "fansmetric_spec=nowhere.yaml"],
            "*fansmetric_spec: there is no file *nowhere.yaml",
        ),
    ],
    ids=[
        "unknown-check",
        "no-address",
        "no-port",
        "empty-url",
        "ini-url",
        "no-folder",
        "no-world",
        "no-spec",
    ],
)
def test_wrong_options_say_what_is_right(
    project: pytest.Pytester, arguments: list[str], sentence: str
) -> None:
    """In one line, before anything runs."""
    project.makepyfile(test_it="def test_it(fansmetric):\n    fansmetric.org()")
    result = project.runpytest_inprocess(*arguments)

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert 1 == len([line for line in result.errlines if line])


WORLD = """
roles: {some: ['*']}
organizations:
  - {id: teal, accounts: [{id: 7001}], keys: [{key: fm_api_test_teal, role: some}]}
"""
WRONG_WORLD = WORLD.replace("*", "api_everything")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--fansmetric-url=http://127.0.0.1:1"], "*no mock answers*mockserver serve*"),
        (["--fansmetric-url={url}/v1"], "*no control API with GET {url}/v1/_mock/*the base URL*"),
        (["-o", "fansmetric_fixtures=world"], "*world.yaml*unknown permission*"),
        (["-o", "fansmetric_spec=test_it.py"], "*test_it.py*"),
    ],
    ids=["nobody-there", "no-base", "wrong-world", "wrong-spec"],
)
def test_a_mock_that_cannot_be_used_is_one_line(
    project: pytest.Pytester, remote: Remote, arguments: list[str], sentence: str
) -> None:
    """Each test says so, without a traceback through what isn't the reader's."""
    project.makepyfile(test_it="def test_it(fansmetric):\n    fansmetric.org()\ntest_too = test_it")
    (project.mkdir("world") / "world.yaml").write_text(WRONG_WORLD)
    result = project.runpytest_inprocess(*(a.format(url=remote.url) for a in arguments))

    result.assert_outcomes(errors=2)
    shown = [line for line in result.outlines if line.startswith("fansmetric: ")]
    assert 2 == len(shown)
    result.stdout.fnmatch_lines([sentence.format(url=remote.url)])
    assert not [line for line in result.outlines if line.startswith(("E  ", ">", "mockserver/"))]


def test_workers_are_told_of_a_wrong_world(project: pytest.Pytester) -> None:
    """A mock that all share is started by nobody then."""
    project.makepyfile("def test_it(fansmetric):\n    pass")
    (project.mkdir("world") / "world.yaml").write_text(WRONG_WORLD)
    result = project.runpytest_subprocess(
        "-n1", "--fansmetric-one-server", "-o", "fansmetric_fixtures=world"
    )

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(["ERROR: *world.yaml*unknown permission*"])


MARKERS = {
    "misspelt": ("failon=['faults']", r"got fansmetric(failon=[[]'faults'[]])"),
    "positional": ("'faults'", "got fansmetric('faults')"),
    "bare": ("", "got fansmetric()"),
    "both": ("'faults', fail_on=[]", r"got fansmetric('faults', fail_on=[[][]])"),
    "nothing": ("fail_on=None", "got fansmetric(fail_on=None)"),
}


@pytest.mark.parametrize(("marker", "got"), MARKERS.values(), ids=MARKERS)
def test_a_wrong_marker_is_refused(project: pytest.Pytester, marker: str, got: str) -> None:
    """It would switch every check off in silence."""
    wrong = f"import pytest\n@pytest.mark.fansmetric({marker})\ndef test_it(fansmetric): pass\n"
    project.makepyfile(test_wrong=wrong)
    result = project.runpytest_inprocess()

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(
        [
            "ERROR: test_wrong.py::test_it: write @pytest.mark.fansmetric(fail_on=[[]...]),"
            f" with any of faults, routes, refusals; {got}"
        ]
    )


def test_a_wrong_marker_fails_the_tests_of_a_worker(project: pytest.Pytester) -> None:
    wrong = "import pytest\n@pytest.mark.fansmetric('faults')\ndef test_it(): pass\n"
    project.makepyfile(test_wrong=wrong + "def test_other(): pass\n")
    result = project.runpytest_subprocess("-n1")

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["test_wrong.py::test_it: write @pytest.mark.fansmetric*"])


def test_files_of_the_project(project: pytest.Pytester) -> None:
    """A world and a contract of the project's own are named in its ini file, from its root."""
    (project.mkdir("world") / "world.yaml").write_text(WORLD)
    project.makeini("[pytest]\nfansmetric_fixtures = world")
    project.makepyfile(
        """
def test_it(fansmetric):
    with fansmetric.httpx_client(headers={"X-API-Key": "fm_api_test_teal"}) as client:
        assert client.get("/v1/accounts").status_code == 200
"""
    )

    project.runpytest_inprocess().assert_outcomes(passed=1)


def test_every_check_may_be_named() -> None:
    """The plugin knows their names without importing them."""
    assert list(pytest_options.CHECKS) == list(aftermath.CHECKS)
