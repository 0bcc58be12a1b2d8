"""Print the page of the rules: ``python -m docs.tools.rules > docs/rules.md``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby

from contract_tests.checks import load_checks
from mockserver.pages.catalogue import defects_by_rule
from mockserver.rules import RULES, Rule

_HEAD = """# The rules

Every promise of the contract that OpenAPI can't say, from the one catalogue that mock, gate and reports read.
This page is what `python -m docs.tools.rules` prints.

- **Sentence** is what is promised, and in brackets of what.
- **Level** says where the sentence comes from, and so what a breach does to a run: [levels](contract.md#levels).
- **Checked by** names the gate's scenario, a function in `contract_tests/checks`.
- **Defects** are the mistakes that `contract-tests prove` plants to show that the check finds them: [what the gate catches](defects.md).

`contract-tests rules` prints what each check needs from a server, and a running mock shows all this under `/rules`.
"""
_TAIL = """
## In a running mock

<picture>
  <source media="(max-width: 600px)" srcset="images/rules-390.webp">
  <img src="images/rules-1440.webp" alt="The page of the rules in a running mock">
</picture>
"""
_COLUMNS = ("rule", "level", "sentence", "source", "checked by", "defects")


def page() -> str:
    """Return the page: one table per area, each rule with its own anchor."""
    checked, defects = checks_by_rule(), defects_by_rule()
    parts = [_HEAD]
    for area, found in groupby(RULES.values(), lambda rule: rule.area):
        rows = [
            (
                f'<a id="{rule.id}"></a>`{rule.id}`',
                str(rule.level),
                _sentence(rule),
                rule.source,
                _code(checked[rule.id]),
                _code(defect.name for defect in defects[rule.id]),
            )
            for rule in found
        ]
        parts.append(f"## {area}\n\n" + _table(rows))
    return "\n".join(parts) + _TAIL


def checks_by_rule() -> Mapping[str, list[str]]:
    """Return the scenarios that judge each rule, by the rule's id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for check in load_checks():
        for rule in check.rules:
            found[rule.id].append(check.scenario.__name__)
    return found


def _sentence(rule: Rule) -> str:
    return f"{rule.sentence} *({rule.applies})*"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "-"


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_COLUMNS, ("---",) * len(_COLUMNS), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    print(page(), end="")
