"""Upstream failures on demand, per organization."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from mockserver.errors import Misuse


@dataclass(slots=True)
class Fault:
    """A failure that the next matching requests meet instead of their answer."""

    status: int
    operation: str | None = None
    """The operation's id, or ``None`` for any."""
    times: int = 1
    """Requests that it still fails."""
    message: str = "OnlyFans could not be reached."


class Faults:
    """The planted failures of one organization, the first match winning."""

    __slots__ = ("_lock", "_planted")

    def __init__(self) -> None:
        self._planted: list[Fault] = []
        self._lock = threading.Lock()

    def plant(self, fault: Fault) -> None:
        """Let ``fault`` happen.

        Raises ``Misuse`` when its status is no error or it would never happen.
        """
        if not 400 <= fault.status <= 599:
            raise Misuse(f"a fault's status must be between 400 and 599, got {fault.status}")
        if fault.times < 1:
            raise Misuse(f"a fault must happen at least once, got times={fault.times}")
        with self._lock:
            self._planted.append(fault)

    def take(self, operation: str) -> Fault | None:
        """Return the fault that ``operation`` meets now, one use the less, or ``None``."""
        if not self._planted:
            return None
        with self._lock:
            for fault in self._planted:
                if fault.operation in (None, operation):
                    fault.times -= 1
                    if fault.times == 0:
                        self._planted.remove(fault)
                    return fault
        return None

    def pending(self) -> list[Fault]:
        """Return the faults that haven't been used up."""
        with self._lock:
            return list(self._planted)

    def clear(self) -> None:
        """Remove every fault."""
        with self._lock:
            self._planted.clear()
