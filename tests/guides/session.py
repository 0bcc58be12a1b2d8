"""Following a guide as a reader would: its files are written, its commands run, its answers compared.

A fenced block with a title is a file. A ``console`` block holds commands after ``$ `` and what each
prints; ``…`` stands for anything, and on a line of its own for any number of lines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

BASH = shutil.which("bash")
ADDRESS = "http://127.0.0.1:4010"
"""Where a guide's mock listens; the tests' own takes any free port."""
READERS_OWN = re.compile(r"(\.venv/bin/)?(pip install|tox)\b|python3 -m venv\b")
"""Commands that set the reader's machine up, which these tests don't."""

_BLOCK = re.compile(r'^```(\w+)(?: title="([\w./-]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
_COLOURS = {"FORCE_COLOR", "PY_COLORS", "TTY_COMPATIBLE"}
"""Variables that let commands speak to a pipe as to a terminal."""
_PROGRAMS = {
    "mockserver": "mockserver.cli",
    "contract-tests": "contract_tests.entry",
    "pytest": "pytest",
}


class Step(NamedTuple):
    """A file to write, or a command and what it prints."""

    file: str
    text: str
    shown: str = ""


def steps(markdown: str) -> list[Step]:
    """Return every file and command of a page, in its order."""
    found = []
    for language, title, text in _BLOCK.findall(markdown):
        if title:
            found.append(Step(title, text))
        elif language == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                found.append(Step("", command, shown))
    return found


@dataclass
class Session:
    """A shell in a folder, with our commands on its path."""

    folder: Path
    address: str = ADDRESS
    """Where the server of the guide listens in truth."""
    named: str = ADDRESS
    """The address by which the guide calls it."""
    package: Path = Path(__file__).parents[2]
    """The checkout whose commands are run."""
    environment: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        binaries = self.folder / ".bin"
        binaries.mkdir()
        for name, module in _PROGRAMS.items():
            script = (
                f"import sys; from {module} import main; sys.argv[0] = {name!r}; sys.exit(main())"
            )
            command = binaries / name
            command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{script}" "$@"\n')
            command.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in _COLOURS},
            "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.package),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "-p mockserver.pytest_plugin",
            "FANSMETRIC_CACHE_DIR": str(self.folder / ".cache"),
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def follow(self, step: Step) -> None:
        """Take one step; fails with both texts when a command prints something else."""
        if step.file:
            file = self.folder / step.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self._moved(step.text), "utf-8")
        elif step.text.startswith("export "):
            name = step.text.removeprefix("export ").partition("=")[0]
            code, value = self._run(f'{step.text} && printf %s "${name}"')
            assert not code, f"{step.text}\n{value}"
            self.environment[name] = value
        elif not READERS_OWN.match(step.text):
            self._compare(step, *self._run(step.text))

    def _compare(self, step: Step, code: int | None, printed: str) -> None:
        printed = readdressed(printed, self.address, self.named)
        if not step.shown:
            assert not code, f"{step.text}\n{printed}"
        assert fits(step.shown or "…\n", printed), (
            f"$ {step.text}\n{printed}\n  isn't\n{step.shown}"
        )

    def _moved(self, text: str) -> str:
        return readdressed(text, self.named, self.address)

    def _run(self, command: str) -> tuple[int | None, str]:
        if command.startswith("mockserver serve"):
            return self.serve(command)
        done = subprocess.run(
            [str(BASH), "-c", self._moved(command)],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def serve(self, command: str) -> tuple[int | None, str]:
        """Start a server in the place of the last one; return what it prints until it listens, or ends."""
        self.stop()
        self.server = subprocess.Popen(
            [str(BASH), "-c", f"exec {command} --port 0"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed = until_ready(self.server.stdout)
        found = re.search(r"Serving the FansMetric mock on (\S+)", printed)
        if found is None:
            return self.server.wait(30), printed
        self.address = found[1]
        return None, printed

    def stop(self) -> None:
        """End the server, if there is one."""
        if self.server is not None:
            self.server.terminate()
            self.server.communicate()
            self.server = None


def readdressed(text: str, old: str, new: str) -> str:
    """Return ``text`` with ``new`` wherever ``old`` is a whole address, not the beginning of a longer port."""
    return re.sub(rf"{re.escape(old)}(?!\d)", lambda _: new, text)


def until_ready(stream: IO[str] | None) -> str:
    """Return what a server prints up to its last line, or to its end."""
    lines: list[str] = []
    for line in stream or ():
        lines.append(line)
        if line.startswith("Try: "):
            break
    return "".join(lines)


def fits(shown: str, printed: str) -> bool:
    """Say whether ``printed`` is what a guide shows; trailing blanks don't count."""
    pattern = "".join(
        "(?:.*\n)*?" if line == "…" else re.escape(line.rstrip()).replace("…", ".*") + "\n"
        for line in shown.splitlines()
    )
    text = "".join(f"{line.rstrip()}\n" for line in printed.splitlines())
    return re.fullmatch(pattern + ("(?:.*\n)*" if shown.endswith("…\n") else ""), text) is not None
