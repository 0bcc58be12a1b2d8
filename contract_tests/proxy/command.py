"""Running the proxy: from a reachable server to an outcome that every report can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from contract_tests.profile import Profile
from contract_tests.proxy.forward import Forwarder
from contract_tests.proxy.ledger import Tell
from contract_tests.proxy.watch import Watcher
from contract_tests.reports.outcome import Outcome
from contract_tests.target import Target
from contract_tests.verdicts import inferred_operations
from mockserver.clock import stopwatch
from mockserver.commands import ended_by_signals
from mockserver.contract import load_contract
from mockserver.server import MockServer, serve_forever


def run_proxy(
    base_url: str,
    host: str,
    port: int,
    spec: Path | None,
    *,
    strict: bool,
    announce: Callable[[str], None],
    tell: Tell,
) -> Outcome:
    """Pass traffic to ``base_url`` until interrupted or terminated, and return what was found.

    ``announce`` gets the proxy's own URL once it answers, ``tell`` one line for each breach.
    Raises ``Unavailable`` when the server can't be reached or the port can't be had.
    """
    contract = load_contract(spec)
    Target(Profile(base_url)).reach()
    watcher = Watcher(contract, tell)
    begun = stopwatch()
    with ended_by_signals():
        serve_forever(MockServer(Forwarder(base_url, watcher), host, port), announce)
    watcher.ledger.settle()
    return Outcome(
        base_url=base_url,
        spec=contract.source,
        operations=len(contract),
        requests=watcher.answered + watcher.unanswered,
        seconds=stopwatch() - begun,
        ledger=watcher.ledger,
        strict=strict,
        inferred=inferred_operations(contract),
    )
