"""What the toolkit's tests start from: one mock, reached both ways, and pytest runs that know the plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpcore  # noqa: F401 - httpx imports it late; in a run inside a test it would be forgotten again
import pytest
import yaml  # noqa: F401 - as httpcore, for the mock reads YAML late, and half of PyYAML can't be forgotten

import mockserver
from mockserver.testing import Backend, FansMetric, InProcess, Remote

ROOT = Path(mockserver.__file__).parents[1]


@pytest.fixture(scope="session")
def in_process() -> Iterator[InProcess]:
    """Return a mock inside this process."""
    backend = InProcess()
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def remote(in_process: InProcess) -> Remote:
    """Return the way to the same mock over HTTP, as to any running server."""
    return Remote(in_process.url)


@pytest.fixture(params=["in_process", "remote"])
def mock(request: pytest.FixtureRequest) -> Iterator[FansMetric]:
    """Return the toolkit, once for each way to a mock."""
    backend: Backend = request.getfixturevalue(request.param)
    with FansMetric(backend) as mock:
        yield mock


@pytest.fixture
def local(in_process: InProcess) -> Iterator[FansMetric]:
    """Return the toolkit with its mock in this process."""
    with FansMetric(in_process) as mock:
        yield mock


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return a client author's empty project, whose pytest knows this plugin, pytest-xdist and no other."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p mockserver.pytest_plugin -p xdist.plugin")
    return pytester
