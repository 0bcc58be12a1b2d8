"""What a person reads: one line per rule by area, then each breach with the line that repeats it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contract_tests.reports.outcome import Outcome
from contract_tests.verdicts import Finding, Verdict
from mockserver.words import plural

_STYLES = {
    Verdict.KEPT: "green",
    Verdict.BROKEN: "bold red",
    Verdict.NOT_CHECKED: "yellow",
    Verdict.ERROR: "bold magenta",
}
_MOST_BREACHES = 3
"""Breaches of one rule that the terminal shows; the JSON report has them all."""


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Print the table of rules, the breaches, and the sum."""
    console.print(_table(outcome))
    for finding in outcome.findings:
        if finding.breaches:
            _print_breaches(finding, outcome, console)
    counts = ", ".join(f"{outcome.ledger.counted(v)} {v}" for v in Verdict)
    requests = plural(outcome.requests, "request")
    console.print(f"\n{counts}; {requests} in {outcome.seconds:.0f} s.")


def _table(outcome: Outcome) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("rule", "level", "verdict", "operations", "judged"):
        table.add_column(
            head, justify="right" if head in ("operations", "judged") else "left", no_wrap=True
        )
    table.add_column("why not", overflow="fold")
    for finding in outcome.findings:
        verdict = finding.verdict
        advisory = verdict is Verdict.BROKEN and not outcome.breaks(finding)
        reason = finding.reason if verdict in (Verdict.NOT_CHECKED, Verdict.ERROR) else ""
        table.add_row(
            finding.rule.id,
            str(finding.rule.level),
            f"[{_STYLES[verdict]}]{verdict}{' (advisory)' if advisory else ''}[/]",
            str(len(finding.exercised - {"*"})) if finding.exercised - {"*"} else "",
            str(finding.times),
            escape(reason[:200]),
        )
    return table


def _print_breaches(finding: Finding, outcome: Outcome, console: Console) -> None:
    rule = finding.rule
    console.print(f"\n[bold red]{rule.id}[/] {escape(rule.sentence)}")
    console.print(f"  source: {escape(rule.source)} ({rule.level})")
    for breach in finding.breaches[:_MOST_BREACHES]:
        console.print(f"  {escape(breach.operation)}")
        console.print(f"    allowed  {escape(breach.allowed)}")
        console.print(f"    found    {escape(breach.found)}")
        if breach.exchange is not None:
            shown = breach.exchange.shown()["response"]
            console.print(f"    answer   {shown['status']} {escape(shown['body'][:160])}")
            console.print(
                f"    repeat   {escape(breach.exchange.request.curl(outcome.base_url))}",
                soft_wrap=True,
            )
    more = len(finding.breaches) - _MOST_BREACHES
    if more > 0:
        console.print(f"  and on {plural(more, 'more operation')}")
