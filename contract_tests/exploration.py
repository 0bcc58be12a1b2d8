"""Exploration: Schemathesis makes requests from the contract, and our rules judge every answer.

It runs in a process of its own, for Schemathesis is large and busy.
The events of Schemathesis's engine are read, not its verdicts: what it finds can't hide what we find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis.engine import Status, events, from_schema
from schemathesis.engine.recorder import Interaction, ScenarioRecorder

from contract_tests.bounds import Limits, bounded
from contract_tests.certainty import is_certainly_bad
from contract_tests.exchange import Exchange, Request
from contract_tests.headroom import Falling
from contract_tests.observe import observe
from contract_tests.pace import Pace
from contract_tests.plan import SCHEMES, Explored, Plan
from contract_tests.samples import FORMS
from contract_tests.verdicts import Breach, Ledger
from mockserver import rules
from mockserver.contract import Contract, Operation, Schemas, load_contract
from mockserver.rules import RULES, Rule

_ACCEPTED = "negative_data_rejection"
_CHECKS = (_ACCEPTED, "not_a_server_error", "use_after_free")
"""Schemathesis's own checks that speak of a rule of ours; the rest we judge ourselves."""

_MOST_BYTES = 64 * 1_048_576


def explore(plan: Plan) -> Explored:
    """Explore the target; returns what was found of each rule."""
    contract = load_contract(Path(plan.spec))
    schema = schemathesis.openapi.from_path(plan.spec, config=_config(plan))
    schema.config.update(base_url=plan.base_url)
    explored = schema if plan.writes else schema.include(method="GET")
    # An organization that stands still is the run's own.
    with bounded(plan.budget, None if plan.held else Pace()) as limits:
        watcher = _Watcher(plan, contract, limits)
        stream = from_schema(explored).execute()
        for event in stream:
            watcher.see(event)
            if limits.ended:
                stream.stop()
    found = watcher.explored
    found.requests, found.unanswered, found.ended = limits.sent, limits.unanswered, limits.ended
    return found


def _config(plan: Plan) -> Any:
    auth: Mapping[str, Any] = (
        {"bearer": plan.key.value} if plan.scheme == "bearerKey" else {"api_key": plan.key.value}
    )
    checks: dict[str, Any] = {"enabled": False}
    return schemathesis.Config.from_dict(
        {
            "seed": plan.seed,
            "continue-on-failure": True,
            "max-redirects": 0,
            "request-timeout": 20,
            "auth": {"openapi": {plan.scheme: auth}},
            # The auth matrix is checked rule by rule; junk keys would only make the rest unjudged.
            "generation": {
                "max-examples": plan.examples,
                "database": "none",
                "with-security-parameters": False,
            },
            "cache": {"enabled": False},
            "checks": {**checks, **{name: {"enabled": True} for name in _CHECKS}},
            "output": {"truncation": {"max-recorded-payload-size": _MOST_BYTES}},
            "phases": {"coverage": {"unexpected-methods": []}},
        }
    )


class _Watcher:
    """Judges what the engine reports."""

    def __init__(self, plan: Plan, contract: Contract, limits: Limits) -> None:
        self._plan = plan
        self._limits = limits
        self._schemas = Schemas(contract.document)
        self._by_label = {operation.label: operation for operation in contract}
        self._ledger = Ledger(RULES[id] for id in plan.rules)
        self._falling = Falling(held=plan.held)
        self.explored = Explored(self._ledger.findings)

    def see(self, event: events.EngineEvent) -> None:
        """Take one event of the engine."""
        if isinstance(event, events.ScenarioFinished):
            for id, interaction in event.recorder.interactions.items():
                self._judge(event.recorder, id, interaction, event.phase.value)
            self._limits.let_go()
        elif self._limits.ended:
            return  # what follows from asking nothing any more
        elif isinstance(event, events.NonFatalError):
            self.explored.errors.append(f"{event.label}: {type(event.value).__name__}")
        elif isinstance(event, events.FatalError):
            self.explored.errors.append(type(event.exception).__name__)

    def _judge(
        self, recorder: ScenarioRecorder, id: str, interaction: Interaction, phase: str
    ) -> None:
        case = recorder.cases[id].value
        operation = self._by_label.get(case.operation.label)
        if interaction.response is None:
            return
        if operation is None or interaction.request.method != operation.method:
            return  # a probe with a method that the contract doesn't have
        exchange = self._exchange(interaction)
        before = {id: len(finding.breaches) for id, finding in self._ledger.findings.items()}
        observe(self._ledger, self._schemas, exchange, operation)
        self._falling.judge(self._ledger, exchange, operation)
        for rule, allowed, found in _own(recorder, id, operation, exchange, self._schemas):
            self._ledger.break_(Breach(rule, operation.label, allowed, found, exchange))
        self._mark(before, phase)

    def _mark(self, before: Mapping[str, int], phase: str) -> None:
        """Note on new breaches where they came from."""
        after = f"exploration with {SCHEMES[self._plan.scheme]}, {phase.lower()}"
        for id, finding in self._ledger.findings.items():
            for place in range(before[id], len(finding.breaches)):
                finding.breaches[place] = replace(finding.breaches[place], after=after)

    def _exchange(self, interaction: Interaction) -> Exchange:
        """Return the exchange without the key; a line that repeats it names the key instead."""
        sent, response = interaction.request, interaction.response
        assert response is not None
        url = urlsplit(sent.uri)
        prefix = urlsplit(self._plan.base_url).path
        path = url.path.removeprefix(prefix) + (f"?{url.query}" if url.query else "")
        type_ = sent.headers.get("Content-Type", [])
        request = Request(
            sent.method,
            path,
            tuple(("Content-Type", str(value)) for value in type_[:1]),
            (FORMS[SCHEMES[self._plan.scheme]](self._plan.key),),
            sent.body or b"",
        )
        headers = {name.lower(): str(values[-1]) for name, values in response.headers.items()}
        secrets = frozenset({self._plan.key.value})
        return Exchange(request, response.status_code, headers, response.content, secrets)


def _own(
    recorder: ScenarioRecorder,
    id: str,
    operation: Operation,
    exchange: Exchange,
    schemas: Schemas,
) -> Iterator[tuple[Rule, str, str]]:
    """Yield what Schemathesis's own checks found, as breaches of our rules."""
    bad = rules.BAD_BODY if operation.body is not None else rules.BAD_QUERY
    names = {_ACCEPTED: bad, "not_a_server_error": bad, "use_after_free": rules.NOT_FOUND}
    path = recorder.cases[id].value.path_parameters or {}
    for node in recorder.checks.get(id, ()):
        if node.status is Status.FAILURE and node.name in names and node.failure_info is not None:
            title, rule = node.failure_info.failure.title, names[node.name]
            if node.name == _ACCEPTED and not is_certainly_bad(
                exchange.request, path, operation, schemas
            ):
                rule = rules.DOUBTFUL
            yield rule, "400 or 404 for it", f"{exchange.status} ({title})"
