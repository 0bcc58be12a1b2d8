"""Who may use the control API: callers on loopback, or those with the token; of all web pages only our own."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Request, Response

from mockserver.control.admission import is_loopback
from mockserver.control.signing import SIGN_IN, is_right, is_signed_in

_FOREIGN_SITES = frozenset({"cross-site", "same-site"})
"""To a browser another port is the same site, yet it is another origin."""

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_READING = frozenset({"GET", "HEAD"})

PAGES = frozenset({"/", "/rules", "/docs", "/docs/control", "/_mock/"})
"""What a person opens in a browser."""


def reason_to_refuse(request: Request, token: str | None) -> str | None:
    """Return why ``request`` may not pass, or ``None``; ``token`` is what callers must present, if there is one.

    It checks Host and refuses cross-origin calls, so a page that a developer happens to visit can't get in.
    """
    if is_foreign(request):
        return "The control API answers no cross-origin calls."
    if token is not None:
        if is_right(request.headers.get("X-Mock-Token", ""), token) or _has_signed_in(request):
            return None
        return f"The control API needs the token, in X-Mock-Token or typed at {SIGN_IN}."
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if is_loopback(request.remote_addr) and host in _LOCAL_NAMES:
        return None
    return "The control API needs a loopback caller and Host, or a server with --token."


def is_foreign(request: Request) -> bool:
    """Whether another web page than our own sent ``request``."""
    is_other = request.headers.get("Origin", _own_origin(request)) != _own_origin(request)
    return is_other or request.headers.get("Sec-Fetch-Site") in _FOREIGN_SITES


def invitation(request: Request, token: str | None) -> Response | None:
    """Return the way to the form where the token is typed, when a person's browser asks for a page."""
    is_person = request.method == "GET" and request.path in PAGES and prefers_html(request)
    if token is None or not is_person or is_foreign(request):
        return None
    place = f"{SIGN_IN}?{urlencode({'to': request.path})}"
    return Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})


def prefers_html(request: Request) -> bool:
    """Whether ``request`` rather wants a page than JSON, as browsers do."""
    accepted = request.accept_mimetypes
    return accepted["text/html"] > accepted["application/json"]


def _has_signed_in(request: Request) -> bool:
    """Whether a browser sent ``request`` with its cookie, and from our own page if it writes.

    Browsers name the origin of whatever writes; that nobody does so behind their owner's back is
    what the cookie's SameSite says too.
    """
    is_ours = request.method in _READING or "Origin" in request.headers
    return is_ours and is_signed_in()


def _own_origin(request: Request) -> str:
    return request.host_url.removesuffix("/")
