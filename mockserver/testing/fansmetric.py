"""The mock as one test sees it: an address, and organizations that are gone after the test."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from mockserver.errors import Misuse, NotThere
from mockserver.testing.backends import Backend, InProcess, Remote, operation_id
from mockserver.testing.frames import says_all
from mockserver.testing.log import ALL, Request, Requests
from mockserver.testing.organization import TestOrganization
from mockserver.testing.refusals import checked

if TYPE_CHECKING:
    import httpx
    import requests

    from mockserver.app import MockFlask

__tracebackhide__ = says_all

ANYWHERE = "http://fansmetric.test"
"""The base URL of in-process clients; any other address leads to the same mock."""

EDGE = 10
"""Seconds before the end of a minute in which no organization begins; see ``FansMetric.org``."""


class FansMetric:
    """Mints organizations on one mock, and removes them in the end.

    Use it as a context manager outside of pytest: ``with FansMetric.start() as fansmetric:``.
    """

    def __init__(self, backend: Backend, *, owns: bool = False) -> None:
        """Work on the mock behind ``backend``, which is closed in the end if it is ``owns``-ed."""
        self._backend = backend
        self._owns = owns
        self.organizations: list[TestOrganization] = []
        """The organizations made so far."""
        self._before = backend.last_unclaimed
        self._expected: set[int | str] = set()

    @classmethod
    def start(
        cls,
        url: str | None = None,
        *,
        fixtures: str | Path | None = None,
        spec: str | Path | None = None,
        token: str | None = None,
    ) -> Self:
        """Return one with a mock in this process, or with the running one at ``url``.

        Raises ``Misuse`` at an ``url`` that is none, or when both a running mock and files are named.
        """
        if url is None:
            return cls(InProcess(fixtures, spec), owns=True)
        if fixtures is not None or spec is not None:
            raise Misuse(
                "a running mock has its own fixtures and spec; name them when you serve it"
            )
        return cls(Remote(url, token), owns=True)

    @property
    def url(self) -> str:
        """The base URL for clients; the first question starts the server."""
        return self._backend.url

    @property
    def app(self) -> MockFlask:
        """The Flask application. Raises ``Misuse`` when the mock isn't in this process."""
        if not isinstance(self._backend, InProcess):
            raise Misuse(f"the mock at {self.url} isn't in this process; it has no app here")
        return self._backend.app

    def org(
        self,
        *,
        limit_minute: int | None = None,
        limit_day: int | None = None,
        subscription: Literal["active", "none", "past_due"] = "active",
        mode: Literal["enforce", "count", "off"] = "enforce",
        accounts: Sequence[int | Mapping[str, Any]] = (1001,),
        rolling: bool = False,
        retry_after: bool = False,
        journal_size: int | None = None,
        name: str | None = None,
    ) -> TestOrganization:
        """Return a fresh organization, with the seeded records and windows of its own.

        ``accounts`` holds ids, or objects such as ``{"id": 1003, "state": "sync_lost"}``.
        Its clock follows the real time (and that of freezegun and time-machine, in this process). Windows are aligned to the
        minute, so in the last ten seconds of one the clock starts at the next: no test meets a fresh
        minute by chance. Raises ``Misuse`` at limits, states and accounts that make no sense.
        """
        asked: dict[str, Any] = {
            "limit_minute": limit_minute,
            "limit_day": limit_day,
            "subscription": subscription,
            "mode": mode,
            "accounts": _described(accounts),
            "rolling": rolling,
            "retry_after": retry_after,
            "journal_size": journal_size,
            "name": name,
        }
        body = {k: v for k, v in asked.items() if v is not None}
        organization = self._made(body)
        self._leave_the_edge(organization)
        return organization

    def load(self, file: str | Path) -> TestOrganization:
        """Return a new organization in the state that `TestOrganization.save` wrote to ``file``.

        Its keys may do what the saved ones may, under new secrets (see `TestOrganization.keys`).
        Raises ``Misuse`` when the file holds no such state.
        """
        import yaml

        from mockserver.files import read_bounded
        from mockserver.yamlfile import load_yaml

        try:
            state = load_yaml(read_bounded(Path(file)))
        except (OSError, yaml.YAMLError) as error:
            reason = " ".join(str(error).split())
            raise Misuse(f"{file} holds no state; save one with org.save(...): {reason}") from None
        organization = self._made({})
        organization.call("POST", "/state?new_keys=true", state)
        return organization

    @property
    def is_shared(self) -> bool:
        """Whether others may use the mock too: nobody can say then whose a request without a valid key was."""
        return self._backend.last_unclaimed is None

    @property
    def unclaimed(self) -> Requests:
        """What was asked since this was made with a key of no organization, or without one.

        Raises ``Misuse`` where the mock ``is_shared``.
        """
        last = self._backend.last_unclaimed
        if self._before is None or last is None:
            raise Misuse(
                f"the mock at {self.url} isn't in this process; requests without a valid key"
                " are in its journal under /_mock/journal, whoever sent them"
            )
        after = self._before if self._before <= last else 0  # the journal was cleared since
        answer = self._backend.call("GET", f"/journal?limit={ALL}&after={after}")
        found = (Request.of(exchange) for exchange in answer["exchanges"])
        theirs = (request for request in found if request.more["organization"] is None)
        return Requests(
            theirs,
            partial(operation_id, self._backend),
            ("request", " without a valid key"),
            lost=max(0, answer["total"] - answer["kept"] - after),
        )

    def expect(self, *refusals: int | str) -> None:
        """Say which refusals without a valid key are no surprise, as `TestOrganization.expect` does of its own."""
        self._expected.update(checked(refusals))

    @property
    def unexpected(self) -> Requests:
        """Those ``unclaimed`` that were refused, and neither ``expect`` nor that of an organization said so."""
        told = self._expected.union(*(o.expected for o in self.organizations))
        return self.unclaimed.where(lambda request: request.is_surprise(told))

    def requests_session(self) -> requests.Session:
        """Return a session of requests that reaches the mock without a socket, whatever the address."""
        from mockserver.testing.with_requests import session

        return session(self._backend)

    def httpx_client(self, **options: Any) -> httpx.Client:
        """Return a client of httpx that reaches the mock without a socket; ``options`` are the client's."""
        import httpx

        from mockserver.testing.with_httpx import transport

        return httpx.Client(
            **{"base_url": ANYWHERE, "transport": transport(self._backend), **options}
        )

    def httpx_async_client(self, **options: Any) -> httpx.AsyncClient:
        """Return an asynchronous client of httpx that reaches the mock without a socket."""
        import httpx

        from mockserver.testing.with_httpx import async_transport

        transport = async_transport(self._backend)
        return httpx.AsyncClient(**{"base_url": ANYWHERE, "transport": transport, **options})

    def close(self) -> None:
        """Remove the organizations, and close the mock if it is owned."""
        while self.organizations:
            organization = self.organizations.pop()
            with suppress(NotThere):  # the test removed it itself, or reset the whole world
                organization.remove()
        if self._owns:
            self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _made(self, body: Mapping[str, Any]) -> TestOrganization:
        organization = TestOrganization(self._backend, self._backend.make(body))
        self.organizations.append(organization)
        return organization

    def _leave_the_edge(self, organization: TestOrganization) -> None:
        """Start at the next minute when this one is nearly over, unless a test holds the time anyway."""
        clock = organization.call("GET", "/clock")
        left = 60 - datetime.fromisoformat(clock["now"]).second
        if left <= EDGE and clock["world"] != "frozen" and not _is_travelling():
            organization.clock.advance(left)


def _described(accounts: object) -> list[dict[str, Any]]:
    """Return accounts as the control API takes them. Raises ``Misuse`` where they are no list of such."""
    is_list = isinstance(accounts, Iterable) and not isinstance(accounts, str | Mapping)
    given = list(accounts) if is_list else []  # type: ignore[call-overload]  # mypy forgets what a flag says
    if not is_list or not all(isinstance(account, int | Mapping) for account in given):
        raise Misuse(
            'accounts is a list of ids, or of objects such as {"id": 1003, "state": "sync_lost"};'
            f" got {ascii(accounts)[:60]}"
        )
    return [{"id": a} if isinstance(a, int) else dict(a) for a in given]


def _is_travelling() -> bool:
    """Whether freezegun or time-machine holds the time of this process."""
    freezegun = sys.modules.get("freezegun.api")
    hatch = getattr(sys.modules.get("time_machine"), "escape_hatch", None)
    return bool(getattr(freezegun, "freeze_factories", None) or (hatch and hatch.is_travelling()))
