"""Targets that drip, swell, lead elsewhere or go by another name: bounded, and no key leaves for anyone else."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import trustme
import urllib3

from contract_tests.bench import Bench
from contract_tests.checks.exhaust import in_parallel
from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.exploration import explore
from contract_tests.plan import SILENT, SPENT, TOO_LARGE, Explored, Plan
from contract_tests.profile import Profile
from contract_tests.proxy.forward import Forwarder
from contract_tests.proxy.watch import Watcher
from contract_tests.reports import WRITERS
from contract_tests.reports.outcome import Outcome
from contract_tests.samples import bearer
from contract_tests.target import Lost, Target
from contract_tests.tenants import Tenant
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.clock import stopwatch
from mockserver.contract import Contract
from mockserver.errors import Unavailable
from mockserver.server import MockServer

SECRET = Secret("full", "fm_api_test_secret_value")
ASK = Request("GET", "/v1/1001/chats", (), (bearer(SECRET),))
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
MIB = 1_048_576

Serve = Callable[[socket.socket], None]


@contextmanager
def serving(serve: Serve, *, hears: bool = True) -> Iterator[str]:
    """Give every connection to ``serve``, each in a thread of its own; yield the port's URL.

    With ``hears`` it is given once it sent something.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def handle(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client may hang up first
            if hears:
                connection.recv(65_536)
            serve(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def dripping(beginning: bytes, drop: bytes) -> Serve:
    """Return what sends ``drop`` after ``beginning`` every few milliseconds, for ever."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(beginning)
        pause = threading.Event()
        while not pause.wait(0.005):
            connection.sendall(drop)

    return serve


DRIPS: dict[str, Serve] = {
    "status-line": dripping(b"HTTP/1.1 200 ", b"O"),
    "header": dripping(HEAD + b"X-A: ", b"a"),
    "provisional-answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body-with-length": dripping(HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "body-to-the-end": dripping(HEAD + b"Connection: close\r\n\r\n", b" "),
    "chunks": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "chunk-size": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunk-extension": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"a"),
    "trailers": dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: ", b"a"),
}


@pytest.mark.parametrize("drip", DRIPS)
def test_a_drip_is_no_answer(drip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece comes in time, the whole doesn't: the gate gives up."""
    monkeypatch.setattr("contract_tests.patience.WHOLE", 0.2)
    begun = stopwatch()
    with serving(DRIPS[drip]) as url, pytest.raises(Lost):
        Target(Profile(url)).send(ASK)

    assert stopwatch() - begun < 5


@pytest.mark.parametrize("drip", ["status-line", "body-with-length", "chunks"])
def test_a_drip_is_told_from_silence(drip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something came within the twenty seconds that a silent server has."""
    monkeypatch.setattr("contract_tests.patience.WHOLE", 0.2)
    with serving(DRIPS[drip]) as url, pytest.raises(Unavailable) as caught:
        Target(Profile(url)).reach()

    assert "no whole answer within" in str(caught.value)


def endless(beginning: bytes, block: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.sendall(beginning)
        while True:
            connection.sendall(block)

    return serve


def bomb(layers: int, size: int) -> Serve:
    """Return what answers ``size`` bytes of nothing, packed in ``layers``."""
    body, coding = b" " * size, ", ".join(["gzip"] * layers)
    for _ in range(layers):
        body = gzip.compress(body)
    head = HEAD + f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda connection: connection.sendall(head + body)


SWELLING: dict[str, Serve] = {
    "endless-body": endless(HEAD + b"Connection: close\r\n\r\n", b" " * 65_536),
    "endless-chunk": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n", b" " * 65_536),
    "endless-size": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65_536),
    "endless-header": endless(HEAD + b"X-A: ", b"a" * 65_536),
    "endless-headers": endless(HEAD, b"X-A: a\r\n" * 8_192),
    "endless-trailers": endless(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: a\r\n" * 8_192),
    "gzip-bomb": bomb(1, 200 * MIB),
    "gzip-in-gzip": bomb(2, 200 * MIB),
    "gzip-six-times": bomb(6, 20 * MIB),
}  # fmt: skip


@pytest.mark.parametrize("swelling", SWELLING)
def test_no_answer_takes_all_memory(swelling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is cut off or given up, and never held as a whole."""
    monkeypatch.setattr("contract_tests.patience.WHOLE", 1.0)
    with serving(SWELLING[swelling]) as url:
        tracemalloc.start()
        try:
            with suppress(Lost):
                assert len(Target(Profile(url)).send(ASK).body) < 12 * MIB
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < 48 * MIB


def explored(url: str, contract: Contract, budget: int = 3) -> Explored:
    """Explore the server at ``url`` with a few requests; Schemathesis asks with a client of its own."""
    plan = Plan(url, contract.source, "bearerKey", SECRET, seed=1, examples=1, rules=())
    return explore(replace(plan, budget=budget))


@pytest.mark.parametrize("drip", ["header", "body-to-the-end", "chunk-extension"])
def test_exploration_gives_a_drip_up(
    drip: str, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some waiting nothing more is asked, however many requests were planned."""
    monkeypatch.setattr("contract_tests.patience.WHOLE", 0.2)
    monkeypatch.setattr("contract_tests.patience.MOST_SILENT", 0.5)
    begun = stopwatch()
    with serving(DRIPS[drip]) as url:
        found = explored(url, contract)

    assert SILENT == found.ended
    assert found.unanswered or found.errors
    assert stopwatch() - begun < 30


@pytest.mark.parametrize("swelling", ["endless-body", "endless-headers", "small-bomb"])
def test_exploration_takes_no_more_memory(swelling: str, contract: Contract) -> None:
    """The peak is that of an honest exploration and a few cut answers."""
    serve = SWELLING.get(swelling) or bomb(1, 100 * MIB)
    with serving(serve) as url:
        tracemalloc.start()
        try:
            explored(url, contract)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < 250 * MIB


@pytest.mark.parametrize(
    ("size", "ended"), [(MIB, TOO_LARGE), (2_000, SPENT)], ids=["large", "many"]
)
def test_exploration_holds_what_it_has_not_judged(
    size: int, ended: str, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large answers end it, and many small ones don't, for those of one operation go before the next one's."""
    monkeypatch.setattr("contract_tests.bounds._MOST_HELD", 600_000 if size < MIB else 3 * MIB)
    answer = HEAD + f"Content-Length: {size}\r\nConnection: close\r\n\r\n".encode() + b" " * size
    with serving(lambda connection: connection.sendall(answer)) as url:
        found = explored(url, contract, budget=400)

    assert ended == found.ended


def test_many_large_breaches_take_little_memory() -> None:
    """Of an answer that broke a rule, only what a report shows is kept."""
    ledger = Ledger()
    large = Exchange(ASK, 500, {"x-a": "a" * MIB, "allow": "b" * MIB}, b"c" * MIB)
    tracemalloc.start()
    try:
        for number in range(100):
            breach = Breach(rules.FLAT, f"GET /v1/{number}", "flat", "d" * MIB, replace(large))
            ledger.break_(breach)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert 100 == len(ledger.findings["error.flat"].breaches)
    assert kept < 16 * MIB


LARGE = {
    "blank": (b" " * 65_536, 5),
    "lists": (b"[" + b"[]," * 21_000 + b"[]]", 20),
    "deep": (b"[" * 240 + b"1," * 30_000 + b"1" + b"]" * 240, 45),
}
"""Bodies of which the value, or its text in lines, is many times as large, and the MiB that all reports may take."""


@pytest.mark.parametrize(("body", "most"), LARGE.values(), ids=LARGE)
def test_reports_of_large_breaches_take_little_memory(body: bytes, most: int) -> None:
    """Neither what is read of a body nor what it is spelled as is kept for all breaches."""
    ledger = Ledger()
    exchange = Exchange(ASK, 500, {}, body, {SECRET.value})
    for number in range(100):
        ledger.break_(Breach(rules.FLAT, f"GET /v1/{number}", "flat", "500", replace(exchange)))
    outcome = Outcome("http://x", "openapi.yaml", 93, 100, 1.0, ledger, strict=False)
    tracemalloc.start()
    try:
        lengths = [len(write(outcome)) for write in WRITERS.values()]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert min(lengths) > 1_000
    assert peak < most * MIB


class Large(Bench):
    """A bench whose every probe gets a large answer."""

    def __init__(self) -> None:
        """Ask nobody."""

    def probe(self, tenant: Tenant, key: Secret | None = None) -> Exchange:
        return Exchange(ASK, 200, {}, b'{"data":"' + b"a" * MIB + b'"}')


def test_many_probes_take_little_memory() -> None:
    """Thousands are sent to use a minute up; what counts them is kept, and the evidence."""
    tracemalloc.start()
    try:
        probes = in_parallel(Large(), cast(Tenant, None), 100)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()

    assert 100 == sum(probe.is_success for probe in probes)
    assert kept < 16 * MIB


def test_what_follows_an_answer_is_no_answer() -> None:
    """A length that says too little leaves bytes behind; the next request has its own answer."""
    hidden = b"HTTP/1.1 500 X\r\nContent-Length: 2\r\n\r\n{}"
    twice = HEAD + b"Content-Length: 2\r\n\r\n{}" + hidden
    with serving(lambda connection: connection.sendall(twice)) as url:
        target = Target(Profile(url))
        statuses = [target.send(ASK).status for _ in range(3)]

    assert [200] * 3 == statuses


# --- other hosts ------------------------------------------------------------------------------------


@contextmanager
def leading_elsewhere(status: str) -> Iterator[tuple[str, list[bytes]]]:
    """Yield the URL of a server that sends everybody to another one, and what that one is asked."""
    asked: list[bytes] = []

    def elsewhere(connection: socket.socket) -> None:
        asked.append(b"asked")
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    with serving(elsewhere) as other:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: {other}/v1\r\nRefresh: 0; url={other}\r\n"
        answer = f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        with serving(lambda connection: connection.sendall(answer)) as url:
            yield url, asked


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
def test_follows_nobody_elsewhere(status: str) -> None:
    with leading_elsewhere(status) as (url, asked):
        exchange = Target(Profile(url)).send(ASK)

    assert int(status) == exchange.status
    assert [] == asked


def test_explores_nobody_else(contract: Contract) -> None:
    """Schemathesis has a client of its own; it stays with the target too."""
    with leading_elsewhere("307") as (url, asked):
        found = explored(url, contract)

    assert found.requests >= 3
    assert [] == asked


@pytest.mark.parametrize(
    ("name", "is_answered"), [("127.0.0.1", True), ("api.example.com", False)], ids=["own", "other"]
)
def test_a_certificate_belongs_to_its_host(
    name: str, is_answered: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An authority that is trusted vouches for one host; under another name no key is sent."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    heard: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as secure:
            heard.append(secure.recv(65_536))
            secure.sendall(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")

    with serving(serve, hears=False) as url, suppress(Lost):
        target = Target(Profile(url.replace("http:", "https:")))
        assert is_answered == (200 == target.send(ASK).status)

    assert is_answered == any(SECRET.value.encode() in part for part in heard)


@pytest.mark.parametrize(
    ("name", "is_answered"), [("127.0.0.1", True), ("api.example.com", False)], ids=["own", "other"]
)
def test_the_exploration_trusts_whom_the_rule_checks_trust(
    name: str,
    is_answered: bool,
    contract: Contract,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An authority of one's own is named once, for both clients; neither minds a proxy or a .netrc."""
    monkeypatch.setattr("contract_tests.patience.MOST_SILENT", 0.5)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password something\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    heard: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
            heard.append(secure.recv(65_536))
            secure.sendall(HEAD + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")

    with serving(serve, hears=False) as url:
        explored(url.replace("http:", "https:"), contract)

    assert is_answered == any(SECRET.value.encode() in part for part in heard)


PAST, FUTURE = datetime(2001, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
CERTIFICATES: dict[str, tuple[str, datetime | None, datetime | None, str]] = {
    "ended": ("127.0.0.1", None, PAST, "its certificate has expired"),
    "early": ("127.0.0.1", FUTURE, None, "its certificate is not valid yet"),
    "address": ("10.0.0.1", None, None, "its certificate is for another host"),
    "name": ("api.example.com", None, None, "its certificate is for another host"),
    "stranger": ("127.0.0.1", None, None, "its certificate is not trusted"),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_says_what_is_wrong_with_a_certificate(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has another remedy."""
    name, begin, end, why = CERTIFICATES[case]
    authority = trustme.CA()
    trusted = trustme.CA() if case == "stranger" else authority
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, not_before=begin, not_after=end).configure_cert(context)

    def serve(plain: socket.socket) -> None:
        context.wrap_socket(plain, server_side=True)

    with serving(serve, hears=False) as url, pytest.raises(Unavailable) as caught:
        Target(Profile(url.replace("http:", "https:"))).reach()

    assert f"can't be reached: {why}" in str(caught.value)


def test_blames_no_certificate_where_none_was_shown() -> None:
    """The address says https, and http is spoken there."""
    plain = HEAD + b"Content-Length: 2\r\n\r\n{}"
    with serving(lambda connection: connection.sendall(plain)) as url:
        target = Target(Profile(url.replace("http:", "https:")))
        with pytest.raises(Unavailable, match="no TLS connection comes about"):
            target.reach()


def explored_anyway(url: str, contract: Contract) -> None:
    assert explored(url, contract).unanswered


def passed_on(url: str, contract: Contract) -> None:
    forwarder = Forwarder(url, Watcher(contract, lambda *_: None))
    with MockServer(forwarder) as proxy:
        answer = urllib3.request("GET", f"{proxy.url}{ASK.path}", headers=ASK.sent_headers())

    assert 502 == answer.status


@pytest.mark.parametrize("ask", [explored_anyway, passed_on], ids=["exploration", "proxy"])
def test_no_other_client_sends_a_key_to_an_impostor(
    ask: Callable[[str, Contract], None], contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Schemathesis's client nor the proxy's takes a certificate that nobody vouches for."""
    monkeypatch.setattr("contract_tests.patience.MOST_SILENT", 0.5)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    heard: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        with context.wrap_socket(plain, server_side=True) as secure:
            heard.append(secure.recv(65_536))

    with serving(serve, hears=False) as url:
        ask(url.replace("http:", "https:"), contract)

    assert not b"".join(heard)
