"""What passed through: an exchange, and which keys it presented without the keys themselves."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field, replace

from contract_tests.exchange import Exchange, Request, Secret
from contract_tests.masking import masked, masked_bytes
from contract_tests.proxy.headers import Headers
from contract_tests.verdicts import Breach
from mockserver.contract import Operation

_SHOWN = frozenset({"accept", "content-type"})
"""The request headers that evidence shows; any other might carry a secret."""

_KEPT = 4096
"""Bytes of an answer that are kept as evidence; reports show fewer."""
_LOOKED_AT = 65_536
"""Bytes of a body that are searched for keys; far fewer are kept."""


class Keyring:
    """Tells keys apart by a salted hash; neither the keys nor the salt ever leave the process's memory."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._names: dict[bytes, str] = {}
        self._lock = threading.Lock()

    def name(self, key: str) -> str:
        """Return the name under which reports speak of ``key``: numbered in the order of appearance."""
        digest = hashlib.blake2b(key.encode("latin-1", "replace"), key=self._salt).digest()
        with self._lock:
            return self._names.setdefault(digest, f"key-{len(self._names) + 1}")


@dataclass(frozen=True, slots=True)
class Presented:
    """The keys of one request, under their names."""

    credentials: tuple[tuple[str, str, Secret], ...] = ()
    """Header name, text in front of the key, and the key's name without its value."""
    names: frozenset[str] = frozenset()
    """Every key that counts as one: bearer or `X-API-Key`."""
    other_scheme: bool = False
    """Whether `Authorization` carries something that is no bearer key."""
    values: frozenset[str] = field(default=frozenset(), repr=False)
    """The keys, for as long as the exchange takes, so that an answer that repeats one can be masked."""

    @property
    def key(self) -> str | None:
        """The name of the one key presented, or ``None``."""
        return next(iter(self.names)) if len(self.names) == 1 else None


def presented(headers: Headers, keyring: Keyring) -> Presented:
    """Return the keys that a request with ``headers`` presents."""
    credentials, names, values = [], set(), set()
    other = False
    for name, text in headers:
        prefix, value, counts = _split(name.lower(), text)
        other = other or (name.lower() == "authorization" and not counts)
        if value:
            known = keyring.name(value)
            credentials.append((name, prefix, Secret(known, "")))
            values.add(value)
            names |= {known} if counts else set()
    return Presented(tuple(credentials), frozenset(names), other, frozenset(values))


def _split(name: str, text: str) -> tuple[str, str, bool]:
    """Return what stands before the key, the key, and whether it counts as one."""
    text = text.strip()
    if name == "x-api-key":
        return "", text, bool(text)
    if name != "authorization":
        return "", "", False
    scheme, space, secret = text.partition(" ")
    if not space:
        return "", text, False
    return f"{scheme} ", secret.strip(), scheme.lower() == "bearer"


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange that passed through, ready to be judged."""

    exchange: Exchange
    operation: Operation | None
    """The operation, unless the contract has none for the request."""
    methods: frozenset[str] | None
    """The methods of the route, or ``None`` when the contract doesn't have the route."""
    keys: Presented
    size: int
    """Bytes of the request's body."""

    @property
    def label(self) -> str:
        """The operation's method and path, or ``*``."""
        return self.operation.label if self.operation else "*"


def shown_request(
    method: str, path: str, headers: Headers, keys: Presented, body: bytes
) -> Request:
    """Return the request as evidence may show it: chosen headers, and keys by name."""
    chosen = tuple((name, value) for name, value in headers if name.lower() in _SHOWN)
    chunked = bool(body) and all(name.lower() != "content-length" for name, _ in headers)
    return Request(method, path, chosen, keys.credentials, body, chunked)


def without_keys(breach: Breach) -> Breach:
    """Return ``breach`` with every key masked that its exchange repeats, and with none kept in memory."""
    exchange = breach.exchange
    if exchange is None:
        return breach
    keys = exchange.secrets
    request = replace(
        exchange.request,
        path=masked(exchange.request.path, keys),
        headers=tuple((name, masked(value, keys)) for name, value in exchange.request.headers),
        body=masked_bytes(exchange.request.body, keys),
    )
    headers = {name: masked(value, keys) for name, value in exchange.headers.items()}
    body = masked_bytes(exchange.body[:_LOOKED_AT], keys)[:_KEPT]
    clean = Exchange(request, exchange.status, headers, body)
    return replace(
        breach,
        allowed=masked(breach.allowed, keys),
        found=masked(breach.found, keys),
        exchange=clean,
    )
