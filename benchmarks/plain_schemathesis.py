"""What plain Schemathesis finds on each defect that `contract-tests prove` plants, without our rules.

    python benchmarks/plain_schemathesis.py docs/plain-schemathesis.json [DEFECT …]

Each run is `st run openapi.yaml --checks all` in all phases, with a seeded key that has every permission.
A check counts for a defect when it fails with the defect and doesn't on the clean mock.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from contract_tests.embedded import embedded_mock
from contract_tests.prove import Case, cases_of_the_mock, plant

ROOT = Path(__file__).parent.parent
OPTIONS = (
    "--checks=all",
    "--max-examples=3",
    "--seed=1",
    "--generation-database=none",
    "--no-color",
)
KEY = """
[auth.openapi.bearerKey]
bearer = "fm_api_test_unlimited"
[cache]
enabled = false
"""
_FAILED = re.compile(r"❌ (.+?): \d+")


def failing_checks(case: Case | None) -> set[str]:
    """Return the titles of the checks that fail while ``case`` is planted."""
    with embedded_mock() as profile, tempfile.TemporaryDirectory() as directory:
        if case is not None:
            plant(profile, case.defects)
        config = Path(directory) / "schemathesis.toml"
        config.write_text((ROOT / "schemathesis.toml").read_text(encoding="utf-8") + KEY)
        command = ["--config-file", str(config), "run", str(ROOT / "openapi.yaml")]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "schemathesis.cli",
                *command,
                f"--url={profile.base_url}",
                *OPTIONS,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout + done.stderr)
    return set(_FAILED.findall(done.stdout))


def main(file: Path, only: Sequence[str]) -> None:
    cases = [c for c in cases_of_the_mock() if not only or c.name in only]
    usual = failing_checks(None)
    found = {}
    with ThreadPoolExecutor(2) as pool:
        for case, failing in zip(cases, pool.map(failing_checks, cases), strict=True):
            found[case.name] = sorted(failing - usual)
            print(f"{case.name}: {', '.join(found[case.name]) or '-'}", flush=True)
    result = {"schemathesis": version("schemathesis"), "options": OPTIONS, "found": found}
    file.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
