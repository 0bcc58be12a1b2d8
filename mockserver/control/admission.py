"""What tells a caller whom the control API lets in from another: a token, and an address of this machine."""

from __future__ import annotations

import ipaddress
import re

from mockserver.errors import Misuse


def check_token(token: str | None) -> None:
    """Raise ``Misuse`` at a token that no header carries, or that a request without the header has too."""
    if token is not None and not re.fullmatch("[!-~]+", token):
        raise Misuse(
            "the token must be visible ASCII characters without spaces, and not empty;"
            " leave it out to let in callers on this machine only"
        )


def is_loopback(address: str | None) -> bool:
    """Whether an IP address is one of this machine's own; a name never is."""
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
