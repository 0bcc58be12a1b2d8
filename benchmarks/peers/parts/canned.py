"""pytest-httpserver, told what to expect and to say: python canned.py PORT FILE KEY."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from pytest_httpserver import HTTPServer  # type: ignore[import-not-found]  # is installed elsewhere

PORT, FILE, KEY = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
BODY = FILE.read_text()

server = HTTPServer("127.0.0.1", PORT)
headers = {"X-API-Key": KEY}
for method, path in (("GET", "/v1/1001/chats"), ("POST", "/v1/1001/chats/50001/messages")):
    server.expect_request(path, method=method, headers=headers).respond_with_data(
        BODY, content_type="application/json"
    )
server.start()
threading.Event().wait()
