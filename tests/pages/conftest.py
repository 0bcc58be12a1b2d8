"""Pages are asked for with a plain client: they aren't answers of the mocked API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from flask.testing import FlaskClient

from mockserver import create_app
from mockserver.app import MockFlask
from mockserver.server import MockServer
from tests.pages.browsing import CHROMIUM, Visit, launched, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def paged() -> MockFlask:
    """Return an application for the tests of a module, none of which changes its world."""
    return create_app()


@pytest.fixture
def browser(paged: MockFlask) -> FlaskClient:
    """Return a client that calls as a browser on this machine does."""
    return paged.test_client()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run one browser for all tests of a module, where browsers are wanted and there is one."""
    if "FANSMETRIC_BROWSER" not in os.environ:
        pytest.skip("run by `tox -e browser`")
    if CHROMIUM is None or find_spec("playwright") is None:
        pytest.skip("needs Playwright for Python, and a Chromium on the PATH")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def served() -> Iterator[MockServer]:
    """Serve a mock of a module's own."""
    with MockServer(create_app()) as running:
        yield running


@pytest.fixture
def visit(chromium: Browser, served: MockServer) -> Iterator[Visit]:
    """Return a visitor of the mock, whose visit must be quiet and stay on the host."""
    with visiting(chromium, served.url) as visit:
        yield visit
