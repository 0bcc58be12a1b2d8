"""Proxies of the environment, which must not stand between a client and a mock on this machine."""

from __future__ import annotations

import os

_HERE = ("127.0.0.1", "localhost", "::1")


def exceptions() -> dict[str, str]:
    """Return the variables that let clients reach this machine directly; none without a proxy.

    Both spellings, for some clients read only one, and all that was excepted before stays so.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return {}
    # Brings HTTP and TLS, 5 MB of them.
    from urllib.request import getproxies_environment

    proxies = getproxies_environment()
    if proxies.keys() <= {"no"} or proxies.get("no") == "*":
        return {}
    known = [host.strip() for host in proxies.get("no", "").split(",") if host.strip()]
    hosts = ",".join([*known, *(host for host in _HERE if host not in known)])
    return {name: hosts for name in ("no_proxy", "NO_PROXY") if os.environ.get(name) != hosts}
