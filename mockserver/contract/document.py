"""Reading `openapi.yaml`: parsed and checked once, then kept as JSON beside the user's other caches."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mockserver.contract.operations import Contract
from mockserver.data import default_spec
from mockserver.errors import ContractError
from mockserver.files import read_bounded, write_whole

CACHE_VARIABLE = "FANSMETRIC_CACHE_DIR"
"""The environment variable that moves the cache."""

_FORM = 4
"""Raised with every change to what `checks` accepts, so that no stale verdict is reused."""


def load_contract(path: Path | None = None) -> Contract:
    """Return the contract in the file at ``path``, or the packaged one.

    Parsing and checking the YAML takes most of a second, so a document that passed is kept as JSON
    under its hash (``FANSMETRIC_CACHE_DIR``, by default the user's cache directory) and read from there.

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
    cached = _cache_dir() / f"{name}-{hashlib.sha256(text).hexdigest()[:32]}.json"
    document = _from_cache(cached)
    if document is None:
        document = _parse(text, file)
        if check is not None:
            check(document, str(file))
        _to_cache(cached, document)
    return document


def _check(document: Mapping[str, Any], source: str) -> None:
    from mockserver.contract.checks import check_document  # seldom needed, and slow to import

    check_document(document, source)


def _read(file: Path) -> bytes:
    try:
        return read_bounded(file)
    except OSError as error:
        raise ContractError(f"{file}: can't be read ({error.strerror})") from None


def _parse(text: bytes, file: Path) -> Mapping[str, Any]:
    import yaml

    from mockserver.yamlfile import load_yaml

    try:
        document = load_yaml(text)
    except yaml.YAMLError as error:
        raise ContractError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ContractError(f"{file}: must be a mapping with `openapi`, `paths` and `components`")
    return document


def _cache_dir() -> Path:
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "fansmetric-contract"
    except RuntimeError:  # containers have users without a home
        return Path(os.devnull, "fansmetric-contract")  # where nothing is, nor can be


def _from_cache(cached: Path) -> Mapping[str, Any] | None:
    """Return the document that was kept, ``None`` where something else lies in its place."""
    try:
        digest, _, text = read_bounded(cached).partition(b"\n")
    except OSError:
        return None
    if digest.strip() != _digest(text):
        return None
    document: Mapping[str, Any] = json.loads(text)
    return document


def _to_cache(cached: Path, document: Mapping[str, Any]) -> None:
    # A cache that can't be written costs time, never a start.
    text = json.dumps(document)
    with suppress(OSError):
        cached.parent.mkdir(parents=True, exist_ok=True)
        write_whole(cached, f"{_digest(text.encode()).decode()}\n{text}")


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest().encode()
