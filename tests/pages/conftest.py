"""Pages are asked for with a plain client: they aren't answers of the mocked API."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from mockserver import create_app
from mockserver.app import MockFlask


@pytest.fixture(scope="module")
def paged() -> MockFlask:
    """Return an application for the tests of a module, none of which changes its world."""
    return create_app()


@pytest.fixture
def browser(paged: MockFlask) -> FlaskClient:
    """Return a client that calls as a browser on this machine does."""
    return paged.test_client()
