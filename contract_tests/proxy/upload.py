"""A request's body on its way from the client to the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mockserver.call import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_BLOCK = 65_536


class ClientFailed(Exception):
    """Raised when the client's body breaks off or is malformed."""


class Upload:
    """The request's body on its way: counted, and its beginning kept."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        length = environ.get("CONTENT_LENGTH")
        self._stream = environ["wsgi.input"]
        self.is_chunked = bool(environ.get("wsgi.input_terminated"))
        self.declared = int(length) if length and not self.is_chunked else None
        self.begun = b""
        """The body, cut after 1 MiB and a byte."""
        self.passed = 0
        """Bytes that were passed on so far."""

    @property
    def is_there(self) -> bool:
        """Whether there is a body, of whatever length."""
        return self.is_chunked or bool(self.declared)

    @property
    def size(self) -> int:
        """Bytes of the body, as far as they are known."""
        return self.passed if self.declared is None else self.declared

    def __iter__(self) -> Iterator[bytes]:
        while block := self._read():
            if len(self.begun) <= MAX_BODY:
                self.begun = (self.begun + block)[: MAX_BODY + 1]
            self.passed += len(block)
            yield block
        if self.declared is not None and self.passed < self.declared:
            raise ClientFailed

    def _read(self) -> bytes:
        try:
            block: bytes = self._stream.read(_BLOCK)
        except (OSError, ValueError) as error:  # a broken chunk is a ValueError
            raise ClientFailed from error
        return block
