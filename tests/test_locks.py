"""The files in `requirements/` hold all that `pyproject.toml` asks for, by exact version and hash."""

from __future__ import annotations

import os
import re
import tomllib
from configparser import ConfigParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
RENEW = "renew it with `tox -e lock`"


def locked(lock: Path) -> dict[str, Version]:
    """Return the versions in ``lock`` by name. Fails at a line that pins no version or has no hash."""
    found: dict[str, Version] = {}
    for entry in lock.read_text().replace("\\\n", " ").splitlines():
        if entry and not entry.startswith("#"):
            pinned = re.fullmatch(
                r"([\w.-]+)==([\w.]+)( ; [^#@]+?)?( +--hash=sha256:\w{64})+", entry
            )
            assert pinned, f"{lock.name}: no exact version with hashes in {entry[:60]!r}"
            found[canonicalize_name(pinned[1])] = Version(pinned[2])
    return found


def group(name: str) -> list[str]:
    """Return what a dependency group asks for, with the groups that it includes."""
    asked: list[str] = []
    for entry in PROJECT["dependency-groups"][name]:
        asked += [entry] if isinstance(entry, str) else group(entry["include-group"])
    return asked


def extras(*names: str) -> list[str]:
    """Return what the package asks for with these extras."""
    offered = PROJECT["project"]["optional-dependencies"]
    return [*PROJECT["project"]["dependencies"], *(one for name in names for one in offered[name])]


DECLARED = {
    "dev": extras(*PROJECT["project"]["optional-dependencies"]) + group("dev"),
    "docs": group("docs"),
    "gate": extras("gate", "pages"),
    "lint": group("lint"),
    "spec": group("spec"),
    "tox": group("tox") + PROJECT["build-system"]["requires"],
}


def test_every_lock_has_its_declaration() -> None:
    assert sorted(DECLARED) == [lock.stem for lock in LOCKS]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_satisfies_what_is_declared(lock: Path) -> None:
    versions = locked(lock)
    unmet = [
        text
        for text in DECLARED[lock.stem]
        for wanted in [Requirement(text)]
        if (version := versions.get(canonicalize_name(wanted.name))) is None
        or not wanted.specifier.contains(version, prereleases=True)
    ]

    assert not unmet, f"requirements/{lock.name} lacks {unmet}; {RENEW}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_lock_names_no_address(lock: Path) -> None:
    """Each machine has its own registry, or a mirror of it."""
    assert "//" not in lock.read_text()


def test_locks_agree() -> None:
    everything = locked(ROOT / "requirements" / "dev.txt")
    others = [lock for lock in LOCKS if lock.stem in {"gate", "lint", "spec"}]
    apart = {
        f"{lock.stem}: {name}"
        for lock in others
        for name, version in locked(lock).items()
        if everything.get(name) != version
    }

    assert not apart, RENEW


def test_every_environment_installs_a_lock_with_hashes() -> None:
    ini = ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini")
    asked = {name: ini[name]["deps"] for name in ini.sections() if "deps" in ini[name]}
    assert "" == asked.pop("testenv:installed")  # as a user installs it

    assert len(asked) >= 5
    for name, deps in asked.items():
        file = re.fullmatch(r"--require-hashes -r (requirements/\w+\.txt)", deps)
        assert file, f"[{name}] installs {deps!r}"
        assert (ROOT / file[1]) in LOCKS
    assert not [name for name in ini.sections() if {"extras", "dependency_groups"} & set(ini[name])]


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="not in an environment made by tox")
def test_this_environment_holds_nothing_else() -> None:
    """What a lock leaves out would be installed without a hash, with the package itself."""
    versions = locked(ROOT / "requirements" / "dev.txt")
    own = canonicalize_name(PROJECT["project"]["name"])
    installed = {canonicalize_name(d.metadata["Name"]): Version(d.version) for d in distributions()}

    assert own in installed
    del installed[own]
    assert not {name for name, version in installed.items() if versions.get(name) != version}, RENEW
