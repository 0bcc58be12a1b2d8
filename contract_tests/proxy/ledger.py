"""What a proxy finds: told as it happens, and settled at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contract_tests.proxy.judge import JUDGES
from contract_tests.proxy.seen import without_keys
from contract_tests.text import in_one_line
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules

OBSERVED = (
    rules.FLAT,
    rules.ERROR_JSON,
    rules.UPSTREAM_FAILED,
    rules.ENVELOPE,
    rules.DATA_SCHEMA,
    rules.HEADROOM,
    rules.LIMITS,
    rules.BOUNDS,
    rules.CREDIT_SUCCESS,
)
"""The rules that hold of every answer."""

_WATCHED = {
    rule.id
    for group in (OBSERVED, (rules.COUNTS_DOWN,), *(judged for _, judged in JUDGES))
    for rule in group
}
_MOST_SHOWN = 300

Tell = Callable[[str], None]
"""Takes one line for the user."""


class LiveLedger(Ledger):
    """A ledger that tells the first breach of each rule on each operation at once, and keeps no key."""

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def break_(self, breach: Breach) -> None:
        """Record a breach, its keys masked, and tell it if it is the first of its kind."""
        clean = without_keys(breach)
        clean = replace(clean, found=one_line(clean.found))
        super().break_(clean)
        with self._lock:
            place = (clean.rule.id, clean.operation)
            if place in self._told:
                return
            self._told.add(place)
        words = f"{clean.found}; allowed: {clean.allowed}"
        self._tell(one_line(f"{clean.rule.id} broken by {clean.operation}: {words}"))

    def settle(self) -> None:
        """Say of every rule that was never judged why it wasn't."""
        for finding in self.findings.values():
            if not finding.times:
                watched = finding.rule.id in _WATCHED
                reason = (
                    "no exchange showed it"
                    if watched
                    else "a proxy only watches; `contract-tests run` checks it"
                )
                self.leave(finding.rule, reason)


def one_line(text: str) -> str:
    """Return ``text`` short and safe to print, whatever a server put into it."""
    short = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    return in_one_line(short)
