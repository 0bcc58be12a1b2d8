"""The mock itself: runs the pipeline, keeps the journal, and says how an answer is sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson

from mockserver import rules
from mockserver.audience import Audience
from mockserver.call import Call
from mockserver.clock import http_date
from mockserver.contract import Contract, Operation, SchemaViolation
from mockserver.envelope import Headers, Refused, Reply, refusal
from mockserver.pipeline import Pipeline
from mockserver.problems import in_one_line
from mockserver.recording import Recorder
from mockserver.resources.recall import Answer
from mockserver.serving.answers import Beginning, beginning_of
from mockserver.spoil import send_broken, spoil
from mockserver.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

_log = logging.getLogger("mockserver")
_STATUS_LINES = {int(status): f"{int(status)} {status.phrase}" for status in HTTPStatus}


class Mock:
    """One world behind one contract."""

    def __init__(
        self,
        contract: Contract,
        world: World,
        *,
        diagnosis: bool = True,
        check_responses: bool = True,
    ) -> None:
        self.contract = contract
        self.world = world
        self.pipeline = Pipeline(contract, world)
        self.audience = Audience()
        """Who watches the journals as they are written."""
        self._recorder = Recorder(contract, world, self.audience)
        self.diagnosis = diagnosis
        """Whether refusals name their rule in `X-Mock-Rule` and `X-Mock-Source`."""
        self.check_responses = check_responses
        """Whether every success is validated against the contract before it is sent."""

    def answer(self, call: Call, operation: Operation) -> Reply:
        """Return the answer to a request that was routed to ``operation``."""
        try:
            reply = self.pipeline.run(call, operation)
            self._check(operation, reply, call.answer)
        except Refused as refused:
            reply = refusal(refused)
        except SchemaViolation as violation:
            # Most likely by records that a test or a fixture put there.
            sentence = f"The answer would break the contract: {in_one_line(str(violation))}."
            _log.error("%s: %s", operation.label, sentence)
            reply = _failure(sentence)
        except Exception:
            _log.exception("%s failed", operation.label)
            reply = _failure("The server failed.")
        if call.fault is not None:
            reply = spoil(reply, call.fault)
        reply.at = self._recorder.record(call, operation, reply)
        return reply

    def _check(self, operation: Operation, reply: Reply, answer: Answer | None) -> None:
        """Raise ``SchemaViolation`` unless the answer matches the contract; one given before did."""
        if self.check_responses and (answer is None or not answer.is_valid):
            sent = orjson.loads(reply.body) if answer is None else answer.within(reply.body)
            self.pipeline.schemas.check(operation.success, sent)
        if answer is not None:
            answer.is_valid, answer.value = self.check_responses, None

    def turn_away(self, call: Call, refused: Refused) -> Reply:
        """Return the answer to a request that no operation was found for, and record it."""
        reply = refusal(refused)
        reply.at = self._recorder.record(call, None, reply)
        return reply

    def send(self, reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
        """Send ``reply`` the WSGI way."""
        beginning = self.begin(reply)
        status, headers = beginning.status, list(beginning.headers)
        if reply.cut is not None:
            return send_broken(reply, status, headers, start_response)
        start_response(status, headers)
        return [reply.body]

    def begin(self, reply: Reply) -> Beginning:
        """Return how ``reply`` begins: its headers, date and length, and its diagnosis unless that is switched off."""
        at = self.world.clock.now() if reply.at is None else reply.at
        told: Headers = ()
        if self.diagnosis and not (reply.rule is None and reply.fault is None):
            rule = None if reply.rule is None else reply.rule.id
            told = _diagnosis(rule, reply.origin, reply.fault)
        return _beginning(reply.status, reply.headers, int(at), len(reply.body), told)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let go whoever waits, late answers and streams, and begin no stream until the block ends."""
        self.pipeline.sleeper.wake()
        with self.audience.dismissed():
            yield


def _failure(sentence: str) -> Reply:
    return refusal(Refused(rules.UPSTREAM_FAILED, sentence, status=500))


@lru_cache(maxsize=256)
def _diagnosis(rule: str | None, origin: str, fault: str | None) -> Headers:
    source = origin if rule is not None or origin == "fault" else None
    told = (("X-Mock-Rule", rule), ("X-Mock-Source", source), ("X-Mock-Fault", fault))
    return tuple((name, value) for name, value in told if value is not None)


@lru_cache(maxsize=512)  # within one second, answers of one size begin alike
def _beginning(
    status: int, headers: Headers, seconds: int, length: int, told: Headers
) -> Beginning:
    line = _STATUS_LINES.get(status) or f"{status} Unknown"
    date, size = ("Date", http_date(seconds)), ("Content-Length", str(length))
    return beginning_of(line, (*headers, date, *told, size))
