"""What users of the suite can do wrong, as exceptions with one-line messages."""

from __future__ import annotations

from typing import ClassVar

_LONGEST = 1_000
"""Characters of a line that are shown; what it quotes may be a whole document."""


class SuiteError(Exception):
    """Base of every error that is the user's to mend; its text is one line that says how."""

    def __init__(self, line: str) -> None:
        super().__init__(one_line(line))


def one_line(text: str) -> str:
    """Return ``text`` with everything escaped that would break a line or play with a terminal, and not too long."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class ContractError(SuiteError):
    """Raised when the contract's document can't be read or breaks the rules of its form."""


class FixtureError(SuiteError):
    """Raised when a fixture file can't be read, or names what doesn't exist."""


class Misuse(SuiteError):
    """Raised when the mock is asked for something that makes no sense; the text says what would."""

    status: ClassVar[int] = 400
    """What the control API answers."""


class BadLimit(Misuse):
    """Raised when a limit or a headroom is negative, or more is to remain than the limit allows."""


class BadFault(Misuse):
    """Raised when a fault could never happen as it is described."""


class BadState(Misuse):
    """Raised when a saved state isn't one, or contradicts itself."""


class UnknownPermission(Misuse):
    """Raised when a key is to have a permission that the contract doesn't know."""


class UnknownOperation(Misuse):
    """Raised when an operation or a path is named that the contract doesn't have."""


class NotThere(Misuse):
    """Raised when an organization, key, account or fault isn't there, or not any more."""

    status = 404


class Taken(Misuse):
    """Raised when a new thing would have the id or the key of another."""

    status = 409


class Unavailable(SuiteError):
    """Raised when a port or a file can't be had."""
