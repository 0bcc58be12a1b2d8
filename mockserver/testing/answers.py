"""What stands at an address and what it answers: the JSON of a control API, or why that is none."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mockserver import errors
from mockserver.errors import Misuse, Unavailable
from mockserver.testing.frames import says_all

__tracebackhide__ = says_all

_EXAMPLE = "http://127.0.0.1:4010"

WANTED = f"give the base URL of a FansMetric mock, such as {_EXAMPLE}"
"""What to do where no control API answers."""


def address(url: str) -> SplitResult:
    """Return the parts of ``url``.

    Raises ``Misuse`` when it is no http or https address, or one with a name and password: clients
    would send those in place of their key.
    """
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port or an address in brackets that is none
        raise _no_address(url) from None
    if parts.username is not None:
        host = parts.netloc.rpartition("@")[2]
        plain = parts._replace(netloc=host).geturl()
        raise Misuse(f"the address of a mock carries no name and password; give {plain}")
    if not is_address:
        raise _no_address(url)
    return parts


def _no_address(url: str) -> Misuse:
    return Misuse(f"{url!r} is no address of a mock; give one such as {_EXAMPLE}")


def decoded(status: int, payload: bytes, kind: str | None, label: str, *, hint: str = "") -> Any:
    """Return the decoded answer, or raise the ``Misuse`` of this kind with the sentence of the refusal.

    ``hint`` says what to do where it isn't the control API that answers.
    """
    try:
        value = json.loads(payload)
    except ValueError:
        raise Misuse(f"{label} answered {status} without JSON{hint}") from None
    if status >= 500:
        raise Unavailable(f"the mock failed at {label}: {value}; its log says more")
    if status in {404, 405} and kind is None:  # a control API names the kind of its own
        raise Misuse(f"there is no control API with {label}: it answered {status}{hint}")
    if status >= 400:
        said = value.get("error") if isinstance(value, dict) else None
        raise _misuse(kind)(str(said or f"{label} answered {status}"))
    return value


def _misuse(kind: str | None) -> type[Misuse]:
    """Return the class that the control API named, or ``Misuse`` where this version doesn't know it."""
    found = getattr(errors, kind or "", Misuse)
    return found if isinstance(found, type) and issubclass(found, Misuse) else Misuse
