"""The command `contract-tests`: check a server, and list what is checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from tabulate import tabulate

from contract_tests.baseline import read_baseline
from contract_tests.checks import load_checks
from contract_tests.embedded import embedded_mock
from contract_tests.gate import Asked, check_target
from contract_tests.profile import Profile, checked_url, named_target
from contract_tests.proxy.command import run_proxy
from contract_tests.reports import parse_reports, prepare_reports, write_reports
from contract_tests.reports.terminal import print_outcome
from contract_tests.run import EXAMPLES
from mockserver.commands import ended_by_signals, plain_errors
from mockserver.contract import Contract, load_contract
from mockserver.errors import SuiteError
from mockserver.rules import RULES

_WIDE = 160


@click.group()
@click.version_option(package_name="fansmetric-contract")
def main() -> None:
    """Check a server against the contract of the FansMetric Public API.

    Exit codes of `run` and `proxy`: 0 every checked rule kept, 1 a rule broken, 2 wrong use, 3 the target
    can't be reached or the suite itself broke, 4 nothing checked or a required rule not checked.
    """


@main.command("run")
@click.argument("url", required=False)
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path),
    help="What is known of the target.",
)
@click.option("--control", is_flag=True, help="The target has the mock's control API; use it.")
@click.option("--only", multiple=True, metavar="RULE", help="A rule or an area; may be repeated.")
@click.option("--require", multiple=True, metavar="RULE", help="Fail unless this rule was checked.")
@click.option("--strict", is_flag=True, help="Let inferred rules break the run too.")
@click.option("--fast", is_flag=True, help="Check the rules only, without exploration.")
@click.option(
    "--explore",
    is_flag=True,
    help="Explore a target without a control API too: thousands of requests.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the exploration.")
@click.option(
    "--examples",
    type=click.IntRange(1),
    default=EXAMPLES,
    show_default=True,
    help="Requests that the exploration makes up for each operation.",
)
@click.option(
    "--allow-writes", is_flag=True, help="Send writes with valid keys to a target that isn't local."
)
@click.option(
    "--allow-exhaust", metavar="minute,day", default="", help="Windows that may be used up."
)
@click.option("--max-requests", type=click.IntRange(1), help="Send no more than so many requests.")
@click.option(
    "--baseline", type=click.Path(path_type=Path), help="Breaches that are known and accepted."
)
@click.option(
    "--report", "reports", default="", metavar="json=F,junit=F,html=F,md=F", help="Write reports."
)
@click.option(
    "--spec", type=click.Path(path_type=Path), help="The contract, if not the packaged one."
)
@plain_errors("contract-tests")
def run_command(
    url: str | None,
    profile_file: Path | None,
    control: bool,
    only: tuple[str, ...],
    require: tuple[str, ...],
    strict: bool,
    fast: bool,
    explore: bool,
    seed: int,
    examples: int,
    allow_writes: bool,
    allow_exhaust: str,
    max_requests: int | None,
    baseline: Path | None,
    reports: str,
    spec: Path | None,
) -> None:
    """Check the server at URL, or the embedded mock when no URL and no profile is given."""
    contract, files = load_contract(spec), parse_reports(reports)
    prepare_reports(files)
    _known([*only, *require])
    asked = Asked(
        only=only,
        require=require,
        strict=strict,
        fast=fast,
        explore=explore,
        seed=seed,
        examples=examples,
        gaps=tuple(read_baseline(baseline, contract)) if baseline else (),
    )
    with _target(url, profile_file, contract, spec) as found:
        profile = replace(
            found,
            control=control or found.control,
            allow_writes=allow_writes or found.allow_writes,
            allow_exhaust=found.allow_exhaust | _windows(allow_exhaust),
            max_requests=max_requests or found.max_requests,
        )
        with ended_by_signals():
            outcome = check_target(contract, profile, asked, click.echo)
    # A file or a pipe has no width of its own; reasons should stay on one line there.
    print_outcome(outcome, Console(width=None if sys.stdout.isatty() else _WIDE))
    write_reports(outcome, files)
    sys.exit(outcome.exit_code)


@contextmanager
def _target(
    url: str | None, file: Path | None, contract: Contract, spec: Path | None
) -> Iterator[Profile]:
    """Yield the profile of the target; starts the embedded mock when nothing else is named."""
    if file is not None or url is not None:
        yield named_target(url, file, contract)
    else:
        with embedded_mock(spec) as profile:
            yield profile


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


@main.command("prove")
@click.option(
    "--only",
    multiple=True,
    metavar="DEFECT",
    help="A defect or a part of its name; may be repeated.",
)
@click.option("--everywhere", is_flag=True, help="Check every operation, not only a telling few.")
@click.option(
    "--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="Gates at a time."
)
@click.option(
    "--matrix", type=click.Path(path_type=Path), help="Write the table as a Markdown page."
)
@click.option(
    "--plain",
    type=click.Path(path_type=Path),
    help="What plain Schemathesis found, from benchmarks/plain_schemathesis.py.",
)
@plain_errors("contract-tests")
def prove_command(
    only: tuple[str, ...], everywhere: bool, processes: int, matrix: Path | None, plain: Path | None
) -> None:
    """Plant every defect into the embedded mock, and show that its rule is the one reported.

    Exit codes: 0 every defect caught and every rule proven, 1 not so, 2 wrong use, 3 the mock didn't start.
    """
    from contract_tests.proving import run_proof

    sys.exit(
        run_proof(only, everywhere=everywhere, processes=processes, matrix=matrix, plain=plain)
    )


@main.command("proxy")
@click.argument("url")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=4011,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free port.",
)
@click.option("--strict", is_flag=True, help="Let inferred rules break the run too.")
@click.option(
    "--report",
    "reports",
    default="",
    metavar="json=F,junit=F,html=F,md=F",
    help="Write reports at the end.",
)
@click.option(
    "--spec", type=click.Path(path_type=Path), help="The contract, if not the packaged one."
)
@plain_errors("contract-tests")
def proxy_command(
    url: str, host: str, port: int, strict: bool, reports: str, spec: Path | None
) -> None:
    """Pass traffic through to the server at URL and judge it, until interrupted."""
    files, base_url = parse_reports(reports), checked_url(url)
    prepare_reports(files)
    outcome = run_proxy(
        base_url,
        host,
        port,
        spec,
        strict=strict,
        announce=lambda own: click.echo(f"Passing {own} on to {base_url}; Ctrl-C ends it."),
        tell=lambda line: click.echo(line, err=True),
    )
    print_outcome(outcome, Console(width=None if sys.stdout.isatty() else _WIDE))
    write_reports(outcome, files)
    sys.exit(outcome.exit_code)


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
