"""The command `contract-tests prove`: its progress, its table, its exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from contract_tests.progress import progress_of
from contract_tests.prove import Verdicts, cases_of_the_mock, prove
from contract_tests.reports.matrix import as_matrix, told
from mockserver.errors import SuiteError, Unavailable
from mockserver.files import write_whole


def run_proof(
    only: Sequence[str],
    *,
    everywhere: bool,
    processes: int,
    matrix: Path | None,
    plain: Path | None,
) -> int:
    """Prove the cases that ``only`` names, or all; print what survived, and return the exit code.

    Raises ``SuiteError`` when ``only`` names nothing or ``plain`` can't be used.
    """
    found = _read_plain(plain) if plain else None
    every = cases_of_the_mock()
    cases = [case for case in every if not only or any(part in case.name for part in only)]
    for part in only:
        if not any(part in case.name for case in every):
            raise SuiteError(
                f"--only: no defect is called {part}; `mockserver defects` lists them all"
            )
    proofs = []
    with progress_of("proving", len(cases)) as advance:
        for proof in prove(cases, everywhere=everywhere, processes=processes):
            advance(proof.case.name)
            proofs.append(proof)
    verdicts = Verdicts(proofs, whole=len(cases) == len(every))
    click.echo("\n".join(told(verdicts)))
    if matrix is not None:
        _write(matrix, as_matrix(verdicts, found))
    return 0 if verdicts.holds else 1


def _read_plain(file: Path) -> dict[str, list[str]]:
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
        return {
            str(name): [str(check) for check in checks] for name, checks in value["found"].items()
        }
    except OSError as error:
        raise SuiteError(f"{file}: can't be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SuiteError(f"{file}: is no file of benchmarks/plain_schemathesis.py") from None


def _write(file: Path, text: str) -> None:
    try:
        write_whole(file, text)
    except OSError as error:
        raise Unavailable(f"{file}: can't be written ({error.strerror})") from None
