"""The pytest plugin: the fixture `fansmetric`, its options, and what it checks after a test.

pytest imports this module in every session, so everything heavy is imported at the first use.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockserver.testing import Backend, FansMetric

CHECKS = ("faults", "routes", "refusals")
"""What may fail a test that passed otherwise; see ``mockserver.testing.aftermath``."""

_MOCK = pytest.StashKey["FansMetric"]()
_SERVER = pytest.StashKey["Backend"]()


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
    """Register the marker, and refuse a wrong option before any test runs."""
    config.addinivalue_line(
        "markers",
        "fansmetric(fail_on=[...]): what fails this test beside its own asserts:"
        f" {', '.join(CHECKS)}",
    )
    _checked(_asked(config), "--fansmetric-fail-on")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the shared mock is; the first one starts it."""
    if node.config.getoption("fansmetric_one_server") and not _given_url(node.config):
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
    checks = _asked(item.config)
    for marker in item.iter_markers("fansmetric"):
        checks = _checked(marker.kwargs.get("fail_on", ()), f"{item.nodeid}: fail_on")
        break
    if checks:
        from mockserver.testing.aftermath import left_behind

        problems = left_behind(mock.organizations, checks)
        if problems:
            pytest.fail("\n".join(problems), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what each of its organizations was asked."""
    report = yield
    mock = item.stash.get(_MOCK, None)
    if mock is not None and report.when == "call" and report.failed:
        from mockserver.testing.aftermath import story

        report.sections += [(f"requests to {o.id}", story(o)) for o in mock.organizations]
    return report


def _backend(config: pytest.Config) -> Backend:
    """Return the session's way to the mock; one inside this process isn't started before it is needed."""
    from mockserver.testing import InProcess, Remote

    if _SERVER not in config.stash:
        url = _given_url(config)
        files = config.getini("fansmetric_fixtures"), config.getini("fansmetric_spec")
        fixtures, spec = (config.rootpath / name if name else None for name in files)
        token = os.environ.get("FANSMETRIC_MOCK_TOKEN")  # the one that `mockserver serve` reads
        config.stash[_SERVER] = Remote(url, token) if url else InProcess(fixtures, spec)
    return config.stash[_SERVER]


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


def _checked(names: Iterable[str], where: str) -> list[str]:
    """Return ``names``. Raises ``UsageError`` when one is no check."""
    names = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise pytest.UsageError(f"{where}: unknown {unknown[0]!r}; choose from {', '.join(CHECKS)}")
    return names
