"""The mock itself: takes a WSGI environ, finds the operation, runs the pipeline, keeps the journal."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, MapAdapter, RequestRedirect

from mockserver import rules
from mockserver.call import Call, Environ
from mockserver.contract import Contract, Operation
from mockserver.envelope import Refused, Reply, refusal
from mockserver.journal import Exchange
from mockserver.pipeline import Pipeline, Progress
from mockserver.world import World

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

_log = logging.getLogger("mockserver")
_SECRET_HEADERS = frozenset({"HTTP_AUTHORIZATION", "HTTP_X_API_KEY"})
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
        self.diagnosis = diagnosis
        """Whether refusals name their rule in `X-Mock-Rule` and `X-Mock-Source`."""
        self.check_responses = check_responses
        """Whether every success is validated against the contract before it is sent."""

    def answer(self, environ: Environ, operation: Operation, arguments: dict[str, str]) -> Reply:
        """Return the answer to a request that was routed to ``operation``."""
        call = Call(environ, operation.method, path_of(environ), arguments)
        progress = Progress()
        try:
            reply = self.pipeline.run(call, operation, progress)
            if self.check_responses:
                self.pipeline.schemas.check(operation.success, orjson.loads(reply.body))
        except Refused as refused:
            reply = refusal(refused)
        except Exception:
            _log.exception("%s failed", operation.label)
            reply = refusal(Refused(rules.UPSTREAM_FAILED, "The server failed.", status=500))
        self._record(call, operation, reply, progress)
        return reply

    def send(self, reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
        """Send ``reply`` the WSGI way."""
        headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
        if self.diagnosis and reply.rule is not None:
            headers += [("X-Mock-Rule", reply.rule.id), ("X-Mock-Source", reply.origin)]
        start_response(_STATUS_LINES.get(reply.status, f"{reply.status} Unknown"), headers)
        return [reply.body]

    def _record(self, call: Call, operation: Operation, reply: Reply, progress: Progress) -> None:
        if progress.caller is None:
            return
        organization = progress.caller.organization
        organization.journal.append(
            Exchange(
                at=organization.clock.now(),
                method=call.method,
                path=call.path,
                query=call.query_string,
                headers={
                    name[5:].lower().replace("_", "-"): str(value)
                    for name, value in call.environ.items()
                    if name.startswith("HTTP_") and name not in _SECRET_HEADERS
                },
                body=call.__dict__.get("body", b""),
                operation=operation.id,
                status=reply.status,
                rule=reply.rule.id if reply.rule else None,
            )
        )


class Router:
    """Finds the operation of a request in Flask's own URL map."""

    def __init__(self, contract: Contract, url_map: Map) -> None:
        self._operations = contract.operations
        self._adapter: MapAdapter = url_map.bind("mock")

    def match(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation and its path arguments, or ``None`` when the route isn't the contract's.

        Raises ``Refused`` at an unknown route (404) or an unknown method of a known one (405).
        """
        try:
            endpoint, arguments = self._adapter.match(path, method)
        except MethodNotAllowed as error:
            raise _not_allowed(method, error.valid_methods or ()) from None
        except (NotFound, RequestRedirect):
            raise Refused(rules.UNKNOWN_ROUTE, "There is no such route.") from None
        operation = self._operations.get(endpoint)
        if operation is not None and operation.method != method:
            raise _not_allowed(method, [operation.method])
        return None if operation is None else (operation, dict(arguments))


def _not_allowed(method: str, allowed: Iterable[str]) -> Refused:
    methods = ", ".join(sorted(set(allowed) - {"HEAD", "OPTIONS"}))
    message = f"The route has no method {ascii(method)[1:-1][:20]}; it has {methods}."
    return Refused(rules.UNKNOWN_METHOD, message, headers=(("Allow", methods),))


def path_of(environ: Environ) -> str:
    """Return the request's path, decoded; bytes that are no UTF-8 are replaced."""
    return (
        str(environ.get("PATH_INFO") or "/").encode("latin-1", "replace").decode("utf-8", "replace")
    )
