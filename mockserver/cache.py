"""What takes long to read, kept as JSON beside the user's other caches, and read from there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from mockserver.files import read_bounded, write_whole

CACHE_VARIABLE = "FANSMETRIC_CACHE_DIR"
"""The environment variable that moves the cache."""


def cached(name: str, source: bytes, make: Callable[[], Any]) -> Any:
    """Return what ``make`` gives, a JSON value that depends on ``source`` alone, or what was kept of it as ``name``.

    Raises what ``make`` raises; a cache that can't be read or written costs time, never a start.
    """
    # A sum only finds the place: the source is kept beside the value, so no other one passes for it.
    # A digest that could do alone would bring OpenSSL's 3 MB.
    file = _directory() / f"{name}-{crc32(source):08x}.json"
    text = source.decode("latin-1")
    entry = _read(file)
    if entry is None or entry["source"] != text:
        entry = {"source": text, "value": make()}
        _write(file, entry)
    return entry["value"]


def _directory() -> Path:
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "fansmetric-contract"
    except RuntimeError:  # containers have users without a home
        return Path(os.devnull, "fansmetric-contract")  # where nothing is, nor can be


def _read(file: Path) -> dict[str, Any] | None:
    """Return the entry that was kept, ``None`` where something else lies in its place."""
    try:
        total, _, text = read_bounded(file).partition(b"\n")
    except OSError:
        return None
    if total.strip() != _sum(text):
        return None
    try:
        entry: dict[str, Any] = orjson.loads(text)
    except ValueError:  # half of a character, which YAML may name and JSON doesn't hold
        return None
    return entry


def _write(file: Path, entry: dict[str, Any]) -> None:
    text = json.dumps(entry)
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, f"{_sum(text.encode()).decode()}\n{text}")


def _sum(text: bytes) -> bytes:
    return f"{crc32(text):08x}".encode()
