"""The page where the token is typed, and where a browser signs out."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import Response, request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from mockserver.control.guard import PAGES
from mockserver.control.signing import SIGN_IN, is_right, sign_in, sign_out
from mockserver.pages.sending import page

_FIRST = "/_mock/"

_LARGEST = 16_384
"""Bytes of a form: whoever has no token yet may send one, and should cost little."""


def entrance(token: str) -> Response:
    """Show the form; after the right ``token`` lead to the page that was asked for, and else say no."""
    if request.method != "POST":
        return _form(_place(request.args))
    sent = _sent()
    if "out" in sent:
        sign_out()
        return _led(SIGN_IN)
    place = _place({**sent, **request.args})
    if not is_right(sent.get("token", ""), token):
        return _form(place, 403, is_wrong=True)
    sign_in()
    return _led(place)


def _sent() -> Mapping[str, str]:
    """Return the fields of the form. Raises ``HTTPException`` where there is too much of it, or nothing to read."""
    try:
        data = request.get_data()
    except (OSError, ValueError):
        raise BadRequest from None
    if len(data) > _LARGEST:
        raise RequestEntityTooLarge
    return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))


def _place(given: Mapping[str, str]) -> str:
    asked = given.get("to", "")
    return asked if asked in PAGES else _FIRST


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
