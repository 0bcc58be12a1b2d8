"""Files that are written whole or not at all, and read within bounds."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from errno import ELOOP
from os import strerror
from pathlib import Path

MOST_BYTES = 32 * 1_048_576
"""The largest file, and the largest body of the control API, that is read."""


class TooLarge(OSError):
    """Raised where a file is larger than anything that people write for us."""

    def __init__(self) -> None:
        super().__init__(None, f"it is larger than {MOST_BYTES // 1_048_576} MiB")


class EmptyPipe(OSError):
    """Raised where a file is a pipe, and nothing comes out of it."""

    def __init__(self) -> None:
        super().__init__(None, "it is a pipe that nobody writes into")


def read_bounded(file: Path) -> bytes:
    """Return what is in ``file``, which may be the end of a pipe. Raises ``OSError``, also where there is too much of it."""
    with open(file, "rb", opener=open_at_once) as stream:
        data = stream.read(MOST_BYTES + 1)
        if not data and stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode):
            raise EmptyPipe
    if len(data) > MOST_BYTES:
        raise TooLarge
    return data


def open_at_once(path: str, flags: int) -> int:
    """Open ``path`` without waiting for somebody to write into it, who might never come; an opener for ``open``."""
    if not hasattr(os, "O_NONBLOCK"):  # Windows, where no path is a pipe like that
        return os.open(path, flags)
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)  # whoever has it open already may take his time
    return descriptor


def write_whole(file: Path, text: str) -> None:
    """Put ``text`` into ``file``; whoever reads it meanwhile, or after a failure, finds what was there.

    Raises ``OSError`` when that can't be done.
    """
    try:
        target = file.resolve()
    except RuntimeError:  # Python 3.11 and 3.12 say it so
        raise OSError(ELOOP, strerror(ELOOP)) from None
    if target.exists() and not target.is_file():  # /dev/stdout, or a pipe
        target.write_text(text, encoding="utf-8")
        return
    scratch = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
    try:
        # Only as a new file: in a folder that others write to, a link could lie there.
        with scratch.open("x", encoding="utf-8") as stream:
            stream.write(text)
        scratch.replace(target)
    finally:
        with suppress(OSError):
            scratch.unlink(missing_ok=True)
