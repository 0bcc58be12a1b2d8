"""The page where the token is typed, and where a browser signs out."""

from __future__ import annotations

from flask import Response, request

from mockserver.control.guard import PAGES
from mockserver.control.signing import SIGN_IN, is_right, sign_in, sign_out
from mockserver.pages.sending import page

_FIRST = "/_mock/"


def entrance(token: str) -> Response:
    """Show the form; after the right ``token`` lead to the page that was asked for, and else say no."""
    asked = request.values.get("to", "")
    place = asked if asked in PAGES else _FIRST
    if request.method != "POST":
        return _form(place)
    if "out" in request.form:
        sign_out()
        return _led(SIGN_IN)
    if not is_right(request.form.get("token", ""), token):
        return _form(place, 403, is_wrong=True)
    sign_in()
    return _led(place)


def _form(place: str, status: int = 200, *, is_wrong: bool = False) -> Response:
    answer = page(
        "entrance",
        status,
        here="entrance",
        place=place,
        is_wrong=is_wrong,
    )
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace(
        "form-action 'none'", "form-action 'self'"
    )
    # Under `no-referrer` a browser would send the form without its origin.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


def _led(place: str) -> Response:
    return Response(status=303, headers={"Location": place, "Cache-Control": "no-store"})
