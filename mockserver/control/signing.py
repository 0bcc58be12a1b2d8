"""How a browser gets in where a token is needed: it is typed once, and a signed cookie stands for it."""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from flask import Flask, session

SIGN_IN = "/_pages/sign-in"
"""Where the token is typed."""

_MARK = "fansmetric_mock_control"
"""A name that no session of a user's own blueprint has."""

_LIFETIME = timedelta(hours=12)
_SECRET = secrets.token_bytes(32)


def prepare(app: Flask, token: str) -> None:
    """Let ``app`` remember who has signed in, for as long as this process runs and no longer.

    An application that is built anew in the process knows them again, if its token is the same.
    """
    app.secret_key = _made_for(token, "key")
    app.config.update(
        # Cookies know no ports: two mocks on one machine shouldn't sign each other's visitors out.
        SESSION_COOKIE_NAME=f"fansmetric_mock_{_made_for(token, 'name').hex()[:8]}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=_LIFETIME,
    )


def _made_for(token: str, purpose: str) -> bytes:
    return hmac.digest(_SECRET, f"{purpose}:{token}".encode(), "sha256")


def is_right(presented: str, token: str) -> bool:
    """Whether ``presented`` is the token, found in a time that says nothing about it; an empty one never is."""
    return bool(token) and hmac.compare_digest(presented.encode(), token.encode())


def sign_in() -> None:
    """Give the present caller a cookie that says no more than that the token was right."""
    session[_MARK] = True


def sign_out() -> None:
    """Take the present caller's cookie away."""
    session.pop(_MARK, None)


def is_signed_in() -> bool:
    """Whether the present caller's cookie is ours, whole and young enough."""
    return session.get(_MARK) is True
