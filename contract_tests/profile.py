"""What is known of a target: its address, keys, accounts, and what may be done to it.

Keys come from the environment or from files; the profile itself never holds one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contract_tests.exchange import Secret
from mockserver.contract import Contract
from mockserver.errors import SuiteError
from mockserver.files import open_at_once
from mockserver.shapes import FLAG, ID, TEXT, Shape, closed
from mockserver.yamlfile import read_yaml

KEYS = ("full", "second", "other", "revoked", "expired", "unsubscribed", "past_due", "restricted")
"""The keys that a profile may name; without ``full``, little can be checked."""

_REFERENCE = re.compile(r"\$\{(?P<env>[A-Z_][A-Z0-9_]*)\}|file:(?P<file>.+)")

_LONGEST_KEY = 4_096

_SHAPE: Shape = closed(
    {
        "base_url": {"type": "string", "pattern": "^https?://"},
        "keys": closed(dict.fromkeys(KEYS, TEXT)),
        "restricted_permissions": {"type": "array", "items": TEXT, "minItems": 1},
        "accounts": closed({"healthy": ID, "sync_lost": ID, "other": ID}),
        "values": {"type": "object", "additionalProperties": {"type": ["integer", "string"]}},
        "allow": closed({"writes": FLAG, "exhaust": {"type": "array", "items": {"enum": ["minute", "day"]}}}),
        "max_requests": ID,
        "control": FLAG,
    },
    "base_url",
)  # fmt: skip


class ProfileError(SuiteError):
    """Raised when a profile can't be used; names the file, the key and the remedy."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A target and what the gate may do to it."""

    base_url: str
    keys: Mapping[str, Secret] = field(default_factory=dict)
    restricted_permissions: frozenset[str] = frozenset()
    """Exactly what the restricted key's role grants."""
    accounts: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    """Ids of records that exist there, by the name of the parameter."""
    allow_writes: bool | None = None
    """Whether to write; ``None`` leaves it to where the target is, for a tunnel may lead anywhere."""
    allow_exhaust: frozenset[str] = frozenset()
    max_requests: int | None = None
    control: bool = False
    """Whether the target has the mock's control API, so that organizations can be minted."""

    @property
    def is_loopback(self) -> bool:
        """Whether the target is on this machine, where nothing real can be harmed."""
        return urlsplit(self.base_url).hostname in ("127.0.0.1", "localhost", "::1")

    @property
    def may_write(self) -> bool:
        """Whether writes can do no harm: allowed, or on this machine and not forbidden."""
        return self.is_loopback if self.allow_writes is None else self.allow_writes


def named_target(url: str | None, file: Path | None, contract: Contract) -> Profile:
    """Return the profile in ``file``, with ``url`` in the place of its own address; one of them must be there.

    Raises ``SuiteError`` as ``read_profile`` and ``checked_url`` do.
    """
    profile = Profile("") if file is None else read_profile(file, contract)
    return profile if url is None else replace(profile, base_url=checked_url(url))


def read_profile(file: Path, contract: Contract) -> Profile:
    """Return the profile in ``file``.

    Raises ``ProfileError`` when it can't be read, holds an unknown member, names an unknown permission,
    or refers to a variable or file that isn't there.
    """
    value = read_yaml(file, _SHAPE, ProfileError, "the profile")
    try:
        _ = urlsplit(value["base_url"]).port
    except ValueError as failure:
        raise ProfileError(f"{file}: base_url: is no address ({failure})") from None
    permissions = frozenset(value.get("restricted_permissions", ()))
    unknown = sorted(permissions - contract.permissions)
    if unknown:
        raise ProfileError(f"{file}: restricted_permissions: there is no permission {unknown[0]}")
    if ("restricted" in value.get("keys", {})) != bool(permissions):
        raise ProfileError(f"{file}: keys.restricted and restricted_permissions need each other")
    allow = value.get("allow", {})
    return Profile(
        base_url=_base_url(value["base_url"], file),
        keys={name: _secret(name, text, file) for name, text in value.get("keys", {}).items()},
        restricted_permissions=permissions,
        accounts=value.get("accounts", {}),
        values=value.get("values", {}),
        allow_writes=allow.get("writes"),
        allow_exhaust=frozenset(allow.get("exhaust", ())),
        max_requests=value.get("max_requests"),
        control=value.get("control", False),
    )


def checked_url(text: str) -> str:
    """Return a base URL without its last slash.

    Raises ``SuiteError`` unless it is one that can be asked and shown.
    """
    if not text.startswith(("http://", "https://")):
        raise SuiteError(f"{text!r} is no http or https URL")
    if not re.fullmatch("[!-~]+", text) or not _host_of(text):
        raise SuiteError(f"{text!r} is no URL; write one such as https://api.example.com")
    if "@" in urlsplit(text).netloc:
        raise SuiteError(
            "the URL holds a name or a password, which reports would show; leave it out"
        )
    return text.rstrip("/")


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.port != 0 else None
    except ValueError:  # an odd port, or a broken IPv6 address
        return None


def _base_url(text: str, file: Path) -> str:
    try:
        return checked_url(text)
    except SuiteError as error:
        raise ProfileError(f"{file}: base_url: {error}") from None


def _secret(name: str, text: str, file: Path) -> Secret:
    """Return the key that ``text`` refers to; the text itself is never shown, it might be a key."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ProfileError(
            f"{file}: keys.{name}: write ${{NAME}} of a variable or file:PATH, never the key"
        )
    if match["env"]:
        value = os.environ.get(match["env"], "").strip()
        if not value:
            raise ProfileError(f"{file}: keys.{name}: the variable {match['env']} is not set")
        if not _is_key(value):
            raise ProfileError(
                f"{file}: keys.{name}: the variable {match['env']} holds no key: visible characters without spaces"
            )
        return Secret(name, value)
    return Secret(name, _key_in(match["file"], name, file))


def _key_in(path: str, name: str, file: Path) -> str:
    """Return the key in the file at ``path``; whatever else stands there is neither read whole nor shown."""
    try:
        with open(file.parent / path, "rb", opener=open_at_once) as stream:
            text = stream.read(_LONGEST_KEY + 1).decode().strip()
    except (OSError, ValueError):
        raise ProfileError(f"{file}: keys.{name}: the file {path} can't be read") from None
    if not _is_key(text):
        raise ProfileError(
            f"{file}: keys.{name}: the file {path} holds no key: one line without spaces"
        )
    return text


def _is_key(text: str) -> bool:
    return len(text) <= _LONGEST_KEY and re.fullmatch("[!-~]+", text) is not None
