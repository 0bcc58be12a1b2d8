"""What our command lines share: errors in one line, and the exit codes that tell them apart."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import click

from mockserver.errors import SuiteError, Unavailable
from mockserver.words import printable

EXIT_USAGE = 2
EXIT_UNAVAILABLE = 3


def plain_errors(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let the command ``name`` end with one line on stderr instead of a traceback.

    Exits with 3 when something can't be had (``Unavailable``), with 2 at any other mistake of the user's.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def guarded(*args: Any, **kwargs: Any) -> None:
            try:
                command(*args, **kwargs)
            except SuiteError as error:
                click.echo(f"{name}: {printable(str(error))}", err=True)
                sys.exit(EXIT_UNAVAILABLE if isinstance(error, Unavailable) else EXIT_USAGE)

        return guarded

    return decorate


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise ``KeyboardInterrupt`` in the block, which only the main thread may enter.

    Without it SIGINT does nothing where a shell started the process in its background,
    and SIGTERM does nothing where it is the first process of a container.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
