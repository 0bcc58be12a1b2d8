"""The page of the rules: each with its level, source, scope and needs, and the defects that prove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from flask import Response
from markupsafe import Markup, escape

from mockserver.control.signing import is_signed_in
from mockserver.defects import DEFECTS, Defect
from mockserver.pages.kept import kept
from mockserver.pages.sending import drawn, html_page
from mockserver.rules import RULES, Level

if TYPE_CHECKING:
    from mockserver.mock import Mock


def rules(mock: Mock) -> Response:
    """Return the page of all rules, which is drawn once; only its navigation depends on who asks."""
    name = f"rules, signed in: {is_signed_in()}"
    return html_page(kept(mock, name, lambda: _drawn_rules(mock).encode()))


def _drawn_rules(mock: Mock) -> str:
    areas = [(area, list(found)) for area, found in groupby(RULES.values(), lambda r: r.area)]
    scopes = {rule.applies: len(mock.contract.in_scope(rule.applies)) for rule in RULES.values()}
    return drawn(
        "rules",
        here="rules",
        areas=areas,
        scopes=scopes,
        levels=list(Level),
        defects=defects_by_rule(),
        counts={"rules": len(RULES), "defects": len(DEFECTS)},
        with_code=with_code,
    )


def defects_by_rule() -> Mapping[str, Sequence[Defect]]:
    """Return the defects that break each rule, by the rule's id."""
    found: defaultdict[str, list[Defect]] = defaultdict(list)
    for defect in DEFECTS.values():
        found[defect.rule.id].append(defect)
    return found


def with_code(text: str) -> Markup:
    """Return ``text`` as HTML, escaped, with what stands between backticks as code."""
    parts = [
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part)
        for at, part in enumerate(text.split("`"))
    ]
    return Markup("").join(parts)
