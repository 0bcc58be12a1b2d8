"""The short path: a request for a mocked operation goes straight into the pipeline.

It comes the WSGI way, or from the mock's own server, which has read its head before and has no need of an environ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from mockserver import rules
from mockserver.call import Call, call_of, step_aside
from mockserver.envelope import Refused
from mockserver.mock import Mock
from mockserver.request import Request, read_request
from mockserver.routing import Router
from mockserver.serving.heads import REMEMBERED

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from mockserver.contract import Operation
    from mockserver.serving.answers import Whole
    from mockserver.serving.connection import Connection
    from mockserver.serving.heads import Head


class Front:
    """Sends mocked operations into the pipeline, and leaves to another application what it may know."""

    def __init__(
        self, mock: Mock, other: WSGIApplication, may_know: Callable[[str], bool] = lambda _: True
    ) -> None:
        """Take the mock, and the ``other`` application with the paths that it ``may_know``.

        Raises ``ContractError`` at a path of the contract that can't be one.
        """
        self._mock = mock
        self._router = Router(mock.contract)
        self._other = other
        self._may_know = may_know
        self._requests: dict[Head, Request] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = read_request(environ)
        try:
            operation = self._route(request)
            if operation is None and not self._may_know(request.path):
                raise Refused(rules.UNKNOWN_ROUTE, "There is no such route.")
        except Refused as refused:
            reply = self._mock.turn_away(call_of(request, environ), refused)
            body = self._mock.send(reply, start_response)
            # A body after HEAD would be taken for the next answer.
            return [] if request.method == "HEAD" else body
        if operation is None:
            step_aside(environ)  # a stream or a fixture to load takes its time
            return self._other(environ, start_response)
        return self._mock.send(
            self._mock.answer(call_of(request, environ), operation), start_response
        )

    def straight(self, head: Head, client: Connection) -> Whole | WSGIApplication | None:
        """Return the answer to ``client``, what gives it the WSGI way, or ``None``: the head is for ``__call__``."""
        request = self._requests.get(head) or self._remember(head)
        if request.operation is None:
            return None
        call = Call(request, client.body(), client.step_aside, client.wire)
        reply = self._mock.answer(call, request.operation)
        if reply.cut is not None:
            return lambda _, start_response: self._mock.send(reply, start_response)
        return self._mock.begin(reply), reply.body

    def _remember(self, head: Head) -> Request:
        request = read_request(head.environ)
        with suppress(Refused):  # whoever asks the WSGI way is told why
            self._route(request)
        if head.is_remembered and request.operation is not None:
            if len(self._requests) >= REMEMBERED:
                self._requests.clear()
            self._requests[head] = request
        return request

    def _route(self, request: Request) -> Operation | None:
        """Find out what ``request`` is for. Raises ``Refused`` as the router does."""
        matched = self._router.match(request.method, request.path)
        if matched is not None:
            request.operation, request.path_arguments = matched
        return request.operation
