"""Answers of the pages: HTML under a strict policy, and files that a browser asks for only once."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, render_template, request

from mockserver.control.signing import SIGN_IN, is_signed_in

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's stylesheet holds its icons
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return the page that ``template`` makes of ``values``; all text is escaped."""
    return html_page(drawn(template, **values), status)


def drawn(template: str, **values: Any) -> str:
    """Return what ``template`` makes of ``values`` for the present caller, as HTML."""
    return render_template(
        f"pages/{template}.html", signed_in=is_signed_in(), sign_in=SIGN_IN, **values
    )


def html_page(html: str | bytes, status: int = 200) -> Response:
    """Return ``html`` as a page."""
    answer = Response(html, status, mimetype="text/html")
    answer.headers["Cache-Control"] = "no-store"  # it shows the world as it is now
    return _guarded(answer)


def file(body: bytes, content_type: str) -> Response:
    """Return ``body`` with its ETag, or 304 when the caller has it already."""
    answer = Response(body, content_type=content_type)
    answer.set_etag(hashlib.sha256(body).hexdigest()[:32])
    # Asked for again each time: names carry no version, and another mock may serve this port tomorrow.
    answer.headers["Cache-Control"] = "no-cache"
    answer.make_conditional(request)
    return _guarded(answer)


def _guarded(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
