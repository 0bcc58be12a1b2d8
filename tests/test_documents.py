"""Documents that no honest author writes: one line of refusal, soon, and without much memory."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from contract_tests.baseline import read_baseline
from contract_tests.profile import read_profile
from mockserver import files
from mockserver.contract import Contract, Schemas, load_contract
from mockserver.contract.schemas import SchemaViolation
from mockserver.errors import SuiteError
from mockserver.files import read_bounded, write_whole
from mockserver.fixtures import read_fixtures
from mockserver.testing import FansMetric
from mockserver.testing.backends import InProcess

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from mockserver.app import MockFlask
    from mockserver.server import MockServer
    from tests.conftest import Tenant


def laughs(levels: int, width: int) -> bytes:
    """Return a few lines that stand for ``width ** levels`` values."""
    lines = ["a0: &a0 [x]"]
    for level in range(1, levels):
        names = ",".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} [{names}]")
    return "\n".join(lines).encode()


DOCUMENTS: dict[str, bytes] = {
    "alias-bomb": laughs(12, 10),
    "merge-bomb": laughs(9, 10).replace(b"[x]", b"{x: x}") + b"\n<<: *a8",
    "doubling": laughs(60, 2),
    "in-itself": b"a: &a [*a]",
    "alias-of-nothing": b"a: *b",
    "deep-lists": b"[" * 100_000,
    "deep-blocks": b"\n".join(b" " * level + b"a:" for level in range(2_000)),
    "deeper-than-the-validator": b"a: " + b"[" * 400 + b"]" * 400,
    "long-number": b"base_url: " + b"9" * 5_000,
    "base-sixty": b"base_url: 1" + b":1" * 1_000_000,
    "base-sixty-fraction": b"base_url: 1" + b":1" * 5_000 + b".5",
    "binary": b"base_url: !!binary aGFsbG8=",
    "date": b"base_url: !!timestamp 2020-01-01",
    "object": b"base_url: !!python/object/apply:os.system [ls]",
    "own-tag": b"base_url: !include /etc/passwd",
    "set": b"base_url: !!set {a, b}",
    "number-as-key": b"1: a",
    "nothing-as-key": b"~: a",
    "list-as-key": b"? [a]\n: b",
    "two-documents": b"--- a\n--- b\n",
    "not-utf-8": b"a: \xff\xfe",
    "zero-bytes": b"\x00" * 1_000,
    "empty": b"",
    "a-word": b"hello",
    "a-list": b"[1, 2]",
}


def from_profile(file: Path, contract: Contract) -> object:
    return read_profile(file, contract)


def from_baseline(file: Path, contract: Contract) -> object:
    return read_baseline(file, contract)


def from_spec(file: Path, _: Contract) -> object:
    return load_contract(file)


def from_fixtures(file: Path, contract: Contract) -> object:
    return read_fixtures(contract, file.rename(file.with_name("world.yaml")).parent)


def from_state(file: Path, _: Contract) -> object:
    return FansMetric(InProcess()).load(file)


READERS: list[Callable[[Path, Contract], object]] = [
    from_profile, from_baseline, from_spec, from_fixtures, from_state,
]  # fmt: skip


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("case", DOCUMENTS)
def test_refuses_in_one_line(
    case: str, reader: Callable[[Path, Contract], object], tmp_path: Path, contract: Contract
) -> None:
    file = tmp_path / "given.yaml"
    file.write_bytes(DOCUMENTS[case])
    begun = process_time()  # of this process alone, however busy the machine is
    with pytest.raises(SuiteError) as caught:
        reader(file, contract)

    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1_000
    assert process_time() - begun < 5


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_reads_no_endless_file(
    reader: Callable[[Path, Contract], object],
    tmp_path: Path,
    contract: Contract,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file past the limit is refused for its size, whatever is in it."""
    monkeypatch.setattr(files, "MOST_BYTES", 2 * 1_048_576)
    file = tmp_path / "given.yaml"
    file.write_bytes(b"# so long\n" * 300_000)
    with pytest.raises(SuiteError, match="larger than 2 MiB"):
        reader(file, contract)


@pytest.mark.parametrize("case", DOCUMENTS)
def test_control_bodies(case: str, app: MockFlask) -> None:
    """The control API takes YAML too, with the same bounds."""
    answer = asked(
        app,
        "/_mock/organizations/lark/state",
        data=DOCUMENTS[case],
        content_type="application/yaml",
    )

    assert 400 == answer.status_code, answer.text
    assert ["error"] == list(answer.get_json())


def asked(app: MockFlask, path: str, **options: Any) -> TestResponse:
    """Return the control API's answer."""
    local = {"REMOTE_ADDR": "127.0.0.1"}
    return Client(app.wsgi_app).post(path, environ_base=local, **options)


JSON: dict[str, bytes] = {
    "deep": b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}",
    "deeper": b'{"name": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "long-number": b'{"name": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("case", JSON)
def test_deep_json(case: str, app: MockFlask, tenant: Tenant) -> None:
    """Neither API fails at JSON that its validator can't follow."""
    kind = {"Content-Type": "application/json"}
    control = asked(app, "/_mock/organizations", data=JSON[case], headers=kind)
    mocked = tenant.call("createTag", data=JSON[case], headers=kind)

    assert [400, 400] == [control.status_code, mocked.status_code]


@pytest.mark.parametrize(
    ("framing", "status"),
    [
        pytest.param(b"Content-Length: 33554433\r\n\r\n", b"413", id="too-large"),
        pytest.param(b"Content-Length: 50\r\n\r\n{}", b"400", id="cut-off"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"400", id="broken-chunk"),
    ],
)
def test_control_bodies_that_cant_be_read(
    framing: bytes, status: bytes, server: MockServer
) -> None:
    """A body of the control API is bounded, and one that breaks off is the caller's error."""
    host, port = server.url.removeprefix("http://").split(":")
    kind = b"Host: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /_mock/organizations HTTP/1.1\r\n" + kind + framing)
        connection.shutdown(socket.SHUT_WR)
        stream = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert b"HTTP/1.1 " + status == stream[:12]
    assert b'\r\n\r\n{"error":"' in stream


def test_deep_answers_break_the_schema(contract: Contract) -> None:
    """A target's answer may be as deep as JSON goes; that is a breach, no failure of ours."""
    value: Any = {}
    for _ in range(900):
        value = {"data": value}
    with pytest.raises(SchemaViolation, match="can't be read"):
        Schemas(contract.document).check(next(iter(contract)).success, value)


# --- files that are written -------------------------------------------------------------------------


def test_writes_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure in the middle leaves what was there, and nothing beside it."""
    file = tmp_path / "run.json"
    write_whole(file, "old")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "new")

    assert "old" == file.read_text()
    assert [file] == list(tmp_path.iterdir())


def test_writes_through_no_link_that_lies_in_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever guesses the name of the file that is written first gets nothing overwritten."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("os.urandom", bytes)
    (tmp_path / f".run.json.{bytes(8).hex()}").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "run.json", "new")

    assert "precious" == victim.read_text()


def test_a_link_to_itself_is_no_place(tmp_path: Path) -> None:
    loop = tmp_path / "run.json"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="symbolic links"):
        write_whole(loop, "new")


def test_writes_through_links_and_into_pipes(tmp_path: Path) -> None:
    """A link stays one, and what is no plain file is never replaced."""
    real, link, pipe = tmp_path / "real", tmp_path / "link", tmp_path / "pipe"
    real.write_text("old")
    link.symlink_to(real)
    write_whole(link, "new")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "told")
    heard = os.read(reader, 10)
    os.close(reader)

    assert (True, "new", b"told") == (link.is_symlink(), real.read_text(), heard)
    assert pipe.is_fifo()


def test_reads_from_a_pipe(tmp_path: Path) -> None:
    """What another command writes is read to its end, also where it comes late."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY)
    with ThreadPoolExecutor(1) as others:
        read = others.submit(read_bounded, pipe)
        for part in (b"openapi: ", b"3.1.0"):
            os.write(writer, part)
        os.close(writer)
        text = read.result(10)
    os.close(reader)

    assert b"openapi: 3.1.0" == text
