"""How fast the gate is: the rule checks, the exploration beside them, and plain Schemathesis with the same budget.

Run with `python benchmarks/gate.py`; prints a Markdown table of medians over interleaved rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from contract_tests.embedded import embedded_mock
from mockserver.testing.backends import Remote

ROOT = Path(__file__).parent.parent
ROUNDS = 3
BUDGET = ("--seed=1", "--examples=3")
PLAIN = ("--checks=all", "--max-examples=3", "--seed=1", "--generation-database=none", "--no-color")
KEY = "[auth.openapi.bearerKey]\nbearer = 'fm_api_test_unlimited'\n[cache]\nenabled = false\n"

Run = Callable[[Path], int]
"""Runs something against a mock that it starts, with a folder to write to; returns how many requests it sent."""


def gate(*options: str) -> Run:
    """Return what runs the gate; it must find nothing."""

    def run(folder: Path) -> int:
        report = folder / "report.json"
        command = ["contract_tests", "run", f"--report=json={report}"]
        done = subprocess.run(
            [sys.executable, "-m", *command, *options], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        return int(json.loads(report.read_text(encoding="utf-8"))["requests"])

    return run


def plain(folder: Path) -> int:
    """Run `st run` with one key and count what the mock's journals say."""
    config = folder / "schemathesis.toml"
    config.write_text((ROOT / "schemathesis.toml").read_text(encoding="utf-8") + KEY)
    command = ["--config-file", str(config), "run", str(ROOT / "openapi.yaml")]
    with embedded_mock() as profile:
        target = f"--url={profile.base_url}"
        subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", *command, target, *PLAIN],
            capture_output=True,
            check=False,  # it reports what it takes for a fault on a clean mock, too
        )
        mock = Remote(str(profile.base_url))
        named = mock.call("GET", "/organizations/heron/journal?limit=1")["total"]
        return int(named + mock.call("GET", "/journal?limit=1")["total"])


RUNS: dict[str, Run] = {
    "`contract-tests run --fast`: the rules": gate("--fast"),
    "`contract-tests run`: the rules, and the exploration once per header form": gate(*BUDGET),
    "`st run --checks all`: one header form": plain,
}


def main() -> None:
    seen: dict[str, list[tuple[float, int]]] = {name: [] for name in RUNS}
    for _ in range(ROUNDS):
        for name, run in RUNS.items():
            with tempfile.TemporaryDirectory() as folder:
                begun = time.perf_counter()
                sent = run(Path(folder))
                seen[name].append((time.perf_counter() - begun, sent))
    print("| run | requests | seconds | requests a second |\n|---|---|---|---|")
    for name, rounds in seen.items():
        seconds = statistics.median(seconds for seconds, _ in rounds)
        requests = statistics.median(float(sent) for _, sent in rounds)
        print(f"| {name} | {requests:,.0f} | {seconds:.1f} | {requests / seconds:,.0f} |")


if __name__ == "__main__":
    main()
