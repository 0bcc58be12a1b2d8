"""The body of a request: taken from what has arrived, and ended exactly where it says."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LONGEST_LINE = 4_096
"""Bytes of a line between chunks, with its extensions."""

_MOST_TRAILERS = 64
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")


class Broken(ValueError):
    """Raised where a body breaks off or its chunks are malformed."""


class _Part(Enum):
    """What comes next of a body."""

    SIZE = auto()
    DATA = auto()
    GAP = auto()
    """The end of the line after a chunk."""
    TRAILERS = auto()
    BROKEN = auto()
    """Nothing: where the body goes on after malformed bytes, nobody knows."""


class Intake:
    """How far a body was taken from the bytes that arrived on its connection."""

    __slots__ = ("_is_chunked", "_part", "_rest", "_trailers", "is_read")

    def __init__(self, length: int | None) -> None:
        """Begin a body of ``length`` bytes, or in chunks where that is ``None``."""
        self._is_chunked = length is None
        self._rest = length or 0
        self._trailers = 0
        self._part = _Part.SIZE if length is None else _Part.DATA
        self.is_read = length == 0
        """Whether the whole body was taken."""

    @property
    def left(self) -> int | None:
        """Bytes that weren't taken; ``None`` where nobody can know."""
        return None if self._is_chunked and not self.is_read else self._rest

    def take(self, arrived: bytearray, most: int) -> bytes:
        """Remove up to ``most`` bytes of the body from ``arrived`` and return them; nothing if more must come.

        Raises ``Broken`` where the chunks are malformed.
        """
        if self.is_read:
            return b""
        while self._part is not _Part.DATA:
            if not self._step(arrived) or self.is_read:
                return b""
        block = bytes(arrived[: min(most, self._rest)])
        del arrived[: len(block)]
        self._rest -= len(block)
        if not self._rest:
            self._end_of_data(arrived)
        return block

    def _end_of_data(self, arrived: bytearray) -> None:
        """Go on to the next chunk, so that the end of the body is seen with its last bytes."""
        if not self._is_chunked:
            self.is_read = True
            return
        self._part = _Part.GAP
        while not self.is_read and self._part is not _Part.DATA and self._step(arrived):
            pass

    def _step(self, arrived: bytearray) -> bool:
        """Take the next line between chunks; return whether it had arrived."""
        if self._part is _Part.BROKEN:
            raise Broken("the chunks are malformed")
        end = arrived.find(b"\n", 0, _LONGEST_LINE)
        if end < 0:
            if len(arrived) >= _LONGEST_LINE:
                raise self._broken("a chunk has no size")
            return False
        line = bytes(arrived[: end + 1])
        del arrived[: end + 1]
        if self._part is _Part.SIZE:
            self._begin_chunk(line)
        elif self._part is _Part.TRAILERS:
            self._pass_trailer(line)
        elif line == b"\r\n":
            self._part = _Part.SIZE
        else:
            raise self._broken("a chunk is longer than it says")
        return True

    def _begin_chunk(self, line: bytes) -> None:
        size = _SIZE.fullmatch(line)
        if size is None:
            raise self._broken("a chunk has no size")
        self._rest = int(size[1], 16)
        self._part = _Part.DATA if self._rest else _Part.TRAILERS

    def _pass_trailer(self, line: bytes) -> None:
        self._trailers += 1
        if line == b"\r\n":
            self.is_read = True
        elif self._trailers >= _MOST_TRAILERS or not line.endswith(b"\r\n"):
            raise self._broken("the trailers don't end")

    def _broken(self, sentence: str) -> Broken:
        """Return what is to be raised; whoever reads on meets it again, not what follows the malformed bytes."""
        self._part = _Part.BROKEN
        return Broken(sentence)


NOTHING = Intake(0)
"""The body of a request that has none; it is read, so it never changes."""


class Body(io.RawIOBase):
    """A body that is read while it still arrives."""

    def __init__(
        self, held: bytes, intake: Intake, arrived: bytearray, receive: Callable[[], None]
    ) -> None:
        """Take the bytes that are ``held`` of it, those that ``arrived``, and what gets more of them.

        ``receive`` raises ``OSError`` or ``Broken`` where nothing more comes.
        """
        super().__init__()
        self._held = memoryview(held)
        self._intake = intake
        self._arrived = arrived
        self._receive = receive

    def readable(self) -> bool:
        """Whether it can be read from."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` with what comes next. Raises ``Broken``, or ``OSError`` when it doesn't come."""
        view = memoryview(buffer)
        block: bytes | memoryview = self._held[: len(view)]
        self._held = self._held[len(block) :]
        while not block and not self._intake.is_read:
            block = self._intake.take(self._arrived, len(view))
            if not block and not self._intake.is_read:
                self._receive()
        view[: len(block)] = block
        return len(block)
