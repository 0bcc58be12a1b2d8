"""Where defects are planted: the steps of one mock, wrapped and restored."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import orjson

from mockserver.contract import Operation
from mockserver.envelope import Refused, Reply
from mockserver.rules import Rule

if TYPE_CHECKING:
    from mockserver.call import Call
    from mockserver.mock import Mock
    from mockserver.pipeline import Pipeline
    from mockserver.roles import Key

Step = Callable[..., Any]
_KEBAB = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOTHING = object()


class Defect:
    """One way to break one rule; the first line of its docstring says which, in a sentence."""

    rule: ClassVar[Rule]
    """The rule that a check of this defect must name."""
    operation: ClassVar[str | None] = None
    """The operation that it sits on, where it is on one only."""

    @property
    def name(self) -> str:
        """The name under which it is planted, such as ``revoked-key-passes``."""
        return _KEBAB.sub("-", type(self).__name__).lower()

    @property
    def sentence(self) -> str:
        """What is wrong while it is planted."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    def plant(self, site: Site) -> None:
        """Wrap the steps of ``site`` that it changes."""
        raise NotImplementedError


class _Here(threading.local):
    """The request that the present thread is answering."""

    operation: Operation
    method: str = ""
    caller: Key | None = None
    call: Call


class Site:
    """One mock, its steps wrapped by whatever defects are planted in it."""

    def __init__(self, mock: Mock) -> None:
        self.mock = mock
        self.here = _Here()
        self.names: list[str] = []
        self._undo: list[Callable[[], None]] = []

    @property
    def pipeline(self) -> Pipeline:
        """The mock's pipeline, whose steps most defects wrap."""
        return self.mock.pipeline

    def plant(self, defects: Iterable[Defect]) -> None:
        """Take out what is planted, and plant ``defects``; the last one is the outermost."""
        self.restore()
        self.wrap(self.mock, "answer", self._noting_operation)
        self.wrap(self.pipeline, "run", self._noting_call)
        self.wrap(self.pipeline, "authenticate", self._noting_caller)
        for defect in defects:
            defect.plant(self)
            self.names.append(defect.name)

    def restore(self) -> None:
        """Leave the mock as it was before anything was planted."""
        while self._undo:
            self._undo.pop()()
        self.names.clear()

    def wrap(self, owner: Any, name: str, make: Callable[[Step], Step]) -> None:
        """Put ``make(original)`` in the place of a method of ``owner``."""
        before = vars(owner).get(name, _NOTHING)
        setattr(owner, name, make(getattr(owner, name)))

        def undo() -> None:
            if before is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(undo)

    def step(self, name: str, make: Callable[[Step], Step]) -> None:
        """Wrap a step of the pipeline."""
        self.wrap(self.pipeline, name, make)

    def pass_over(
        self,
        step: str,
        *rules: Rule,
        when: Callable[[], bool] = lambda: True,
        instead: Callable[..., Any] = lambda *_: None,
    ) -> None:
        """Let pass what ``step`` refuses by one of ``rules``; ``instead`` gives what it returns then."""

        def make(original: Step) -> Step:
            def run_step(*arguments: Any) -> Any:
                try:
                    return original(*arguments)
                except Refused as refused:
                    if refused.rule not in rules or not when():
                        raise
                    return instead(*arguments)

            return run_step

        self.step(step, make)

    def restatus(self, step: str, rule: Rule, status: int) -> None:
        """Let ``step`` refuse by ``rule`` with another status."""

        def make(original: Step) -> Step:
            def run_step(*arguments: Any) -> Any:
                try:
                    return original(*arguments)
                except Refused as refused:
                    if refused.rule is rule:
                        refused.status = status
                    raise

            return run_step

        self.step(step, make)

    def rewrite(self, change: Callable[[Reply], Reply]) -> None:
        """Let every answer of an operation pass through ``change``."""
        self.wrap(self.mock, "answer", lambda original: lambda *asked: change(original(*asked)))

    def rewrite_unrouted(self, change: Callable[[Reply, str], Reply]) -> None:
        """Let every answer to an unknown route or method pass through ``change``, with the key's header."""

        def make(original: Step) -> Step:
            def turn_away(call: Call, refused: Refused) -> Reply:
                key = call.request.authorization or call.request.api_key or ""
                return change(original(call, refused), key)

            return turn_away

        self.wrap(self.mock, "turn_away", make)

    def rewrite_json(
        self,
        change: Callable[[Any], Any],
        statuses: Collection[int] = (200,),
        when: Callable[[], bool] = lambda: True,
    ) -> None:
        """Let the JSON of answers with ``statuses`` pass through ``change``; ``None`` keeps the same object."""

        def changed(reply: Reply) -> Reply:
            if reply.status not in statuses or not self.here.operation.authenticated or not when():
                return reply
            body = orjson.loads(reply.body)
            new = change(body)
            return replace(reply, body=orjson.dumps(body if new is None else new))

        self.rewrite(changed)

    def _noting_operation(self, original: Step) -> Step:
        def answer(call: Call, operation: Operation) -> Any:
            self.here.operation, self.here.caller = operation, None
            self.here.method = operation.method
            return original(call, operation)

        return answer

    def _noting_call(self, original: Step) -> Step:
        def run(call: Call, *rest: Any) -> Any:
            self.here.call = call
            return original(call, *rest)

        return run

    def _noting_caller(self, original: Step) -> Step:
        def authenticate(call: Call) -> Key:
            key: Key = original(call)
            self.here.caller = key
            return key

        return authenticate


_SITES: WeakKeyDictionary[Mock, Site] = WeakKeyDictionary()


def site_of(mock: Mock) -> Site:
    """Return the site of ``mock``, the same one every time."""
    return _SITES.setdefault(mock, Site(mock))


def planted(mock: Mock) -> list[str]:
    """Return the names of the defects that are planted in ``mock``."""
    site = _SITES.get(mock)
    return [] if site is None else list(site.names)
