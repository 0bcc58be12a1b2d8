"""The pytest plugin: the fixture `fansmetric`, its options, and what it checks after a test.

pytest imports this module in every session, so everything heavy is imported at the first use.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.testing import Backend, FansMetric

CHECKS = ("faults", "routes", "refusals")
"""What may fail a test that passed otherwise; see ``mockserver.testing.aftermath``."""

_FILES = {"fansmetric_fixtures": "directory", "fansmetric_spec": "file"}
"""The options that name files, and what must be there."""

_WANTED = "write @pytest.mark.fansmetric(fail_on=[...])"

_MOCK = pytest.StashKey["FansMetric"]()
_SERVER = pytest.StashKey["Backend"]()
_TROUBLE = pytest.StashKey[str | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `fansmetric`."""
    group = parser.getgroup("fansmetric", "FansMetric mock")
    group.addoption(
        "--fansmetric-url",
        metavar="URL",
        help="use the mock that runs at URL instead of starting one",
    )
    group.addoption(
        "--fansmetric-one-server",
        action="store_true",
        help="let all workers of pytest-xdist share one mock instead of starting one each",
    )
    group.addoption(
        "--fansmetric-fail-on",
        metavar="WHAT",
        help="fail tests that leave one of these behind: faults (planted, never met), routes (requests"
        " that match no route), refusals (that the test didn't expect); comma-separated",
    )
    parser.addini("fansmetric_url", "same as --fansmetric-url", default=None)
    parser.addini("fansmetric_fail_on", "same as --fansmetric-fail-on", type="args", default=[])
    parser.addini("fansmetric_fixtures", "directory that seeds the mock's world", default=None)
    parser.addini("fansmetric_spec", "OpenAPI document that the mock serves", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse wrong options before any test runs."""
    config.addinivalue_line(
        "markers",
        "fansmetric(fail_on=[...]): what fails this test beside its own asserts:"
        f" {', '.join(CHECKS)}",
    )
    _checked(_asked(config), "--fansmetric-fail-on")
    _check_places(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a wrong marker before any test runs; a worker of pytest-xdist can't, and fails the test."""
    if not hasattr(config, "workerinput"):
        for item in items:
            _marked(item)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is wrong."""
    try:
        _marked(item)
    except pytest.UsageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the shared mock is; the first one starts it."""
    if node.config.getoption("fansmetric_one_server") and not _given_url(node.config):
        trouble = _trouble(node.config)
        if trouble:
            raise pytest.UsageError(trouble)
        node.workerinput["fansmetric_url"] = _backend(node.config).url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the mock of this process, if one was needed."""
    backend = config.stash.get(_SERVER, None)
    if backend is not None:
        backend.close()


@pytest.fixture
def fansmetric(request: pytest.FixtureRequest) -> Iterator[FansMetric]:
    """Return a mock of the FansMetric API: its ``url``, and ``org()`` for organizations of the test's own."""
    from mockserver.testing import FansMetric

    trouble = _trouble(request.config)
    if trouble:
        pytest.fail(trouble, pytrace=False)
    with FansMetric(_backend(request.config)) as mock:
        request.node.stash[_MOCK] = mock
        yield mock


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that passed but left behind what it was asked not to."""
    yield
    mock = item.stash.get(_MOCK, None)
    if mock is None:
        return
    marked = _marked(item)
    checks = _asked(item.config) if marked is None else marked
    if checks:
        from mockserver.testing.aftermath import left_behind

        problems = left_behind(mock, checks)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what each of its organizations was asked, and what came without a valid key."""
    report = yield
    mock = item.stash.get(_MOCK, None)
    if mock is not None and report.when == "call" and report.failed:
        from mockserver.testing.aftermath import stories

        report.sections += stories(mock)
    return report


def _backend(config: pytest.Config) -> Backend:
    """Return the session's way to the mock; one inside this process isn't started before it is needed."""
    from mockserver.testing import InProcess, Remote

    if _SERVER not in config.stash:
        url = _given_url(config)
        fixtures, spec = (_file(config, name) for name in _FILES)
        token = os.environ.get("FANSMETRIC_MOCK_TOKEN")  # the one that `mockserver serve` reads
        config.stash[_SERVER] = Remote(url, token) if url else InProcess(fixtures, spec)
    return config.stash[_SERVER]


def _trouble(config: pytest.Config) -> str | None:
    """Return why there is no mock for the tests of this session, or ``None`` where there is one."""
    from mockserver.errors import SuiteError

    if _TROUBLE not in config.stash:
        config.stash[_TROUBLE] = None
        try:
            _backend(config).check()
        except SuiteError as error:
            config.stash[_TROUBLE] = f"fansmetric: {error}"
    return config.stash[_TROUBLE]


def _check_places(config: pytest.Config) -> None:
    """Raise ``UsageError`` when the URL is none, or a file isn't there."""
    url = config.getoption("fansmetric_url") or config.getini("fansmetric_url")
    if url:
        from mockserver.errors import Misuse
        from mockserver.testing import Remote

        try:
            Remote(url)
        except Misuse as error:
            raise pytest.UsageError(f"--fansmetric-url: {error}") from None
    for name, kind in _FILES.items():
        file = _file(config, name)
        if file is not None and not (file.is_dir() if kind == "directory" else file.is_file()):
            raise pytest.UsageError(f"{name}: there is no {kind} {file}")


def _file(config: pytest.Config, name: str) -> Path | None:
    """Return the path that an ini option names, from the root of the project."""
    given = config.getini(name)
    return config.rootpath / given if given else None


def _given_url(config: pytest.Config) -> str | None:
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    return (
        config.getoption("fansmetric_url")
        or config.getini("fansmetric_url")
        or worker.get("fansmetric_url")
    )


def _asked(config: pytest.Config) -> list[str]:
    option = config.getoption("fansmetric_fail_on")
    if option is None:
        return list(config.getini("fansmetric_fail_on"))
    return [part.strip() for part in option.split(",") if part.strip()]


def _marked(item: pytest.Item) -> list[str] | None:
    """Return what the test's own marker names, or ``None`` without one. Raises ``UsageError`` when it is wrong."""
    marker = item.get_closest_marker("fansmetric")
    if marker is None:
        return None
    names = marker.kwargs.get("fail_on")
    if marker.args or marker.kwargs.keys() != {"fail_on"} or not isinstance(names, Collection):
        given = [*map(repr, marker.args), *(f"{k}={v!r}" for k, v in marker.kwargs.items())]
        got = f"got fansmetric({', '.join(given)})"
        raise pytest.UsageError(f"{item.nodeid}: {_WANTED}, with any of {', '.join(CHECKS)}; {got}")
    return _checked(names, f"{item.nodeid}: fail_on")


def _checked(names: Iterable[str], where: str) -> list[str]:
    """Return ``names``. Raises ``UsageError`` when one is no check."""
    names = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise pytest.UsageError(f"{where}: unknown {unknown[0]!r}; choose from {', '.join(CHECKS)}")
    return names
