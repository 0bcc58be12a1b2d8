"""The refusals that a test may expect: statuses of errors, and rules of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from mockserver.errors import Misuse
from mockserver.testing.frames import says_all

__tracebackhide__ = says_all


def checked(refusals: Iterable[int | str]) -> set[int | str]:
    """Return ``refusals``. Raises ``Misuse`` at what no answer can be refused with."""
    return {_checked(refusal) for refusal in refusals}


def _checked(refusal: int | str) -> int | str:
    from mockserver.rules import RULES

    is_status = isinstance(refusal, int) and 400 <= refusal <= 599
    if is_status or refusal in RULES:
        return refusal
    text = str(refusal)
    if text.isdecimal():
        hint = "; a status is a number from 400 to 599, such as 429"
    else:
        near = get_close_matches(text, RULES, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `mockserver rules` lists the rules"
    raise Misuse(f"nothing is refused with {ascii(refusal)[:60]}{hint}")
