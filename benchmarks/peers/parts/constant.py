"""Our server under an application that says one thing: python constant.py PORT FILE."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.server import MockServer, serve_forever

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PORT, FILE = int(sys.argv[1]), Path(sys.argv[2])
BODY = FILE.read_bytes()
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]


class Constant:
    """The application."""

    is_prompt = True  # as the mock is, so that neither changes threads

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Read what was sent and answer what is in the file."""
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", list(HEADERS))
        return [BODY]


serve_forever(MockServer(Constant(), "127.0.0.1", PORT), lambda _: None)
