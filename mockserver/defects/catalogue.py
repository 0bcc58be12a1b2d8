"""Every defect by name, and the pairs that might hide each other."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from types import ModuleType

from mockserver.defects import auth, credit, envelope, error, pagination, permission, rate
from mockserver.defects.order import ORDER_DEFECTS
from mockserver.defects.site import Defect
from mockserver.errors import NotThere


def _defined_in(module: ModuleType) -> list[Defect]:
    """Return one defect of each public class that ``module`` defines, in its order."""
    return [
        made()
        for name, made in vars(module).items()
        if isinstance(made, type)
        and issubclass(made, Defect)
        and made.__module__ == module.__name__
        and not name.startswith("_")
    ]


_MODULES = (auth, permission, rate, credit, error, envelope, pagination)

DEFECTS: dict[str, Defect] = {
    defect.name: defect
    for defect in [d for module in _MODULES for d in _defined_in(module)] + ORDER_DEFECTS
}
"""Every defect by name, in the order of the areas."""


def defect_named(name: str) -> Defect:
    """Return a defect. Raises ``NotThere``, which names the nearest one, when there is none."""
    if name not in DEFECTS:
        near = get_close_matches(name, DEFECTS, n=1)
        hint = f"did you mean {near[0]}?" if near else "`mockserver defects` lists them all"
        raise NotThere(f"there is no defect {ascii(name)[1:-1][:64]}; {hint}")
    return DEFECTS[name]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two defects at once, of which each could hide the other."""

    first: str
    second: str
    reason: str
    """How one could hide the other."""

    @property
    def defects(self) -> tuple[Defect, Defect]:
        """Both defects, in the order in which they are planted."""
        return DEFECTS[self.first], DEFECTS[self.second]


PAIRS = (
    Pair(
        "requests-count-twice",
        "headroom-before-the-request",
        "A fresh organization's first answer looks right: one too many taken, one too few reported.",
    ),
    Pair(
        "refused-key-is-charged",
        "forbidden-is-free",
        "Over a run of refusals the sum is right: one is charged too much, another too little.",
    ),
    Pair(
        "not-found-costs-two",
        "forbidden-is-free",
        "Over a run of refusals the sum is right: one is charged twice, another not at all.",
    ),
    Pair(
        "error-as-text",
        "error-with-code",
        "Whoever stops at the media type never looks into the body.",
    ),
    Pair(
        "meta-missing",
        "next-page-absolute",
        "Whoever stops at the envelope never follows a page.",
    ),
    Pair(
        "past-due-passes",
        "permission-not-checked",
        "A restricted key of an unpaid organization is let in twice over.",
    ),
    Pair(
        "day-not-enforced",
        "day-refusal-moves-the-minute",
        "The refusals that would move the minute never come.",
    ),
    Pair(
        "last-page-is-null",
        "page-skips-an-item",
        "Whoever stops at the last page's form never counts the items.",
    ),
    Pair(
        "member-missing",
        "success-costs-two",
        "Whoever stops at the schema never looks at the price.",
    ),
    Pair(
        "body-limit-minus-one",
        "body-limit-on-posts-only",
        "The limit that is one byte too low is seen on POST only, the missing one everywhere else.",
    ),
    Pair(
        "lost-session-passes",
        "unknown-record-succeeds",
        "Everything is answered with 200, so no refusal looks out of place.",
    ),
    Pair(
        "upstream-failure-is-a-page",
        "not-found-in-envelope",
        "Two shapes of error differ from the contract, each on its own status.",
    ),
)
"""Pairs of which a gate must report both rules."""
