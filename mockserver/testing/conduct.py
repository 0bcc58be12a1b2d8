"""Assertions on how the client behaved: one for each finding of the mock's audit, and one for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.testing.frames import says_all
from mockserver.testing.log import Request, not_kept, table

__tracebackhide__ = says_all


@dataclass(frozen=True, slots=True)
class Finding:
    """One habit of the client, as the audit found it."""

    id: str
    weight: str
    """``fault``: never do that; ``advice``: better do otherwise."""
    sentence: str
    remedy: str
    requests: tuple[Request, ...]
    """The requests that show it."""

    def __str__(self) -> str:
        return f"{self.id}: {self.sentence}\n{table(self.requests)}\n  {self.remedy}"


class Conduct:
    """The part of an organization that judges its client.

    Each assertion raises ``AssertionError`` with the requests that show the habit and what to do instead,
    and also when there were no requests at all, or the journal didn't keep them all: then nobody can judge.
    """

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Return the answer of the control API; the organization says how."""
        raise NotImplementedError

    @property
    def findings(self) -> list[Finding]:
        """Everything that the audit found."""
        return [_finding(found) for found in self.call("GET", "/audit")["findings"]]

    @property
    def needed_permissions(self) -> list[str]:
        """The permissions that a key would have needed for every request so far.

        Raises ``AssertionError`` when the journal didn't keep them all.
        """
        audit, lost = self._audit()
        if lost:
            raise AssertionError(not_kept(lost))
        return sorted({permission for use in audit["permissions"] for permission in use["needed"]})

    def assert_backed_off(self) -> None:
        """Assert that no call came between a 429 and the recovery of its window."""
        self._assert_without("backoff.early")

    def assert_no_hopeless_retries(self) -> None:
        """Assert that no request was repeated after 400, 401, 402, 403, 404 or 413."""
        self._assert_without("retry.hopeless")

    def assert_paused_after_failures(self) -> None:
        """Assert that no request was repeated at once after a 5xx."""
        self._assert_without("retry.no-pause")

    def assert_jittered(self) -> None:
        """Assert that retries after 5xx kept to no fixed beat."""
        self._assert_without("retry.no-jitter")

    def assert_one_key_header(self) -> None:
        """Assert that no request carried Authorization and X-API-Key at once."""
        self._assert_without("key.both-headers")

    def assert_no_key_in_query(self) -> None:
        """Assert that no request carried a key in the query string."""
        self._assert_without("key.in-query")

    def assert_least_privilege(self) -> None:
        """Assert that no key may do more than its requests needed."""
        self._assert_without("key.needless-permissions")

    def assert_followed_pages(self) -> None:
        """Assert that every next page that was named was asked for."""
        self._assert_without("pages.unfinished")

    def assert_well_behaved(self, *, advice: bool = False) -> None:
        """Assert that the audit found no fault, and with ``advice`` that it has no advice either."""
        self._assert_none(lambda finding: advice or finding.weight == "fault")

    def _assert_without(self, id: str) -> None:
        self._assert_none(lambda finding: finding.id == id)

    def _assert_none(self, counts: Callable[[Finding], bool]) -> None:
        audit, lost = self._audit()
        if not audit["total"]:
            raise AssertionError(
                f"{self!r} was asked nothing; does the client use one of its keys?"
            )
        found = filter(counts, map(_finding, audit["findings"]))
        problems = [*map(str, found), *([not_kept(lost)] if lost else [])]
        if problems:
            raise AssertionError("\n".join(problems))

    def _audit(self) -> tuple[dict[str, Any], int]:
        """Return the audit, and how many requests were gone before it."""
        audit: dict[str, Any] = self.call("GET", "/audit")
        if audit["complete"]:
            return audit, 0
        journal = self.call("GET", "/journal?limit=1")
        return audit, journal["total"] - journal["kept"]


def _finding(found: Mapping[str, Any]) -> Finding:
    return Finding(
        id=found["id"],
        weight=found["weight"],
        sentence=found["sentence"],
        remedy=found["remedy"],
        requests=tuple(Request.of(exchange) for exchange in found["exchanges"]),
    )
