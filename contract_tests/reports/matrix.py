"""The table of a proof: each defect, its rule, and what was reported first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract_tests.prove import ENOUGH, Proof, Verdicts

HEAD = """# What the gate catches

`contract-tests prove` plants each of these defects into the embedded mock and runs the gate on it.
A defect is caught when its own rule is reported broken; the column *first* says which rule was reported first.
Both defects of a pair must be reported, though each could hide the other.
This page is what `contract-tests prove --matrix docs/defects.md` wrote.
"""

PLAIN = """
The last column is what plain Schemathesis reports on the same defect, without our rules:
`st run openapi.yaml --checks all --max-examples 3 --seed 1` in all phases, with a key that has every permission.
A dash means that it found nothing that it doesn't find on the clean mock.
"""


def as_matrix(verdicts: Verdicts, plain: Mapping[str, Sequence[str]] | None = None) -> str:
    """Return the proof as a Markdown page.

    ``plain`` says, by the name of the case, which of Schemathesis's own checks fail on it.
    """
    heads = ["defect", "what is wrong", "rule", "first", *(["plain Schemathesis"] if plain else [])]
    lines = [HEAD + (PLAIN if plain else ""), _sum(verdicts, plain), ""]
    lines += [_row(heads), _row(["---"] * len(heads))]
    for proof in verdicts.proofs:
        cells = [
            f"`{proof.case.name}`",
            proof.case.sentence,
            _rules(proof.case.rules),
            _first(proof),
        ]
        if plain:
            cells.append(", ".join(plain.get(proof.case.name, ())) or "-")
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def _sum(verdicts: Verdicts, plain: Mapping[str, Sequence[str]] | None) -> str:
    total = len(verdicts.proofs)
    caught = total - len(verdicts.survivors)
    named = caught - len(verdicts.misnamed)
    text = f"{total} cases: {caught} caught, {named} of them by the rule that was reported first."
    if plain:
        found = sum(bool(plain.get(proof.case.name)) for proof in verdicts.proofs)
        text += f"\nPlain Schemathesis catches {found} of them."
    return text


def _rules(rules: Sequence[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in rules)


def _first(proof: Proof) -> str:
    if not proof.is_caught:
        return "**not caught**"
    return "yes" if proof.is_named else f"`{proof.broken[0]}`"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def told(verdicts: Verdicts) -> list[str]:
    """Return the lines that say what the proof comes to, the bad news one by one."""
    lines = [
        f"survived: {p.case.name} ({', '.join(p.case.rules)}): {_instead(p)}"
        for p in verdicts.survivors
    ]
    lines += [
        f"misnamed: {p.case.name}: {p.broken[0]} was reported before {', '.join(p.case.rules)}"
        for p in verdicts.misnamed
    ]
    lines += [f"unproven: no defect broke {rule}" for rule in verdicts.unproven]
    share = f"{verdicts.named_share:.1%} named first ({ENOUGH:.0%} are enough)"
    return [*lines, f"{len(verdicts.proofs)} cases, {len(verdicts.survivors)} survived, {share}."]


def _instead(proof: Proof) -> str:
    if proof.errors:
        return f"the suite broke at {', '.join(proof.errors)}"
    return f"reported {', '.join(proof.broken) or 'nothing'}"
