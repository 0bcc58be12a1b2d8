"""The options of the pytest plugin, its marker, and what is wrong with them.

pytest imports this module in every session, as it does the plugin.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest

CHECKS = ("faults", "routes", "refusals")
"""What may fail a test that passed otherwise; see ``mockserver.testing.aftermath``."""

FILES = {"fansmetric_fixtures": "directory", "fansmetric_spec": "file"}
"""The options that name files, and what must be there."""

_WANTED = "write @pytest.mark.fansmetric(fail_on=[...])"


def add(parser: pytest.Parser) -> None:
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


def check(config: pytest.Config) -> None:
    """Raise ``UsageError`` when an option is wrong: an unknown check, no URL, or a file that isn't there."""
    _checked(asked(config), "--fansmetric-fail-on")
    _check_places(config)


def file(config: pytest.Config, name: str) -> Path | None:
    """Return the path that an ini option names, from the root of the project."""
    given = config.getini(name)
    return config.rootpath / given if given else None


def given_url(config: pytest.Config) -> str | None:
    """Return the address of a mock that runs already, ``None`` where one is to be started."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    return (
        config.getoption("fansmetric_url")
        or config.getini("fansmetric_url")
        or worker.get("fansmetric_url")
    )


def asked(config: pytest.Config) -> list[str]:
    """Return what the project or the command line asks to fail tests on."""
    option = config.getoption("fansmetric_fail_on")
    if option is None:
        return list(config.getini("fansmetric_fail_on"))
    return [part.strip() for part in option.split(",") if part.strip()]


def marked(item: pytest.Item) -> list[str] | None:
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


def _check_places(config: pytest.Config) -> None:
    """Raise ``UsageError`` when the URL is none, or a file isn't there."""
    option = config.getoption("fansmetric_url")
    url = config.getini("fansmetric_url") if option is None else option
    if url is not None:  # an empty one is a variable that isn't set where it should be
        from mockserver.errors import Misuse
        from mockserver.testing import Remote

        try:
            Remote(url)
        except Misuse as error:
            raise pytest.UsageError(f"--fansmetric-url: {error}") from None
    for name, kind in FILES.items():
        path = file(config, name)
        if path is not None and not (path.is_dir() if kind == "directory" else path.is_file()):
            raise pytest.UsageError(f"{name}: there is no {kind} {path}")
