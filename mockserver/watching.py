"""A mock that is built anew when the files change that it was made from."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.app import MockFlask
from mockserver.errors import SuiteError
from mockserver.mock import Mock
from mockserver.words import printable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Tell = Callable[[str], None]
"""Takes one line for the user."""


class WatchedApp:
    """A WSGI application that stands for the newest one that could be built."""

    is_prompt = MockFlask.is_prompt

    def __init__(self, build: Callable[[], MockFlask], tell: Tell) -> None:
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
                pass
            self._tell("reloaded: organizations, windows and journals begin anew")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app.wsgi_app(environ, start_response)


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
    stop = threading.Event()

    def follow() -> None:
        for _ in watch(*paths, stop_event=stop, rust_timeout=200, debounce=100, step=20):
            app.reload()

    thread = threading.Thread(target=follow, name="fansmetric-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
