"""The packaged fixtures and what is kept of them: the same world, whether it was parsed or kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockserver import yamlfile
from mockserver.cache import CACHE_VARIABLE, cached
from mockserver.contract import Contract
from mockserver.errors import FixtureError
from mockserver.fixtures import read_fixtures
from mockserver.packaged import reader_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(directory))
    return directory


def test_what_was_kept_is_the_same(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is parsed for it."""
    parsed = read_fixtures(contract)
    monkeypatch.delattr(yamlfile, "load_yaml")

    assert parsed == read_fixtures(contract)


def test_a_directory_of_ones_own_is_not_kept(
    contract: Contract, tmp_path: Path, cache: Path
) -> None:
    """It may hold what isn't for others to read, and changes often."""
    (tmp_path / "world.yaml").write_text(
        "roles: {}\norganizations: [{id: lark, accounts: [], keys: []}]\n"
    )
    read_fixtures(contract, tmp_path)

    assert not cache.exists()


def test_a_changed_file_is_parsed_anew(tmp_path: Path) -> None:
    """Also where all of them together hold the same characters as before."""
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    seen = []
    for texts in (("[1, 2]", ""), ("[1, 2]", "3"), ("[1, 2]3", "")):
        for file, text in zip(files, texts, strict=True):
            file.write_text(text)
        try:
            read = reader_of(files)
            seen.append([read(file, {}) for file in files])
        except FixtureError as error:
            seen.append([str(error).partition(":")[0]])

    assert [[[1, 2], None], [[1, 2], 3], [str(files[0])]] == seen


def test_a_broken_file_is_named(tmp_path: Path, cache: Path) -> None:
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    files[0].write_text("a: 1")
    with pytest.raises(FixtureError, match=r"b\.yaml: can't be read"):
        reader_of(files)
    files[1].write_text("{")
    with pytest.raises(FixtureError, match=r"b\.yaml: not valid YAML"):
        reader_of(files)

    assert not cache.exists()


def test_tells_sources_of_one_sum_apart() -> None:
    """These two have the same CRC-32, and so the same place in the cache."""
    first, second = b"plumless", b"buckeroo"
    seen = [cached("tea", source, source.decode) for source in (first, second, first)]

    assert ["plumless", "buckeroo", "plumless"] == seen


def test_keeps_nothing_that_it_could_not_read_again() -> None:
    """Half of a character, which YAML can name and JSON can't hold."""
    seen = [cached("tea", b"half", lambda: ["\ud800"]) for _ in range(2)]

    assert [["\ud800"]] * 2 == seen
