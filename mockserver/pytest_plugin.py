"""The pytest plugin: the fixture `fansmetric`, and what it checks after a test.

pytest imports this module in every session, so everything heavy is imported at the first use.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from mockserver import pytest_options as options

if TYPE_CHECKING:
    from mockserver.testing import Backend, FansMetric

_MOCKS = pytest.StashKey[dict[str, "FansMetric"]]()
"""What is open now, by the name of its fixture."""

_PATCH = pytest.StashKey[pytest.MonkeyPatch]()
_SERVER = pytest.StashKey["Backend"]()
_TROUBLE = pytest.StashKey[str | None]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the group `fansmetric`."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and refuse wrong options before any test runs."""
    config.addinivalue_line(
        "markers",
        "fansmetric(fail_on=[...]): what fails this test beside its own asserts:"
        f" {', '.join(options.CHECKS)}",
    )
    options.check(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a wrong marker before any test runs; a worker of pytest-xdist can't, and fails the test."""
    if not hasattr(config, "workerinput"):
        for item in items:
            options.marked(item)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail a test whose marker is wrong."""
    try:
        options.marked(item)
    except pytest.UsageError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the shared mock is; the first one starts it."""
    if node.config.getoption("fansmetric_one_server") and not options.given_url(node.config):
        trouble = _trouble(node.config)
        if trouble:
            raise pytest.UsageError(trouble)
        node.workerinput["fansmetric_url"] = _backend(node.config).url


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the mock of this process, if one was needed."""
    if _SERVER in config.stash:
        config.stash[_SERVER].close()
        config.stash[_PATCH].undo()


@pytest.fixture
def fansmetric(request: pytest.FixtureRequest) -> Iterator[FansMetric]:
    """Return a mock of the FansMetric API: its ``url``, and ``org()`` for organizations of the test's own."""
    with _opened(request) as mock:
        yield mock


def _lasting(request: pytest.FixtureRequest) -> Iterator[FansMetric]:
    """Return the same for fixtures that last longer: its organizations stay until the end of this scope.

    What they leave behind is judged then.
    """
    with _opened(request) as mock:
        yield mock
        _judge(mock, options.asked(request.config), is_whole=False)


module_fansmetric = pytest.fixture(scope="module", name="module_fansmetric")(_lasting)
session_fansmetric = pytest.fixture(scope="session", name="session_fansmetric")(_lasting)


@contextmanager
def _opened(request: pytest.FixtureRequest) -> Iterator[FansMetric]:
    from mockserver.testing import FansMetric

    trouble = _trouble(request.config)
    if trouble:
        pytest.fail(trouble, pytrace=False)
    name = str(request.fixturename)
    mocks = request.config.stash.setdefault(_MOCKS, {})
    with FansMetric(_backend(request.config)) as mock:
        mocks[name] = mock
        try:
            yield mock
        finally:
            del mocks[name]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that passed but left behind what it was asked not to."""
    # Where a test has no frame of its own, as under hypothesis, pytest would show this one.
    __tracebackhide__ = True
    yield
    mock = item.config.stash.get(_MOCKS, {}).get("fansmetric")
    if mock is not None:
        marked = options.marked(item)
        _judge(mock, options.asked(item.config) if marked is None else marked, is_whole=True)


def _judge(mock: FansMetric, checks: Collection[str], *, is_whole: bool) -> None:
    """Fail when ``mock`` has what ``checks`` find; ``is_whole`` with the requests of no organization."""
    if checks:
        from mockserver.testing.aftermath import left_behind

        problems = left_behind(mock, checks, is_whole=is_whole)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what each of its organizations was asked, and what came without a valid key."""
    report = yield
    mocks = item.config.stash.get(_MOCKS, {})
    if mocks and report.failed:
        from mockserver.testing.aftermath import stories

        for name in sorted(mocks.keys() & {"fansmetric", *getattr(item, "fixturenames", ())}):
            report.sections += stories(mocks[name], is_whole=name == "fansmetric")
    return report


def _backend(config: pytest.Config) -> Backend:
    """Return the session's way to the mock; one inside this process isn't started before it is needed."""
    from mockserver.testing import InProcess, Remote
    from mockserver.testing.proxies import exceptions

    if _SERVER not in config.stash:
        url = options.given_url(config)
        fixtures, spec = (options.file(config, name) for name in options.FILES)
        config.stash[_PATCH] = patch = pytest.MonkeyPatch()
        for variable, hosts in exceptions().items():
            patch.setenv(variable, hosts)
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
