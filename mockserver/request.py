"""What the head of a request asks: read once for all requests that repeat it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from mockserver.serving.heads import FIELDS, Fields

if TYPE_CHECKING:
    from mockserver.contract import Operation
    from mockserver.journal import Shown

Environ = dict[str, Any]

_BODY_HEADERS = frozenset({"CONTENT_TYPE", "CONTENT_LENGTH"})


@dataclass(slots=True, eq=False, repr=False)  # its keys are nobody's to print
class Request:
    """A request without its body, not to be changed: calls share it."""

    method: str
    path: str
    """The path, decoded; bytes that are no UTF-8 are replaced."""
    query_string: str
    """The raw query string."""
    fields: Fields
    """The header fields, as far as they are known in the order sent."""
    authorization: str | None
    api_key: str | None
    content_type: str
    """The media type of the body, lower case, without its parameters."""
    declared_length: int | None
    """The Content-Length, or ``None`` when the body's length is not declared."""
    has_body: bool
    """Whether a body was sent, of whatever length."""
    operation: Operation | None = None
    """What it is for, if the contract has that."""
    path_arguments: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = field(init=False)
    """The keys in its headers; another scheme than Bearer presents none (auth page)."""
    shown: Shown | None = field(default=None, init=False)
    """What the journal shows of it, once that was made."""

    def __post_init__(self) -> None:
        self.secrets = _secrets(self.authorization, self.api_key)

    @property
    def query(self) -> dict[str, list[str]]:
        """The decoded query parameters, each with all its values in the order sent."""
        return parse_qs(self.query_string, keep_blank_values=True)


def read_request(environ: Environ) -> Request:
    """Return what a WSGI environ asks."""
    length = environ.get("CONTENT_LENGTH")
    declared = int(length) if length and str(length).isdecimal() else None
    # Without a declared length only a server that ends the stream itself may be read from.
    has_body = bool(environ.get("wsgi.input_terminated")) if declared is None else declared > 0
    return Request(
        str(environ["REQUEST_METHOD"]),
        path_of(environ),
        environ.get("QUERY_STRING", ""),
        environ.get(FIELDS) or _fields(environ),
        environ.get("HTTP_AUTHORIZATION"),
        environ.get("HTTP_X_API_KEY"),
        (environ.get("CONTENT_TYPE") or "").partition(";")[0].strip().lower(),
        declared,
        has_body,
    )


def path_of(environ: Environ) -> str:
    """Return the request's path, decoded; bytes that are no UTF-8 are replaced."""
    path = str(environ.get("PATH_INFO") or "/")
    if path.isascii():
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _fields(environ: Environ) -> Fields:
    """Return the header fields where no server of ours read them."""
    return tuple(
        (_sent(name.removeprefix("HTTP_").replace("_", "-")), _sent(str(value)))
        for name, value in environ.items()
        if value and (name.startswith("HTTP_") or name in _BODY_HEADERS)
    )


def _sent(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _secrets(authorization: str | None, other: str | None) -> tuple[str, ...]:
    found = []
    if authorization is not None:
        scheme, _, secret = authorization.strip().partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            found.append(secret.strip())
    if other is not None and other.strip():
        found.append(other.strip())
    return tuple(found)
