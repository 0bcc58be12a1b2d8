"""Where the files of fixtures stand; what would be passed over, though it was written to be read, is refused."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from mockserver.contract import Contract
from mockserver.errors import FixtureError
from mockserver.plans import COLLECTIONS, known_collections

WORLD = "world.yaml"
SAVED = "organizations"
_FOLDERS = {COLLECTIONS: (".yaml",), SAVED: (".yaml", ".json")}
"""What is read, by the folder."""

_SUFFIXES = (".yaml", ".yml", ".json")
"""Files that somebody may take for fixtures."""


def refuse_unreadable(root: Path) -> None:
    """Raise ``FixtureError`` unless ``root`` is a directory and it, and each of its folders that is there, can be read."""
    _refuse_unlisted(root, f"is no directory; fixtures are a directory with {WORLD}")
    for folder in (root / name for name in _FOLDERS):
        if os.path.lexists(folder):
            _refuse_unlisted(folder, "is no directory; files of fixtures stand in it")


def _refuse_unlisted(folder: Path, otherwise: str) -> None:
    try:
        os.scandir(f"{folder}/.").close()  # through the dot, as its files are reached
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise FixtureError(f"{folder}: {otherwise}") from None
    except OSError as error:
        raise FixtureError(f"{folder}: can't be read ({error.strerror})") from None


def refuse_misplaced(root: Path, contract: Contract) -> None:
    """Raise ``FixtureError`` at a file or folder of ``root`` whose place or name keeps it from being read."""
    _refuse_files(root, known_collections(contract))
    for name, suffixes in _FOLDERS.items():
        _refuse_suffixes(root / name, suffixes)
    _refuse_folders(root)


def _refuse_files(root: Path, known: set[str]) -> None:
    for file in _data_files(root):
        if file.stem in known:
            raise FixtureError(f"{file}: isn't read here; put it into {COLLECTIONS}/")
        if file.stem == Path(WORLD).stem and not (root / WORLD).exists():
            raise FixtureError(f"{file}: isn't read under this name; call it {WORLD}")


def _refuse_suffixes(folder: Path, suffixes: tuple[str, ...]) -> None:
    for file in _data_files(folder):
        if file.suffix not in suffixes:
            names = " or ".join(f"{file.stem}{suffix}" for suffix in suffixes)
            raise FixtureError(f"{file}: isn't read under this name; call it {names}")


def _refuse_folders(root: Path) -> None:
    for folder in sorted(path for path in root.glob("*") if path.is_dir()):
        if folder.name in _FOLDERS or folder.name.startswith(".") or not _data_files(folder):
            continue
        near = get_close_matches(folder.name, _FOLDERS, 1, 0)[0]
        raise FixtureError(
            f"{folder}: isn't read; the folders of fixtures are {' and '.join(_FOLDERS)},"
            f" the nearest is {near}"
        )


def _data_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if file.suffix.lower() in _SUFFIXES)
