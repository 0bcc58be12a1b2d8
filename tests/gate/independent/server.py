"""HTTP around the service, on the standard library's server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from typing import Self

from tests.gate.independent.service import Service
from tests.gate.independent.wire import Answer, Call, Refusal

_BLOCK = 1 << 16
_MOST_DRAINED = 1 << 22
"""Bytes of an unread body that are thrown away to keep a connection; above that it is closed."""


class Misframed(Exception):
    """Raised when a body doesn't end where its framing says."""


class IncomingBody:
    """A body that is read when somebody asks for it, with a length or in chunks."""

    def __init__(self, stream: BufferedIOBase, headers: Mapping[str, str]) -> None:
        self.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._length = int(headers.get("content-length", "0"))
        self._stream = stream
        self._blocks = self._in_chunks() if self.chunked else self._of(self._length)

    def read(self, most: int) -> bytes | None:
        """Return the body, or ``None`` as soon as it is known to be longer than ``most``."""
        if not self.chunked and self._length > most:
            return None
        content = bytearray()
        for block in self._blocks:
            content += block
            if len(content) > most:
                return None
        return bytes(content)

    def drain(self) -> bool:
        """Throw away what is unread; whether the connection can serve another request."""
        left = _MOST_DRAINED
        try:
            for block in self._blocks:
                left -= len(block)
                if left < 0:
                    return False
        except Misframed:
            return False
        return True

    def _of(self, length: int) -> Iterator[bytes]:
        while length:
            block = self._stream.read(min(length, _BLOCK))
            if not block:
                raise Misframed
            length -= len(block)
            yield block

    def _in_chunks(self) -> Iterator[bytes]:
        while size := self._next_size():
            yield from self._of(size)
            self._stream.readline(8)
        while self._stream.readline(_BLOCK).strip():
            pass

    def _next_size(self) -> int:
        try:
            return int(self._stream.readline(80).partition(b";")[0], 16)
        except ValueError:
            raise Misframed from None


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: IndependentServer

    def serve(self) -> None:
        """Answer one request and leave the connection ready for the next one, or close it."""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = IncomingBody(self.rfile, headers)
        call = Call(self.command, path, query, headers, body)
        try:
            answer = self.server.service.answer(call)
        except Misframed:
            self.close_connection = True
            answer = self.server.service.refuse(Refusal(400, "The body's framing is broken."))
        self.reply(answer)
        self.close_connection |= not body.drain()

    do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = do_OPTIONS = serve  # noqa: N815  # the base class's names

    def reply(self, answer: Answer) -> None:
        """Send an answer at once."""
        self.send_response(answer.status)
        headers = {"Content-Type": answer.kind, "Content-Length": str(len(answer.payload))}
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.payload)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class IndependentServer(ThreadingHTTPServer):
    """The service on a free port of this machine, while it is entered."""

    daemon_threads = True

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
