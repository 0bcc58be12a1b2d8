"""The cache of checked documents: whatever lies in it, and wherever it would have to be, a start goes well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mockserver.cache import CACHE_VARIABLE
from mockserver.contract import Contract, load_contract


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(directory))
    return directory


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "empty-mapping": lambda _: b"{}",
    "list": lambda _: b"[]",
    "deep": lambda _: b"[" * 100_000,
    "cut": lambda kept: kept[: len(kept) // 2],
    "changed": lambda kept: kept.replace(b"api_chats_list", b"api_chats_last"),
    "without-its-digest": lambda kept: kept.partition(b"\n")[2],
}


@pytest.mark.parametrize("case", SPOILED)
def test_what_was_spoiled_is_read_anew(case: str, cache: Path, contract: Contract) -> None:
    """Also what is JSON still, which a disk that filled up or another program may have left there."""
    load_contract()
    (entry,) = cache.iterdir()
    kept = entry.read_bytes()
    entry.write_bytes(SPOILED[case](kept))

    assert contract.operations == load_contract().operations
    assert kept == entry.read_bytes()


def test_a_link_to_itself(cache: Path, contract: Contract) -> None:
    cache.symlink_to(cache)

    assert contract.operations == load_contract().operations


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch, contract: Contract) -> None:
    """A container may run as a user whom its system doesn't know."""

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in (CACHE_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)

    assert contract.operations == load_contract().operations
