"""Which headers a proxy passes on: all but those that concern one connection only."""

from __future__ import annotations

from collections.abc import Iterable

Headers = list[tuple[str, str]]
"""Names and values in the order sent; a repeated header stands there as often as it was sent."""

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""RFC 9110 section 7.6.1, and what belongs to a proxy (11.7) or to a transfer coding (6.6.2)."""


def end_to_end(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return ``headers`` without those of the connection, among them all that `Connection` names."""
    found = list(headers)
    named = {
        option.strip().lower()
        for name, value in found
        if name.lower() == "connection"
        for option in value.split(",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, _unfolded(value)) for name, value in found if name.lower() not in dropped]


def without(headers: Headers, *names: str) -> Headers:
    """Return ``headers`` without those called one of ``names`` (in lower case)."""
    return [(name, value) for name, value in headers if name.lower() not in names]


def _unfolded(value: str) -> str:
    # RFC 9112 section 5.2: whoever passes a folded line on joins it first.
    return " ".join(value.split()) if "\n" in value else value
