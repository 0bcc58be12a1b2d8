"""The page of the running mock, and the journal as a stream."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from werkzeug.test import Client

import mockserver
from mockserver import create_app
from mockserver.audience import MOST_LISTENERS, QUEUE, Audience
from mockserver.clock import stopwatch
from mockserver.control.document import control_document
from mockserver.server import MockServer

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from mockserver.journal import Exchange
    from mockserver.roles import Key

FILES = Path(mockserver.__file__).parent / "pages" / "world" / "files"
STREAM = "/_mock/journal/stream"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CALL = "/v1/accounts"


class Watcher:
    """A client of one mock that may hold streams open."""

    def __init__(self, app: MockFlask) -> None:
        self.app = app
        self.world = app.mock.world
        self.client = Client(app.wsgi_app)
        self._open: list[TestResponse] = []

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers=headers, environ_base={"REMOTE_ADDR": "127.0.0.1"})

    def key(self, organization: str) -> Key:
        return self.world.add_key(self.world.organization(organization))

    def watch(self, query: str = "") -> Callable[[], list[Any]]:
        """Open a stream; return what gives the exchanges that came since the last time."""
        answer = self.get(STREAM + query)
        assert 200 == answer.status_code, answer.text
        self._open.append(answer)
        blocks = answer.iter_encoded()
        assert b": listening\n\n" == next(blocks)
        return lambda: [orjson.loads(event) for event in next(blocks).split(b"data: ")[1:]]

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture(scope="module")
def served() -> MockFlask:
    """Return a mock that only these tests use."""
    return create_app()


@pytest.fixture
def watcher(served: MockFlask) -> Iterator[Watcher]:
    served.mock.world.reset()
    watcher = Watcher(served)
    yield watcher
    watcher.close()
    assert () == watcher.app.mock.audience.listeners


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        pytest.param(HTML["Accept"], "text/html", id="browser"),
        pytest.param("*/*", "application/json", id="curl"),
        pytest.param("application/json", "application/json", id="json"),
        pytest.param("application/json, text/html;q=0.5", "application/json", id="rather-json"),
        pytest.param("", "application/json", id="nothing-said"),
    ],
)
def test_html_is_for_those_who_prefer_it(accept: str, form: str, watcher: Watcher) -> None:
    answer = watcher.get("/_mock/", Accept=accept)

    assert (200, form) == (answer.status_code, answer.mimetype)


def test_headers_of_the_page(watcher: Watcher) -> None:
    """Nothing inline runs, nothing comes from elsewhere, and no other page may frame it."""
    for path in (
        "/_mock/",
        "/_mock/page/world.js",
        "/_mock/page/world.css",
        "/_mock/page/icon.svg",
    ):
        answer = watcher.get(path, **HTML)
        policy = answer.headers["Content-Security-Policy"]

        assert 200 == answer.status_code
        assert "default-src 'none'; script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "nosniff" == answer.headers["X-Content-Type-Options"]


def test_page_has_nothing_inline(watcher: Watcher) -> None:
    page = watcher.get("/_mock/", **HTML).text

    assert [] == re.findall(r"<style|<script(?! type=\"module\" src=)| on\w+=| style=", page)
    assert [] == re.findall(r"(?:src|href)=\"(?!/(?!/)|#)", page)
    for operation in watcher.app.mock.contract:
        assert f'<option value="{operation.id}">' in page


def test_scripts_make_no_markup() -> None:
    """What clients sent can only become text."""
    scripts = {file.name: file.read_text() for file in FILES.glob("*.js")}
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|https?://"
    )

    assert "world.js" in scripts
    assert {} == {name: found for name, s in scripts.items() if (found := re.findall(forbidden, s))}


@pytest.mark.parametrize("name", ["none.js", "page.py", "..%2fpage.py", "world.html.j2"])
def test_files_that_the_page_does_not_have(name: str, watcher: Watcher) -> None:
    assert 404 == watcher.get(f"/_mock/page/{name}").status_code


@pytest.mark.parametrize("path", ["/_mock/", "/_mock/page/world.js", STREAM])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=["origin", "rebound", "cross-site"],
)
def test_guard_stands_before_all_of_it(
    headers: dict[str, str], path: str, watcher: Watcher
) -> None:
    assert 403 == watcher.get(path, **HTML, **headers).status_code


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    script = (
        "import sys; from mockserver import create_app; client = create_app().test_client()\n"
        "client.get('/_mock/'); client.get('/_mock/journal/stream').close()\n"
        "print([name for name in sys.modules if name.startswith('mockserver.pages.world')])"
    )
    root = Path(mockserver.__file__).parent.parent
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )

    assert ("[]\n", "") == (ran.stdout, ran.stderr)


def test_stream_delivers_what_the_journal_shows(watcher: Watcher) -> None:
    key, news = watcher.key("lark"), watcher.watch()
    watcher.get(f"{CALL}?limit=2&token={key.secret}", **{"X-API-Key": key.secret})
    shown = news()

    assert shown == watcher.get("/_mock/organizations/lark/journal").get_json()["exchanges"]
    assert key.secret not in orjson.dumps(shown).decode()
    control_document().schemas.check("#/components/schemas/Exchange", shown[0])


def test_stream_shows_an_exchange_of_two_journals_once(watcher: Watcher) -> None:
    """A call of an unknown route with a key stands in two journals."""
    key, news = watcher.key("lark"), watcher.watch()
    for path in ("/v1/nowhere", CALL):
        watcher.get(path, **{"X-API-Key": key.secret})

    assert [("lark", "/v1/nowhere"), ("lark", CALL)] == [
        (shown["organization"], shown["path"]) for shown in news()
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("?organization=alder", [("alder", CALL, 200)], id="organization"),
        pytest.param("?operation=listChats", [("lark", "/v1/1001/chats", 200)], id="operation"),
        pytest.param(
            "?operation=GET%20/v1/accounts&status=200",
            [("lark", CALL, 200), ("alder", CALL, 200)],
            id="label",
        ),
        pytest.param("?status=4xx", [(None, CALL, 401)], id="status"),
    ],
)
def test_filters(query: str, expected: list[Any], watcher: Watcher) -> None:
    lark, alder = watcher.key("lark").secret, watcher.key("alder").secret
    news = watcher.watch(query)
    watcher.get(CALL)
    for secret, path in ((lark, "/v1/1001/chats"), (lark, CALL), (alder, CALL)):
        watcher.get(path, **{"X-API-Key": secret})

    assert expected == [(e["organization"], e["path"], e["status"]) for e in news()]


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ("?organization=nobody", 404, "there is no organization nobody"),
        ("?operation=listChat", 400, "did you mean listChats"),
        ("?status=abc", 400, "status"),
        ("?colour=red", 400, "unknown query parameter colour"),
    ],
    ids=["organization", "operation", "status", "parameter"],
)
def test_stream_refuses(query: str, status: int, part: str, watcher: Watcher) -> None:
    answer = watcher.get(STREAM + query)

    assert status == answer.status_code
    assert part in answer.get_json()["error"]


def test_streams_are_few(watcher: Watcher) -> None:
    """One more than may be open is refused; a place is free again as soon as one closes."""
    for _ in range(MOST_LISTENERS):
        watcher.watch()
    refused = watcher.get(STREAM)
    watcher.close()

    assert (503, "Busy") == (refused.status_code, refused.headers["X-Mock-Misuse"])
    assert f"{MOST_LISTENERS} streams are open already" in refused.get_json()["error"]
    watcher.watch()
    assert 1 == len(watcher.app.mock.audience.listeners)


def test_head_takes_no_place(watcher: Watcher) -> None:
    answer = watcher.client.head(STREAM, environ_base={"REMOTE_ADDR": "127.0.0.1"})

    assert (200, "text/event-stream") == (answer.status_code, answer.mimetype)
    assert () == watcher.app.mock.audience.listeners


def test_nobody_is_told_when_nobody_listens(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Exchange] = []
    monkeypatch.setattr(Audience, "tell", lambda _, exchange: told.append(exchange))
    watcher.get(CALL)
    before = len(told)
    watcher.watch()
    watcher.get(CALL)

    assert (0, 1) == (before, len(told))


def test_slow_listener_misses_the_oldest(watcher: Watcher) -> None:
    """The queue is bounded, nobody waits, and the stream says how many are missing."""
    answer = watcher.get(STREAM)
    blocks = answer.iter_encoded()
    next(blocks)
    for _ in range(QUEUE + 3):
        watcher.get(CALL)
    missed, shown = next(blocks), next(blocks)
    answer.close()

    assert b'event: missed\ndata: {"count":3}\n\n' == missed
    assert QUEUE == shown.count(b"data: ")
    assert b'data: {"number":4,' == shown[:18]


def test_reader_rests_after_each_delivery(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first exchange comes at once, and many calls wake nobody many times."""
    listener = watcher.app.mock.audience.join(lambda _: True)
    rests: list[float] = []

    def noted(_: object, predicate: Callable[[], Any], timeout: float) -> Any:
        rests.append(timeout)
        return predicate()

    monkeypatch.setattr(threading.Condition, "wait_for", noted)
    for _ in range(3):
        watcher.get(CALL)
        listener.take(7)
    listener.take(7)
    listener.take(7)
    watcher.app.mock.audience.leave(listener)

    assert [0, 7, 0.25, 7, 0.25, 7, 0.25, 7, 0, 7] == rests


def test_quiet_stream_has_a_heartbeat() -> None:
    """Without it nobody would notice that a client hung up."""
    listener = Audience().join(lambda _: True)
    news = listener.take(0)
    listener.end()

    assert news is not None
    assert ((), 0) == (news.exchanges, news.missed)
    assert listener.take(60) is None


def test_stop_ends_streams_at_once() -> None:
    """A server with every stream open stops in less than 100 ms, and takes streams again when it starts anew."""
    app = create_app()
    took = []
    for _ in range(3):
        server = MockServer(app).start()
        with ExitStack() as stack:
            streams = [opened(server.url, stack) for _ in range(MOST_LISTENERS)]
            began = stopwatch()
            server.stop()
            took.append(stopwatch() - began)
            assert [b""] * MOST_LISTENERS == [stream.read() for stream in streams]

    assert min(took) < 0.1
    assert () == app.mock.audience.listeners


def test_streams_leave_threads_for_the_mocked_api(watcher: Watcher) -> None:
    """The mocked API answers, and its answer is in every open stream."""
    with MockServer(watcher.app) as server, ExitStack() as stack:
        streams = [opened(server.url, stack) for _ in range(MOST_LISTENERS)]
        assert 401 == connected(server.url, CALL, stack).status
        lines = [next(line for line in stream if line.startswith(b"data")) for stream in streams]

    assert 1 == len(set(lines))
    assert 401 == orjson.loads(lines[0].removeprefix(b"data: "))["status"]


def test_no_stream_begins_while_the_server_stops(watcher: Watcher) -> None:
    with watcher.app.mock.released():
        refused = watcher.get(STREAM)

    assert 503 == refused.status_code
    watcher.watch()
    assert 1 == len(watcher.app.mock.audience.listeners)


def opened(url: str, stack: ExitStack) -> HTTPResponse:
    """Return a stream of a server, read to the end of its greeting."""
    stream = connected(url, STREAM, stack)
    assert (b": listening\n", b"\n") == (stream.readline(), stream.readline())
    return stream


def connected(url: str, path: str, stack: ExitStack) -> HTTPResponse:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=10)
    stack.callback(connection.close)
    connection.request("GET", path)
    return stack.enter_context(connection.getresponse())
