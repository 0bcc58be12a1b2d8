"""Who may use the control API: callers on loopback, or those with the token; never a web page."""

from __future__ import annotations

import hmac
import ipaddress
import re

from flask import Request

from mockserver.errors import Misuse

_FOREIGN_SITES = frozenset({"cross-site", "same-site"})
"""To a browser another port is the same site, yet it is another origin."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


def check_token(token: str | None) -> None:
    """Raise ``Misuse`` at a token that no header carries, or that a request without the header has too."""
    if token is not None and not re.fullmatch("[!-~]+", token):
        raise Misuse(
            "the token must be visible ASCII characters without spaces, and not empty;"
            " leave it out to let in callers on this machine only"
        )


def reason_to_refuse(request: Request, token: str | None) -> str | None:
    """Return why ``request`` may not pass, or ``None``; ``token`` is what other hosts must present.

    It checks Host and refuses cross-origin calls, so a page that a developer happens to visit can't get in.
    """
    own = request.host_url.removesuffix("/")  # the mock's own page, if the Host is one of ours
    is_foreign = request.headers.get("Origin", own) != own
    if is_foreign or request.headers.get("Sec-Fetch-Site") in _FOREIGN_SITES:
        return "The control API answers no cross-origin calls."
    presented = request.headers.get("X-Mock-Token", "")
    if token is not None and hmac.compare_digest(presented.encode(), token.encode()):
        return None
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if token is None and _is_loopback(request.remote_addr) and host in _LOCAL_NAMES:
        return None
    return "The control API needs a loopback caller and Host, or X-Mock-Token."


def _is_loopback(address: str | None) -> bool:
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
