"""A request as a line of shell that repeats it, each key as a variable of its own."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contract_tests.exchange import Request, Secret

_LONGEST_WRITTEN = 1_500
"""Bytes of a body that are written out."""
_LONG = 600
_RUN = re.compile(rb"([A-Za-z0-9])\1{%d,}" % (_LONG - 1))
"""What makes a body long: one character, over and over."""


def curl_line(request: Request, base_url: str) -> str:
    """Return the command line that repeats ``request``."""
    feed, body = _body(request.body)
    parts = [feed, "curl -sS", "-X", request.method, *_as_it_is(request.path)]
    for name, value in request.headers:
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body and not any(name.lower() == "content-type" for name, _ in request.headers):
        parts += ["-H", "'Content-Type:'"]  # or curl says that it is a form
    for name, prefix, secret in request.credentials:
        parts += ["-H", _credential(name, prefix, secret)]
    if request.chunked:
        parts += ["-H", "'Transfer-Encoding: chunked'"]
    return " ".join(filter(None, [*parts, body, shlex.quote(base_url + request.path)]))


def variable_of(secret: Secret) -> str:
    """Return the environment variable that stands for a key in a command line."""
    return "FANSMETRIC_" + secret.name.upper().replace("-", "_").replace(" ", "_")


def _credential(name: str, prefix: str, secret: Secret) -> str:
    if not prefix and not secret.value:
        return f"'{name};'"  # with a colon curl would leave an empty header out
    shown = (secret.shell or f"${variable_of(secret)}") if secret.value else ""
    return f'"{name}: {prefix}{shown}"'


def _as_it_is(path: str) -> list[str]:
    """Return what keeps curl from reading a path its own way."""
    options = ["-g"] if set("[]{}") & set(path) else []
    return [*options, "--path-as-is"] if "/." in path else options


def _body(body: bytes) -> tuple[str, str]:
    """Return what stands before curl to feed it, and the option that takes the body."""
    if not body:
        return "", ""
    if len(body) <= _LONGEST_WRITTEN and b"\0" not in body:
        return "", f"--data-binary {shlex.quote(body.decode('utf-8', 'replace'))}"
    return f"{{ {_fed(body)}; }} |", "--data-binary @-"


def _fed(body: bytes) -> str:
    """Return commands that write ``body``, or as many bytes where it can't be written in short."""
    # A run that begins later has too much before it; to look for one in a megabyte takes long.
    run = _RUN.search(body, 0, _LONGEST_WRITTEN + _LONG)
    rest = body[run.start() :].lstrip(run[1]) if run else b""
    if run is None or run.start() + len(rest) > _LONGEST_WRITTEN:
        return f"head -c {len(body)} /dev/zero"
    before, after = (
        f"printf %s {shlex.quote(part.decode('utf-8', 'replace'))}"
        for part in (body[: run.start()], rest)
    )
    times = len(body) - run.start() - len(rest)
    return f"{before}; head -c {times} /dev/zero | tr '\\0' {run[1].decode()}; {after}"
