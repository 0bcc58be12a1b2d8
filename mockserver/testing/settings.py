"""Attributes of a test's things: some may be set, and setting any other is misuse instead of silence."""

from __future__ import annotations

from difflib import get_close_matches

from mockserver.errors import Misuse
from mockserver.testing.frames import says_all

__tracebackhide__ = says_all


class Settings:
    """Lets properties be set that can be, and nothing else beside what is private."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set ``name``. Raises ``Misuse``, which names the nearest one, when it is no setting."""
        known = _settings(type(self))
        if not name.startswith("_") and name not in known:
            raise Misuse(_sentence(name, type(self), known))
        super().__setattr__(name, value)


def _settings(kind: type) -> list[str]:
    found = ((name, getattr(kind, name, None)) for name in dir(kind))
    return [name for name, member in found if isinstance(member, property) and member.fset]


def _sentence(name: str, kind: type, known: list[str]) -> str:
    what = f"{kind.__name__}.{name} can't be set"
    if not known:
        return f"{what}; nothing of it can, call its methods"
    near = [] if hasattr(kind, name) else get_close_matches(name, known, n=1)
    return f"{what}; " + (f"did you mean {near[0]}?" if near else f"what can is {', '.join(known)}")
