"""Reading `openapi.yaml`: parsed and checked once, then kept as JSON beside the user's other caches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mockserver.cache import cached
from mockserver.contract.operations import Contract
from mockserver.data import default_spec
from mockserver.errors import ContractError
from mockserver.files import read_bounded

_FORM = 4
"""Raised with every change to what `checks` accepts, so that no stale verdict is reused."""


def load_contract(path: Path | None = None) -> Contract:
    """Return the contract in the file at ``path``, or the packaged one.

    Parsing and checking the YAML takes most of a second, so a document that passed is kept as JSON
    beside its text (``FANSMETRIC_CACHE_DIR``, by default the user's cache directory) and read from there.

    Raises ``ContractError`` when the file can't be read or breaks a rule of the contract's form.
    """
    from mockserver.contract.build import build_contract

    file = path or default_spec()
    return build_contract(load_document(file, f"contract-{_FORM}", _check), str(file))


def load_document(
    file: Path, name: str, check: Callable[[Mapping[str, Any], str], None] | None = None
) -> Mapping[str, Any]:
    """Return the YAML document in ``file``, kept in the cache as ``name`` once ``check`` let it pass.

    Raises ``ContractError`` when it can't be read, and what ``check`` raises.
    """
    text = _read(file)

    def parsed() -> Mapping[str, Any]:
        document = _parse(text, file)
        if check is not None:
            check(document, str(file))
        return document

    found: Mapping[str, Any] = cached(name, text, parsed)
    return found


def _check(document: Mapping[str, Any], source: str) -> None:
    from mockserver.contract.checks import check_document  # seldom needed, and slow to import

    check_document(document, source)


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file)
    except OSError as error:
        raise ContractError(f"{file}: can't be read ({error.strerror})") from None


def _parse(text: bytes, file: Path) -> Mapping[str, Any]:
    from mockserver.yamlfile import parse_yaml  # not needed for what was kept

    document = parse_yaml(text, file, ContractError)
    if not isinstance(document, dict):
        raise ContractError(f"{file}: must be a mapping with `openapi`, `paths` and `components`")
    return document
