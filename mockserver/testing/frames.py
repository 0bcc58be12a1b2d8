"""What pytest shows of a traceback: modules that name ``says_all`` as ``__tracebackhide__`` stay out of it."""

from __future__ import annotations

from typing import Protocol

from mockserver.errors import SuiteError


class _Caught(Protocol):
    """The part of pytest's ``ExceptionInfo`` that is asked here."""

    @property
    def value(self) -> BaseException:
        """The exception."""


def says_all(caught: _Caught) -> bool:
    """Whether the exception's text tells the reader of a failed test everything; `--full-trace` shows more."""
    return isinstance(caught.value, AssertionError | SuiteError)
