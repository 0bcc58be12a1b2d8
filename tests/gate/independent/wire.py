"""What passes between the service and HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class Refusal(Exception):
    """Raised when a request gets an error; carries its status and its text."""

    def __init__(self, status: int, text: str, **headers: str) -> None:
        super().__init__(text)
        self.status, self.text, self.headers = status, text, headers


class Body(Protocol):
    """What the service must know of a request's body before it is read."""

    chunked: bool

    def read(self, most: int) -> bytes | None:
        """Return the body, or ``None`` when it is longer than ``most``."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    payload: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, decoded and checked."""

    path: dict[str, Any]
    query: dict[str, Any]
