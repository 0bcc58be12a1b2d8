"""Servers of which only a profile is known, each wrong in one way that a single answer doesn't show."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from werkzeug.test import EnvironBuilder

from contract_tests.exchange import Secret
from contract_tests.profile import Profile
from contract_tests.run import Options, chosen_rules, planned, run
from contract_tests.sampling import covering
from contract_tests.target import Target
from contract_tests.verdicts import Ledger
from mockserver import create_app
from mockserver.clock import Clock
from mockserver.contract import load_contract
from mockserver.server import MockServer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, bytes]
Ask = Callable[["WSGIEnvironment"], Answer]
Change = Callable[["WSGIEnvironment", Ask], Answer]

NAMES = ("second", "other", "revoked", "expired", "unsubscribed", "full")
KEYS = {name: f"fm_api_test_{name}" for name in NAMES} | {
    "restricted": "fm_api_test_chats",
    "past_due": "fm_api_test_pastdue",
}


class WrongServer:
    """The mock without its control API, and whatever ``change`` makes of its answers.

    Its clock stands, so that no minute begins amid a check, which then couldn't be judged.
    """

    def __init__(self, change: Change, *, limit: int = 100_000) -> None:
        clock = Clock()
        clock.freeze()
        self._app = create_app(clock=clock)
        self._change = change
        self.asked: list[tuple[str, str]] = []
        """The method and the path of every request."""
        for organization in self._app.mock.world.organizations.values():
            organization.windows.set_limits(minute=limit, day=100_000)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        status, headers, body = self._change(environ, self.ask)
        start_response(status, headers)
        return [body]

    def renew_minute(self) -> None:
        """Let a new minute begin for everybody."""
        for organization in self._app.mock.world.organizations.values():
            organization.windows.minute.used = 0

    def ask(self, environ: WSGIEnvironment) -> Answer:
        """Return what the mock answers."""
        begun: list[Any] = []

        def start_response(status: str, headers: Headers, _: Any = None) -> Callable[[bytes], None]:
            begun.extend((status, headers))
            return begun.append

        body = b"".join(self._app(environ, start_response))
        return begun[0], begun[1], body


def judged(server: WrongServer, *only: str, fully: bool = False, **changes: Any) -> Ledger:
    """Run rules or areas against ``server`` as if it were somebody else's.

    On some operations that show every trait, or on all of them if ``fully``.
    """
    contract, rules = load_contract(), chosen_rules(only)
    ledger = Ledger(rules)
    with MockServer(server) as listening:
        profile = replace(_profile(listening.url), **changes)
        options = Options(only, sample=None if fully else covering)
        target = Target(profile)
        target.hurry(when=True)  # what a pace would spare the server is what it is asked for here
        run(contract, target, planned(contract, options, rules), ledger)
    return ledger


def _profile(url: str) -> Profile:
    return Profile(
        url,
        keys=profile_keys(),
        restricted_permissions=frozenset({"api_chats_list", "api_messages_list"}),
        accounts={"healthy": 1001, "sync_lost": 1003, "other": 2001},
        allow_writes=True,
    )


def profile_keys() -> dict[str, Secret]:
    """Return every key that a profile may name."""
    return {name: Secret(name, value) for name, value in KEYS.items()}


def key_of(environ: WSGIEnvironment) -> str:
    """Return the key that a request shows."""
    bearer = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")[2]
    return str(environ.get("HTTP_X_API_KEY") or bearer)


def asking(path: str, key: str) -> WSGIEnvironment:
    """Return a request for ``path`` with ``key``."""
    return EnvironBuilder(path=path, headers=[("Authorization", f"Bearer {key}")]).get_environ()


def flat(status: str) -> Answer:
    """Return an error as it should be."""
    return status, [("Content-Type", "application/json")], b'{"error":"Upstream failed."}'


def succeeded(answer: Answer) -> bool:
    """Whether an answer is a success with an envelope."""
    return answer[0].startswith("200") and b'"_meta"' in answer[2]


def rewriting(change: Callable[[Any], Any]) -> Change:
    """Return what changes the JSON of every success; ``None`` keeps the same object."""

    def changed(environ: WSGIEnvironment, ask: Ask) -> Answer:
        status, headers, body = answer = ask(environ)
        if not succeeded(answer):
            return answer
        value = json.loads(body)
        new = change(value)
        text = json.dumps(value if new is None else new).encode()
        kept = [(n, v) for n, v in headers if n.lower() != "content-length"]
        return status, [*kept, ("Content-Length", str(len(text)))], text

    return changed
