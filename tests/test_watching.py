"""`mockserver serve --watch`: changed files make a new world, wrong ones leave the old one."""

from __future__ import annotations

import queue
import shutil
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from werkzeug.test import Client

from mockserver.audience import Busy
from mockserver.control.signing import SIGN_IN
from mockserver.data import default_fixtures
from mockserver.errors import SuiteError
from mockserver.light import create_light_app
from mockserver.watching import WatchedApp, watching

OLD, NEW = "fm_api_test_full", "fm_api_test_renamed"


@pytest.fixture
def fixtures(tmp_path: Path) -> Path:
    """Return a copy of the seeded world's files."""
    return Path(shutil.copytree(default_fixtures(), tmp_path / "fixtures"))


def status(app: WatchedApp, key: str) -> int:
    return Client(app).get("/v1/1001/tags", headers={"X-API-Key": key}).status_code


def rename(fixtures: Path) -> None:
    file = fixtures / "world.yaml"
    file.write_text(file.read_text().replace(OLD, NEW))


def test_a_change_builds_a_new_world(fixtures: Path) -> None:
    told: list[str] = []
    app = WatchedApp(lambda: create_light_app(fixtures), told.append)
    rename(fixtures)
    app.reload()

    assert (401, 200) == (status(app, OLD), status(app, NEW))
    assert ["reloaded: organizations, windows and journals begin anew"] == told


def test_who_listened_to_the_old_world_is_let_go(fixtures: Path) -> None:
    """And whoever signed in stays signed in."""
    app = WatchedApp(lambda: create_light_app(fixtures, token="sesame"), lambda _: None)
    listener = app.mock.audience.join(None)
    browser = app._app.flask.test_client()
    browser.post(SIGN_IN, data={"token": "sesame"}, headers={"Origin": "http://localhost"})
    app.reload()
    again, stranger = app._app.flask.test_client(), app._app.flask.test_client()
    again._cookies = browser._cookies

    assert listener.take(0.0) is None
    assert 200 == again.get("/_mock/organizations").status_code
    assert 403 == stranger.get("/_mock/organizations").status_code


def test_a_wrong_file_leaves_the_old_world(fixtures: Path) -> None:
    told: list[str] = []
    app = WatchedApp(lambda: create_light_app(fixtures), told.append)
    (fixtures / "world.yaml").write_text("organizations: 3\n")
    app.reload()

    assert 200 == status(app, OLD)
    assert told[0].startswith("not reloaded: ")
    assert "world.yaml" in told[0]
    assert "\n" not in told[0]


def test_follows_the_files(fixtures: Path) -> None:
    reloaded = threading.Event()
    app = WatchedApp(lambda: create_light_app(fixtures), lambda _: reloaded.set())
    with watching(app, [fixtures]):
        # The watcher may not look yet at the first change, so there is more than one.
        for number in range(400):
            (fixtures / "note.txt").write_text(str(number))
            if reloaded.wait(0.25):
                break

    assert reloaded.is_set()


@pytest.mark.parametrize("replaced", ["file", "directory"])
def test_follows_what_is_put_in_the_place(replaced: str, tmp_path: Path, fixtures: Path) -> None:
    """Editors and git write a new file and rename it: that is noticed the second time too."""
    told: queue.Queue[str] = queue.Queue()
    followed = fixtures if replaced == "directory" else fixtures / "world.yaml"
    app = WatchedApp(lambda: create_light_app(fixtures), told.put)
    with watching(app, [followed]):
        for _ in range(3):
            for attempt in range(60):  # the watcher may not look yet
                put_in_place(followed, tmp_path / f"new-{attempt}")
                if says_that_it_reloaded(told):
                    break
            else:
                pytest.fail("the change wasn't noticed")
            with suppress(queue.Empty):  # what the attempts before it led to
                while True:
                    told.get(timeout=0.5)


def says_that_it_reloaded(told: queue.Queue[str]) -> bool:
    """Wait a second for a line; it may also be one about a directory that wasn't there for a moment."""
    try:
        return told.get(timeout=1.0).startswith("reloaded")
    except queue.Empty:
        return False


def put_in_place(followed: Path, new: Path) -> None:
    if followed.is_dir():
        shutil.copytree(followed, new)
        followed.rename(new.with_name(f"old-{new.name}"))
        shutil.rmtree(new.with_name(f"old-{new.name}"))
    else:
        shutil.copy(followed, new)
    new.replace(followed)


def test_nobody_joins_a_world_that_was_replaced(fixtures: Path) -> None:
    """A request that began before the change would watch for ever where nothing happens any more."""
    app = WatchedApp(lambda: create_light_app(fixtures), lambda _: None)
    old = app.mock
    app.reload()
    with pytest.raises(Busy):
        old.audience.join(None)

    app.mock.audience.join(None)


def test_says_what_is_missing(fixtures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    app = WatchedApp(lambda: create_light_app(fixtures), lambda _: None)
    with (
        pytest.raises(SuiteError, match=r"fansmetric-contract\[watch\]"),
        watching(app, [fixtures]),
    ):
        pass
