"""What users of the suite can do wrong, as exceptions with one-line messages."""

from __future__ import annotations


class SuiteError(Exception):
    """Base of every error that is the user's to mend; its text is one line that says how."""


class ContractError(SuiteError):
    """Raised when the contract's document can't be read or breaks the rules of its form."""


class FixtureError(SuiteError):
    """Raised when a fixture file can't be read, or names what doesn't exist."""


class Misuse(SuiteError):
    """Raised when the mock is asked for something that makes no sense, such as a negative limit."""


class Unavailable(SuiteError):
    """Raised when a port or a file can't be had."""
