"""Failures on demand, per organization: which requests they meet, and what those get instead.

A fault is planted as a `Fault` and kept as a `Planted` one, which counts the requests that it met.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from http import HTTPStatus

from mockserver.errors import BadFault, NotThere

MAX_FAULTS = 1_000
"""Faults that an organization may have planted, used up or not."""

MAX_LATENCY = 300.0
"""The longest wait, in seconds."""

_SENTENCES = {
    401: "The API key is not valid.",
    424: "The account's session is lost; restore it first.",
    429: "The organization's rate limit is used up.",
}
_PHRASES = {int(status): status.phrase for status in HTTPStatus}
_UNCHARGED = frozenset({401, 429})


class FaultKind(StrEnum):
    """What a request that meets the fault gets."""

    STATUS = "status"
    """A refusal instead of the answer, as if upstream failed; the operation isn't carried out."""
    LATENCY = "latency"
    """The true answer, late."""
    RESET = "reset"
    """Nothing: the operation is carried out, then the connection is reset."""
    TRUNCATED = "truncated"
    """Half of the body under the Content-Length of all of it, then the connection ends."""
    MALFORMED = "malformed"
    """A whole answer whose JSON stops in the middle."""
    CONTENT_TYPE = "content_type"
    """The true body, sent as ``text/html``."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure as it is asked for. Without conditions it meets the next request, whatever it is."""

    status: int = 502
    """The status of kind ``status``, 400 to 599."""
    operation: str | None = None
    """The operation's id, or ``None`` for any."""
    times: int | None = None
    """Requests that it meets before it is used up.

    ``None`` is once, or without end where ``probability`` or ``until`` bounds it.
    """
    message: str | None = None
    """The text of kind ``status``; by default one that fits the status."""
    kind: FaultKind = FaultKind.STATUS
    path: str | None = None
    """A glob that the request's path must match (``/v1/*/chats``), or ``None`` for any."""
    nth: int = 1
    """The first matching request that it meets; those before it pass."""
    probability: float = 1.0
    """The share of matching requests that it meets, drawn from ``seed``."""
    seed: int = 1
    until: float | None = None
    """The instant, in seconds since the epoch of the organization's clock, at which it is over."""
    latency: float = 0.0
    """Seconds of real time that the request waits first, whatever the kind."""
    retry_after: int | None = None
    """The Retry-After header of kind ``status``, in seconds."""

    @property
    def sentence(self) -> str:
        """What the refusal says."""
        if self.message is not None:
            return self.message
        if self.status >= 500:
            return "OnlyFans could not be reached."
        named = _PHRASES.get(self.status, "The request is refused")  # 420 has no name
        return _SENTENCES.get(self.status) or f"{named}."

    def __post_init__(self) -> None:
        for wrong, sentence in self._breaches():
            if wrong:
                raise BadFault(sentence)

    def _breaches(self) -> tuple[tuple[bool, str], ...]:
        late = self.kind is FaultKind.LATENCY
        return (
            (
                not 400 <= self.status <= 599,
                f"a fault's status must be between 400 and 599, got {self.status}",
            ),
            (
                self.times is not None and self.times < 1,
                f"a fault must happen at least once, got times={self.times}",
            ),
            (self.nth < 1, f"nth counts requests from 1, got {self.nth}"),
            (
                not 0 < self.probability <= 1,
                f"probability must be over 0 and at most 1, got {self.probability:g}",
            ),
            (
                not 0 <= self.latency <= MAX_LATENCY,
                f"latency must be between 0 and {MAX_LATENCY:g} seconds, got {self.latency:g}",
            ),
            (late and not self.latency, "a fault of kind latency needs latency, in seconds"),
        )

    @property
    def limit(self) -> int | None:
        """How many requests it meets at most; ``None`` without end."""
        if self.times is None and self.probability == 1 and self.until is None:
            return 1
        return self.times

    @property
    def is_charged(self) -> bool:
        """Whether the request costs a credit; 401 and 429 never do."""
        return self.kind is not FaultKind.STATUS or self.status not in _UNCHARGED

    @property
    def breaks_connection(self) -> bool:
        """Whether the connection ends before the answer does."""
        return self.kind in (FaultKind.RESET, FaultKind.TRUNCATED)


@dataclass(slots=True)
class Planted:
    """A fault in place, and what became of it so far."""

    id: str
    fault: Fault
    chance: random.Random
    matched: int = 0
    """Requests that its operation and path matched."""
    uses: int = 0
    """Requests that it met."""

    def state(self, now: float) -> str:
        """Return ``active``, ``spent`` (used up) or ``over`` (its time has passed)."""
        if self.fault.limit is not None and self.uses >= self.fault.limit:
            return "spent"
        if self.fault.until is not None and now >= self.fault.until:
            return "over"
        return "active"

    def meets(self, operation: str, path: str, now: float) -> bool:
        """Whether a request would meet it; counts the request if operation and path match."""
        fault = self.fault
        if fault.operation not in (None, operation) or self.state(now) != "active":
            return False
        if fault.path is not None and not fnmatchcase(path, fault.path):
            return False
        self.matched += 1
        return self.matched >= fault.nth and (
            fault.probability == 1 or self.chance.random() < fault.probability
        )


@dataclass(slots=True)
class Faults:
    """The planted faults of one organization; of several that a request would meet, the oldest wins."""

    _planted: dict[str, Planted] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.RLock = field(default_factory=threading.RLock)
    turn: threading.RLock | None = None
    """What requests hold one after another while a planted fault may make them free."""
    are_planted: bool = False
    """Whether there is any, used up or not."""

    def plant(self, fault: Fault) -> Planted:
        """Let ``fault`` happen. Raises ``BadFault`` when too many are planted already."""
        with self._lock:
            if len(self._planted) >= MAX_FAULTS:
                raise BadFault(f"{MAX_FAULTS:,} faults are planted already; clear them first")
            self._count += 1
            id = f"fault-{self._count}"
            # Chance without secrets: the same seed fails the same requests.
            planted = Planted(id, fault, random.Random(f"{fault.seed}:{id}"))  # noqa: S311
            self._planted[id] = planted
            self._look()
            return planted

    def take(
        self, operation: str, path: str = "", now: float = 0.0, *, free: bool = True
    ) -> Planted | None:
        """Return the fault that a request for ``operation`` at ``path`` meets now, or ``None``.

        One that isn't ``free`` began before the faults that make a request free, and passes them by.
        """
        if not self._planted:
            return None
        with self._lock:
            # Each one counts the request, also where an older one wins.
            met = [
                p
                for p in self._planted.values()
                if (free or p.fault.is_charged) and p.meets(operation, path, now)
            ]
            if not met:
                return None
            met[0].uses += 1
            return met[0]

    def all(self) -> list[Planted]:
        """Return every fault that hasn't been cleared, oldest first."""
        with self._lock:
            return list(self._planted.values())

    def unused(self) -> list[Planted]:
        """Return the faults that met no request."""
        return [planted for planted in self.all() if not planted.uses]

    def get(self, id: str) -> Planted:
        """Return the fault ``id``. Raises ``NotThere`` when there is none."""
        with self._lock:
            if id not in self._planted:
                known = ", ".join(self._planted) or "none"
                raise NotThere(f"there is no fault {ascii(id)[:40]}; there is {known[:200]}")
            return self._planted[id]

    def clear(self, id: str | None = None) -> None:
        """Remove every fault, or only ``id``. Raises ``NotThere`` when there is none with that id."""
        if id is not None:
            self.get(id)
        with self._lock:
            if id is None:
                self._planted.clear()
            else:
                self._planted.pop(id, None)
            self._look()

    def _look(self) -> None:
        """Note what every request asks."""
        self.are_planted = bool(self._planted)
        has_free = any(not p.fault.is_charged for p in self._planted.values())
        self.turn = self._turn if has_free else None


@dataclass(slots=True)
class Sleeper:
    """Waits out latencies in real time; tests put their own in its place and never sleep."""

    _condition: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, seconds: float) -> None:
        """Return after ``seconds``, or when somebody wakes the sleepers."""
        with self._condition:
            self._condition.wait(seconds)

    def wake(self) -> None:
        """Let everyone go who waits now."""
        with self._condition:
            self._condition.notify_all()
