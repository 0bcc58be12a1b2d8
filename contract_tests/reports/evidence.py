"""One breach as a person reads it: its texts made visible, masked, cut, and compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import chain

import orjson
from markupsafe import escape

from contract_tests.exchange import Exchange
from contract_tests.masking import masked
from contract_tests.verdicts import Breach, Finding

_MOST_OF_A_TEXT = 600
_MOST_OF_A_BODY = 1_000
_MOST_READ = 65_536
"""Bytes of a body that are looked at; more could not be shown."""
_LEAST_ALIKE = 0.6
"""Texts less alike than this differ as a whole, and marks in them would only disturb."""
_MOST_OF_A_LINE = 60
_FRAME = 700
"""About what the page writes around the texts of one breach."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether the other text lacks it."""

    text: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, and what follows."""

    line: str
    rest: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A breach, ready to be shown: no key and no control character is left in its texts."""

    operation: str
    brief: str
    """The beginning of what was found."""
    allowed: list[Piece]
    found: list[Piece]
    request: Message | None = None
    answer: Message | None = None
    repeat: str = ""
    after: str = ""

    @property
    def weight(self) -> int:
        """About how many bytes the page needs for it."""
        texts = [self.operation, self.brief, self.repeat, self.after]
        texts += [piece.text for piece in (*self.allowed, *self.found)]
        for message in (self.request, self.answer):
            texts += [message.line, message.rest] if message else []
        return _FRAME + sum(len(escape(text).encode()) for text in texts)


class Presenter:
    """Turns text from the target into text that may be shown."""

    def __init__(self, base_url: str, findings: Iterable[Finding]) -> None:
        self._base_url = base_url
        exchanges = [b.exchange for f in findings for b in f.breaches if b.exchange is not None]
        self._keys = tuple(dict.fromkeys(chain.from_iterable(_collections(exchanges))))

    def text(self, text: str, most: int = _MOST_OF_A_TEXT) -> str:
        """Return ``text`` with keys masked, at most so long, and control characters written out."""
        clean = masked(text, self._keys)
        return visible(clean[:most]) + ("…" if len(clean) > most else "")

    def evidence(self, breach: Breach) -> Evidence:
        """Return all that the page shows of ``breach``."""
        allowed, found = compared(self.text(breach.allowed), self.text(breach.found))
        bare = Evidence(
            operation=self.text(breach.operation),
            brief=self.text(breach.found, _MOST_OF_A_LINE),
            allowed=allowed,
            found=found,
            after=self.text(breach.after or ""),
        )
        exchange = breach.exchange
        if exchange is None:
            return bare
        return replace(
            bare,
            request=self._request(exchange),
            answer=self._answer(exchange),
            repeat=self.text(exchange.request.curl(self._base_url), 2 * _MOST_OF_A_BODY),
        )

    def _request(self, exchange: Exchange) -> Message:
        shown = exchange.shown()["request"]
        line = self.text(f"{shown['method']} {shown['path']}")
        return Message(line, self._rest(shown["headers"], shown["body"]))

    def _answer(self, exchange: Exchange) -> Message:
        headers = exchange.shown()["response"]["headers"]
        return Message(str(exchange.status), self._rest(headers, _body(exchange)))

    def _rest(self, headers: dict[str, str], body: str) -> str:
        lines = [self.text(f"{name}: {value}") for name, value in headers.items()]
        return "\n".join([*lines, "", self.text(body, _MOST_OF_A_BODY)]).rstrip()


def _collections(exchanges: Iterable[Exchange]) -> Collection[Collection[str]]:
    """Return the collections of keys, each once: all exchanges of a target share one."""
    return {id(exchange.secrets): exchange.secrets for exchange in exchanges}.values()


def visible(text: str) -> str:
    r"""Return ``text`` with every character that can't be seen written as its escape, such as ``\x1b``."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def compared(allowed: str, found: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces that say which of their words the other lacks."""
    ours, theirs = _words(allowed), _words(found)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < _LEAST_ALIKE:
        return [Piece(allowed, False)], [Piece(found, False)]
    left, right = [], []
    for tag, i, j, k, m in matcher.get_opcodes():
        left.append(Piece("".join(ours[i:j]), tag != "equal"))
        right.append(Piece("".join(theirs[k:m]), tag != "equal"))
    return [p for p in left if p.text], [p for p in right if p.text]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def _body(exchange: Exchange) -> str:
    """Return the body, JSON of a bearable size in lines of its own; no more of either than is looked at."""
    body = exchange.body[:_MOST_READ]
    with suppress(
        orjson.JSONDecodeError, orjson.JSONEncodeError
    ):  # the latter where it is too deep
        # Not the exchange's own value, which would be kept, and may be twenty times as large.
        value = orjson.loads(body)
        if isinstance(value, (dict, list)):
            return orjson.dumps(value, option=orjson.OPT_INDENT_2)[:_MOST_READ].decode(
                "utf-8", "replace"
            )
    return body.decode("utf-8", "replace")
