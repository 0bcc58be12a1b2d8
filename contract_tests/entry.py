"""The way into the command `contract-tests`, which needs more than the mock does."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, or say in one line what must be installed for it."""
    try:
        from contract_tests.cli import main as command
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"contract-tests: {error.name} is not installed;"
            " run: pip install 'fansmetric-contract[gate]'\n"
        )
        sys.exit(2)
    command()
