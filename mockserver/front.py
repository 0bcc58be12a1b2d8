"""The short path: a request for a mocked operation goes from the WSGI environ straight into the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from mockserver import rules
from mockserver.call import Call, step_aside
from mockserver.envelope import Refused
from mockserver.mock import Mock, path_of
from mockserver.routing import Router

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        try:
            matched = self._router.match(method, path)
            if matched is None and not self._may_know(path):
                raise Refused(rules.UNKNOWN_ROUTE, "There is no such route.")
        except Refused as refused:
            body = self._mock.send(self._mock.turn_away(environ, refused), start_response)
            # A body after HEAD would be taken for the next answer.
            return [] if method == "HEAD" else body
        if matched is None:
            step_aside(environ)  # a stream or a fixture to load takes its time
            return self._other(environ, start_response)
        operation, arguments = matched
        call = Call(environ, operation.method, path, arguments)
        return self._mock.send(self._mock.answer(call, operation), start_response)
