"""What stands in front of a server: it redirects, closes connections, keeps answers, adds a path."""

from __future__ import annotations

import socketserver
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from contract_tests.cli import main
from contract_tests.exchange import Request, Secret
from contract_tests.gate import Asked, check_target
from contract_tests.profile import Profile
from contract_tests.target import Closed, Dropped, Target
from contract_tests.verdicts import Verdict
from mockserver import create_app, rules
from mockserver.contract import Contract
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LOOK = Request("GET", "/")
WRITE = Request("POST", "/", (), (), b"{}")


class _Impatient(socketserver.StreamRequestHandler):
    """Answers the first requests of a connection, and hangs up on the next one without a word."""

    patience = 1

    def handle(self) -> None:
        for _ in range(self.patience):
            if self._read():
                self.wfile.write(ANSWER)
        self._read()

    def _read(self) -> bool:
        length = 0
        while line := self.rfile.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return bool(self.rfile.read(length)) or not length


class _Mute(_Impatient):
    """Hangs up on every request."""

    patience = 0


@contextmanager
def listening(handler: type[_Impatient]) -> Iterator[str]:
    """Yield the URL of a server of its own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_kept_connection_may_end_at_any_time() -> None:
    """Whether a write was seen nobody knows: no breach, and the next one has a connection of its own."""
    with listening(_Impatient) as url:
        target = Target(Profile(url, allow_writes=True))
        target.send(LOOK)
        with pytest.raises(Closed):
            target.send(WRITE, may_write=True)
        answers = [target.send(WRITE, may_write=True).status for _ in range(3)]

    assert [200] * 3 == answers


def test_whoever_hangs_up_on_a_connection_of_its_own_gives_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twice in a row, it isn't the connection's age."""
    monkeypatch.setattr(Target, "_answers", lambda _: True)
    with listening(_Mute) as url:
        target = Target(Profile(url, allow_writes=True))
        with pytest.raises(Closed):
            target.send(WRITE, may_write=True)
        with pytest.raises(Dropped):
            target.send(WRITE, may_write=True)


def test_https_only_is_told_before_a_key_is_sent() -> None:
    """Hundreds of redirects tell nothing of the server, and each would have shown a key on the way."""
    seen = []

    def moved(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        there = f"https://{environ['SERVER_NAME']}:8443{environ['PATH_INFO']}"
        start_response("301 Moved Permanently", [("Location", there)])
        return [b"moved"]

    with MockServer(moved) as server:
        done = CliRunner().invoke(main, ["run", server.url, "--fast"])

    assert 2 == done.exit_code, done.output
    assert "only redirects to https; name the https address" in done.output
    assert ["/health"] == seen


@pytest.mark.parametrize(
    "location", ["/healthz", "http://127.0.0.1/x", "https://example.com/", "https://[", ""]
)
def test_other_redirects_are_answers(location: str) -> None:
    def moved(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("302 Found", [("Location", location)])
        return [b"moved"]

    with MockServer(moved) as server:
        target = Target(Profile(server.url))
        target.reach()

    assert 1 == target.sent


@dataclass
class Front:
    """A front-end before the mock, which answers under a path and may keep what it got."""

    path: str = ""
    age: str = ""
    links: bool = False
    """Whether the links of a page have the path too."""

    def __post_init__(self) -> None:
        self._app = create_app().wsgi_app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass a request on without the path."""
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix(self.path)
        sent: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self._app(environ, lambda *a: sent.append((a[0], a[1]))))  # type: ignore[arg-type]  # the write callable that nobody uses
        if self.links:
            body = body.replace(b'"next_page":"', b'"next_page":"' + self.path.encode())
        (status, headers) = sent[0]
        kept = [(n, v) for n, v in headers if n.lower() != "content-length"]
        age = [("Age", self.age)] if self.age else []
        start_response(status, [*kept, *age, ("Content-Length", str(len(body)))])
        return [body]


def profile_with_a_key(url: str) -> Profile:
    return Profile(url, {"full": Secret("full", "fm_api_test_full")}, accounts={"healthy": 1001})


@pytest.mark.parametrize(("age", "noted"), [("3", True), ("0", False), ("", False)])
def test_a_cache_is_told(age: str, noted: bool, contract: Contract) -> None:
    """Headroom that a cache had kept is old, which would explain what is broken."""
    with MockServer(Front(age=age)) as server:
        asked = Asked(only=("rate.defaults",), fast=True)
        outcome = check_target(contract, profile_with_a_key(server.url), asked, lambda _: None)

    assert noted is any("came from a cache" in note for note in outcome.notes)


@pytest.mark.parametrize(
    ("links", "relative", "complete"),
    [(False, Verdict.KEPT, Verdict.KEPT), (True, Verdict.BROKEN, Verdict.NOT_CHECKED)],
    ids=["without", "with"],
)
def test_links_that_have_the_front_ends_path(
    links: bool, relative: Verdict, complete: Verdict, contract: Contract
) -> None:
    """They aren't under /v1/, and where they lead nobody walked: that breaks one rule, not two."""
    asked = Asked(only=("pagination",), fast=True)
    with MockServer(Front("/api", links=links)) as server:
        profile = profile_with_a_key(f"{server.url}/api")
        findings = check_target(contract, profile, asked, lambda _: None).ledger.findings

    assert relative is findings[rules.PAGE_RELATIVE.id].verdict
    assert complete is findings[rules.PAGE_COMPLETE.id].verdict
