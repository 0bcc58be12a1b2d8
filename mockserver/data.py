"""Where the contract and the fixtures lie: inside the wheel, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_ROOTS = (_PACKAGE / "_data", _PACKAGE.parent)


def default_spec() -> Path:
    """Return the path of the packaged ``openapi.yaml``."""
    return _find("openapi.yaml")


def default_fixtures() -> Path:
    """Return the path of the packaged ``fixtures`` directory."""
    return _find("fixtures")


def _find(name: str) -> Path:
    for root in _ROOTS:
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name} is neither in the installed package nor beside it")
