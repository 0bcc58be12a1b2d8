"""A mock that is built anew when the files change that it was made from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.errors import SuiteError
from mockserver.light import LightApp
from mockserver.mock import Mock
from mockserver.words import printable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mockserver.serving.answers import Whole
    from mockserver.serving.connection import Connection
    from mockserver.serving.heads import Head

Tell = Callable[[str], None]
"""Takes one line for the user."""

_TICK = 200
"""Milliseconds between two looks at what lies under the paths."""


class WatchedApp:
    """A WSGI application that stands for the newest one that could be built."""

    is_prompt = LightApp.is_prompt

    def __init__(self, build: Callable[[], LightApp], tell: Tell) -> None:
        """Build the first application. Raises ``SuiteError`` when its files can't be used."""
        self._build = build
        self._tell = tell
        self._app = build()

    @property
    def mock(self) -> Mock:
        """The mock that answers now."""
        return self._app.mock

    def reload(self) -> None:
        """Build anew; where the files are wrong, say so and go on with what there was."""
        old = self._app
        try:
            self._app = self._build()
        except SuiteError as error:
            self._tell(f"not reloaded: {printable(str(error))}")
        else:
            # Who listens to the old world comes again, and finds the new one.
            with old.mock.released():
                old.mock.audience.close()
            self._tell("reloaded: organizations, windows and journals begin anew")

    def straight(self, head: Head, client: Connection) -> Whole | WSGIApplication | None:
        """Answer as the newest application does."""
        return self._app.straight(head, client)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)


@contextmanager
def watching(app: WatchedApp, paths: Iterable[Path]) -> Iterator[None]:
    """Reload ``app`` whenever a file in ``paths`` changes, until the block ends.

    Raises ``SuiteError`` when the extra that watches files isn't installed.
    """
    try:
        from watchfiles import watch
    except ModuleNotFoundError:
        raise SuiteError(
            "--watch needs watchfiles; run: pip install 'fansmetric-contract[watch]'"
        ) from None
    stop, followed = threading.Event(), tuple(paths)

    def changes() -> Iterable[object]:
        return watch(
            *followed,
            stop_event=stop,
            rust_timeout=_TICK,
            debounce=100,
            step=20,
            yield_on_timeout=True,
        )

    def follow() -> None:
        for _ in _moments(followed, changes, stop):
            app.reload()

    thread = threading.Thread(target=follow, name="fansmetric-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def _moments(
    paths: tuple[Path, ...], changes: Callable[[], Iterable[object]], stop: threading.Event
) -> Iterator[None]:
    """Yield whenever to build anew; ``changes`` follows the files that lie under ``paths`` now.

    Most editors, and git, put a new file in the place of the old one, which ``changes`` would follow on.
    """
    is_behind = was_missing = False
    while not stop.is_set():
        followed = _identities(paths)
        if None in followed:
            stop.wait(_TICK / 1_000)
            if not was_missing and None in _identities(paths):
                was_missing = True
                yield
            is_behind = True
            continue
        was_missing = False
        with suppress(FileNotFoundError):  # gone again; the next look finds out
            for changed in changes():
                if _identities(paths) != followed:
                    is_behind = True
                    break
                if changed or is_behind:
                    is_behind = False
                    yield


def _identities(paths: Iterable[Path]) -> list[tuple[int, ...] | None]:
    """Return what tells each file or directory from another one under its name, ``None`` where there is none."""
    return [_identity(path) for path in paths]


def _identity(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    # A number may be given again, so the time tells too; that of a change in place costs a look more.
    return found.st_dev, found.st_ino, found.st_ctime_ns
