"""A test's own organization on a mock: billing, windows, clock, faults, journal, and what belongs to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from mockserver.errors import Misuse, Unavailable
from mockserver.files import write_whole
from mockserver.testing.accounts import State, TestAccount
from mockserver.testing.backends import Backend, operation_id
from mockserver.testing.clock import Moment, TestClock, iso
from mockserver.testing.conduct import Conduct
from mockserver.testing.frames import says_all
from mockserver.testing.keys import TestKey
from mockserver.testing.log import ALL, Request, Requests
from mockserver.testing.refusals import checked
from mockserver.testing.settings import Settings

__tracebackhide__ = says_all

Everything = Literal["*"]
WindowName = Literal["minute", "day"]


def _setting(name: str, sentence: str) -> Any:
    """Return a property of the organization that is read and written over the control API."""

    def read(self: TestOrganization) -> Any:
        return self.call("GET", "")[name]

    def write(self: TestOrganization, value: Any) -> None:
        self.call("PATCH", "", {name: value})

    return property(read, write, doc=sentence)


class TestOrganization(Conduct, Settings):
    """One organization that belongs to a test; nothing that happens to it reaches another.

    Every method raises ``Misuse``, which says what would be right, for what makes no sense.
    """

    __test__ = False

    subscription: Literal["active", "none", "past_due"] = _setting(
        "subscription", "The state of its billing; the others than ``active`` answer 402."
    )
    mode: Literal["enforce", "count", "off"] = _setting(
        "mode", "What the limiter does: refuse, only count, or neither."
    )
    limit_minute: int = _setting("limit_minute", "Requests that a minute allows.")
    limit_day: int = _setting("limit_day", "Requests that a day allows.")
    retry_after: bool = _setting(
        "retry_after", "Whether a 429 carries Retry-After, which no page documents."
    )

    def __init__(self, backend: Backend, shown: Mapping[str, Any]) -> None:
        self._id = str(shown["id"])
        self._backend = backend
        self._path = f"/organizations/{quote(self.id, safe='')}"
        self._expected: set[int | str] = set()
        self._planted: set[int | str] = set()
        self._clock = TestClock(self.call)

    def __repr__(self) -> str:
        return f"<TestOrganization {self.id}>"

    @property
    def id(self) -> str:
        """Its name in the control API."""
        return self._id

    @property
    def clock(self) -> TestClock:
        """Its own time; see ``TestClock``."""
        return self._clock

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the control API on ``path`` below the organization, for what has no method here."""
        return self._backend.call(method, self._path + path, body)

    def key(
        self,
        permissions: Collection[str] | Everything = "*",
        *,
        expires: Moment | timedelta | None = None,
        revoked: bool = False,
        note: str = "",
    ) -> TestKey:
        """Return a new key with exactly ``permissions``; ``expires`` is a time, or how long from now."""
        if isinstance(permissions, str) and permissions != "*":
            raise Misuse(
                f"permissions is a list of names or '*', got {permissions!r}; write [{permissions!r}]"
            )
        granted = permissions if permissions == "*" else list(permissions)
        if isinstance(expires, timedelta):
            expires = self.clock.now + expires
        body = {"permissions": granted, "revoked": revoked, "note": note}
        if expires is not None:
            body["expires"] = iso(expires)
        return TestKey.of(self, self.call("POST", "/keys", body))

    @property
    def keys(self) -> list[TestKey]:
        """Its keys, oldest first."""
        return [TestKey.of(self, shown) for shown in self.call("GET", "/keys")["keys"]]

    def account(self, id: int | None = None, state: State | None = None) -> TestAccount:
        """Return the account ``id``, connected now if it wasn't; without ``id`` the first one."""
        accounts = {a["id"]: a for a in self.call("GET", "")["accounts"]}
        if id is None:
            if not accounts:
                raise Misuse(f"organization {self.id} has no account; name one, as account(1001)")
            id = next(iter(accounts))
        elif id not in accounts:
            return TestAccount(
                self, self.call("POST", "/accounts", {"id": id, "state": state or "connected"})
            )
        account = TestAccount(self, accounts[id])
        if state is not None:
            account.state = state
        return account

    @property
    def remaining_minute(self) -> int:
        """Requests that are left of the minute; see ``set_remaining``."""
        return int(self.call("GET", "/headroom")["remaining_minute"])

    @property
    def remaining_day(self) -> int:
        """Requests that are left of the day; see ``set_remaining``."""
        return int(self.call("GET", "/headroom")["remaining_day"])

    def set_remaining(self, *, minute: int | None = None, day: int | None = None) -> None:
        """Leave exactly this many requests in the present windows."""
        if minute is None and day is None:
            raise Misuse("say what remains: set_remaining(minute=3), day=3, or both")
        given = {"remaining_minute": minute, "remaining_day": day}
        self.call("PUT", "/headroom", {k: v for k, v in given.items() if v is not None})

    def exhaust(self, window: WindowName) -> None:
        """Use up the minute or the day, so that the next request answers 429."""
        self.call("POST", "/exhaust", {"windows": [window]})

    def fail_next(
        self, status: int = 502, *, times: int = 1, to: str | None = None, **fault: Any
    ) -> None:
        """Let the next ``times`` requests fail with ``status``; see ``plant_fault`` for the rest."""
        self.plant_fault(status=status, times=times, to=to, **fault)

    def plant_fault(self, *, to: str | None = None, **fault: Any) -> str:
        """Plant a fault, for requests ``to`` an operation if one is named; returns its id.

        It takes what `POST /_mock/organizations/{id}/faults` takes: ``kind`` (``status``, ``latency``,
        ``reset``, ``truncated``, ``malformed``, ``content_type``), ``status``, ``times``, ``nth``,
        ``path``, ``probability`` and ``seed``, ``until`` or ``lifetime``, ``latency``, ``retry_after``,
        ``message``.
        """
        if to is not None:
            fault["operation"] = operation_id(self._backend, to)
        if fault.get("until") is not None:
            fault["until"] = iso(fault["until"])
        if fault.get("kind", "status") == "status":
            self._planted.add(fault.get("status", 502))
        asked = {name: value for name, value in fault.items() if value is not None}
        return str(self.call("POST", "/faults", asked)["id"])

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The planted faults, and what became of each."""
        faults: list[dict[str, Any]] = self.call("GET", "/faults")["faults"]
        return faults

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.call("DELETE", "/faults")

    @property
    def requests(self) -> Requests:
        """What was asked so far, as far as the journal holds it."""
        journal = self.call("GET", f"/journal?limit={ALL}")
        found = (Request.of(exchange) for exchange in journal["exchanges"])
        lost = journal["total"] - journal["kept"]
        return Requests(found, partial(operation_id, self._backend), lost=lost)

    def expect(self, *refusals: int | str) -> None:
        """Say which refusals are no surprise, by status or by rule (``rate.minute``); see ``--fansmetric-fail-on``.

        Raises ``Misuse``, which names the nearest rule, at what is neither.
        """
        self._expected.update(checked(refusals))

    @property
    def expected(self) -> frozenset[int | str]:
        """The statuses and rules that ``expect`` was told."""
        return frozenset(self._expected)

    @property
    def unexpected(self) -> Requests:
        """The requests that were refused, and neither ``expect`` nor a planted fault said so."""
        known = self._expected | self._planted
        return self.requests.where(lambda request: request.is_surprise(known))

    def save(self, file: str | Path, *, everything: bool = False) -> None:
        """Save its state as a YAML file, which `FansMetric.load` and a fixture directory take.

        The file holds the records that were written to, and with ``everything`` the seeded ones too.
        Raises ``Unavailable`` when the file can't be written.
        """
        from mockserver.yamlfile import dump_yaml

        state = self.call("GET", f"/state?records={'all' if everything else 'written'}")
        try:
            write_whole(Path(file), dump_yaml(state))
        except OSError as error:
            raise Unavailable(f"the state can't be saved in {file}: {error.strerror}") from None

    def reset(self) -> None:
        """Return to how it was made, with the keys that it has now."""
        self.call("POST", "/reset")

    def remove(self) -> None:
        """Remove the organization with its keys; using it afterwards is misuse."""
        self.call("DELETE", "")
