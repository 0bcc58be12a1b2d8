"""The command `contract-tests`: check a server, and list what is checked."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from tabulate import tabulate

from contract_tests.checks import load_checks
from contract_tests.embedded import embedded_mock
from contract_tests.profile import Profile, read_profile
from contract_tests.reports import parse_reports, write_reports
from contract_tests.reports.outcome import Outcome
from contract_tests.reports.terminal import print_outcome
from contract_tests.run import Options, Task, chosen_rules, estimate, planned, run
from contract_tests.verdicts import Ledger
from mockserver.commands import plain_errors
from mockserver.contract import Contract, load_contract
from mockserver.errors import SuiteError
from mockserver.rules import RULES
from mockserver.words import plural

_WIDE = 160


@click.group()
@click.version_option(package_name="fansmetric-contract")
def main() -> None:
    """Check a server against the contract of the FansMetric Public API.

    Exit codes of `run`: 0 every checked rule kept, 1 a rule broken, 2 wrong use, 3 the target can't be
    reached or the suite itself broke, 4 nothing checked or a required rule not checked.
    """


@main.command("run")
@click.argument("url", required=False)
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path),
    help="What is known of the target.",
)
@click.option("--only", multiple=True, metavar="RULE", help="A rule or an area; may be repeated.")
@click.option("--require", multiple=True, metavar="RULE", help="Fail unless this rule was checked.")
@click.option("--strict", is_flag=True, help="Let inferred rules break the run too.")
@click.option("--fast", is_flag=True, help="Check each rule on some of its operations only.")
@click.option(
    "--allow-writes", is_flag=True, help="Send writes with valid keys to a target that isn't local."
)
@click.option(
    "--allow-exhaust", metavar="minute,day", default="", help="Windows that may be used up."
)
@click.option("--max-requests", type=click.IntRange(1), help="Send no more than so many requests.")
@click.option(
    "--report", "reports", default="", metavar="json=F,junit=F,md=F", help="Write reports."
)
@click.option(
    "--spec", type=click.Path(path_type=Path), help="The contract, if not the packaged one."
)
@plain_errors("contract-tests")
def run_command(
    url: str | None,
    profile_file: Path | None,
    only: tuple[str, ...],
    require: tuple[str, ...],
    strict: bool,
    fast: bool,
    allow_writes: bool,
    allow_exhaust: str,
    max_requests: int | None,
    reports: str,
    spec: Path | None,
) -> None:
    """Check the server at URL, or the embedded mock when no URL and no profile is given."""
    contract, files = load_contract(spec), parse_reports(reports)
    _known([*only, *require])
    windows = _windows(allow_exhaust)
    rules = chosen_rules(only)
    tasks = planned(contract, Options(only, fast), rules)
    with _target(url, profile_file, contract, spec) as found:
        profile = replace(
            found,
            allow_writes=found.allow_writes or allow_writes,
            allow_exhaust=found.allow_exhaust | windows,
            max_requests=max_requests or found.max_requests,
        )
        click.echo(
            f"{plural(len(rules), 'rule')} on {plural(len(contract), 'operation')} of {profile.base_url}: about"
            f" {plural(estimate(tasks), 'request')}, each of which uses a credit unless it is refused with 401 or 429."
        )
        outcome = _run(contract, profile, tasks, Ledger(rules), strict=strict, require=require)
    # A file or a pipe has no width of its own; reasons should stay on one line there.
    print_outcome(outcome, Console(width=None if sys.stdout.isatty() else _WIDE))
    write_reports(outcome, files)
    sys.exit(outcome.exit_code)


@contextmanager
def _target(
    url: str | None, file: Path | None, contract: Contract, spec: Path | None
) -> Iterator[Profile]:
    """Yield the profile of the target; starts the embedded mock when nothing else is named."""
    if file is not None:
        profile = read_profile(file, contract)
        yield replace(profile, base_url=url.rstrip("/")) if url else profile
    elif url is not None:
        if not url.startswith(("http://", "https://")):
            raise SuiteError(f"{url!r} is no http or https URL")
        yield Profile(url.rstrip("/"))
    else:
        with embedded_mock(spec) as profile:
            yield profile


def _run(
    contract: Contract,
    profile: Profile,
    tasks: list[Task],
    ledger: Ledger,
    *,
    strict: bool,
    require: tuple[str, ...],
) -> Outcome:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    begun = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task("checking", total=len(tasks))
        target = run(
            contract,
            profile,
            tasks,
            ledger,
            lambda rule: shown.update(bar, advance=1, description=rule),
        )
    return Outcome(
        base_url=profile.base_url,
        spec=contract.source,
        operations=len(contract),
        requests=target.sent,
        seconds=time.monotonic() - begun,
        ledger=ledger,
        strict=strict,
        require=require,
    )


def _known(names: list[str]) -> None:
    areas = {rule.area for rule in RULES.values()}
    for name in names:
        if name not in RULES and name not in areas:
            raise SuiteError(
                f"there is no rule or area {name}; `contract-tests rules` lists them all"
            )


def _windows(text: str) -> frozenset[str]:
    windows = frozenset(filter(None, text.split(",")))
    if windows - {"minute", "day"}:
        raise SuiteError(f"--allow-exhaust takes minute, day or both, got {text!r}")
    return windows


@main.command("rules")
def rules_command() -> None:
    """List every rule with its level, its source and what checking it needs."""
    judged = {rule.id for check in load_checks() for rule in check.rules}
    rows = [
        (
            rule.id,
            str(rule.level),
            "yes" if rule.id in judged else "no",
            rule.sentence,
            rule.source,
            ", ".join(map(str, rule.needs)) or "nothing",
        )
        for rule in RULES.values()
    ]
    head = ("rule", "level", "checked", "sentence", "source", "needs")
    click.echo(tabulate(rows, head, tablefmt="plain"))
