"""What a person reads: one line per rule by area, then each breach with the line that repeats it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contract_tests.reports.outcome import Outcome
from contract_tests.text import in_one_line
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
    for finding in outcome.ledger.broken():
        _print_breaches(finding, outcome, console)
    counts = ", ".join(f"{outcome.ledger.counted(v)} {v}" for v in Verdict)
    for note in outcome.notes:
        console.print(escape(note))
    if outcome.ledger.ended:
        console.print(f"\n[bold yellow]{outcome.ledger.ended}[/]: this is what was checked by then")
    console.print(f"\n{counts}; {plural(outcome.requests, 'request')} in {outcome.seconds:.0f} s.")


def _table(outcome: Outcome) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("rule", "level", "verdict", "operations", "judged"):
        table.add_column(
            head, justify="right" if head in ("operations", "judged") else "left", no_wrap=True
        )
    table.add_column("why not", overflow="fold")
    for finding in outcome.findings:
        verdict = finding.verdict
        unsettled = verdict in (Verdict.NOT_CHECKED, Verdict.ERROR)
        reason = finding.reason if unsettled else finding.elsewhere_told
        table.add_row(
            finding.rule.id,
            str(finding.rule.level),
            f"[{_STYLES[verdict]}]{escape(outcome.verdict(finding))}[/]",
            str(len(finding.exercised - {"*"})) if finding.exercised - {"*"} else "",
            str(finding.times),
            escape(in_one_line(reason)[:200]),
        )
    return table


def _print_breaches(finding: Finding, outcome: Outcome, console: Console) -> None:
    head, *lines = breach_lines(finding, outcome.base_url)
    console.print(f"\n[bold red]{finding.rule.id}[/]{escape(head.removeprefix(finding.rule.id))}")
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


def breach_lines(finding: Finding, base_url: str) -> list[str]:
    """Return a broken rule and its first breaches in plain lines, keys masked."""
    rule = finding.rule
    lines = [f"{rule.id} {rule.sentence}", f"  source: {rule.source} ({rule.level})"]
    for breach in finding.breaches[:_MOST_BREACHES]:
        shown = breach.shown(base_url)
        told = {"by": shown.get("after"), "allowed": shown["allowed"], "found": shown["found"]}
        if "response" in shown:
            told["answer"] = f"{shown['response']['status']} {shown['response']['body'][:160]}"
            told["repeat"] = shown["repeat"]
        lines.append(f"  {breach.operation}")
        lines += [f"    {name:<8} {in_one_line(text)}" for name, text in told.items() if text]
    more = len(finding.breaches) - _MOST_BREACHES
    if more > 0:
        lines.append(f"  and on {plural(more, 'more operation')}")
    return lines
