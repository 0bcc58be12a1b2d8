"""The packaged fixtures, parsed once and then kept in the cache: most mocks serve them, and need no YAML then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mockserver.cache import cached
from mockserver.errors import FixtureError
from mockserver.files import read_bounded
from mockserver.shapes import Shape, refuse_breach

Read = Callable[[Path, Shape], Any]
"""Returns the value in a file of fixtures, which must have a shape. Raises ``FixtureError``."""


def read_fixture(file: Path, shape: Shape) -> Any:
    """Return the value in ``file``; see ``Read``."""
    from mockserver.yamlfile import read_yaml  # not needed for what was kept

    return read_yaml(file, shape, FixtureError)


def reader_of(files: Sequence[Path]) -> Read:
    """Return what reads one of ``files``, all of which were parsed together or come from the cache.

    Raises ``FixtureError`` when one of them can't be read.
    """
    texts = [_text(file) for file in files]
    # No name holds the separator, nor does any YAML.
    source = b"\0".join(
        part for file, text in zip(files, texts, strict=True) for part in (file.name.encode(), text)
    )
    values = cached("fixtures", source, lambda: list(map(_parsed, texts, files)))
    known = dict(zip(files, values, strict=True))

    def read(file: Path, shape: Shape) -> Any:
        refuse_breach(file, shape, known[file], FixtureError)
        return known[file]

    return read


def _text(file: Path) -> bytes:
    try:
        return read_bounded(file)
    except OSError as error:
        raise FixtureError(f"{file}: can't be read ({error.strerror})") from None


def _parsed(text: bytes, file: Path) -> Any:
    from mockserver.yamlfile import parse_yaml

    return parse_yaml(text, file, FixtureError)
