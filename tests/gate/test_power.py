"""The gate can't be fooled, and neither can the proof that says so."""

from __future__ import annotations

import pytest

from contract_tests.prove import Case, Proof, Verdicts, cases_of_the_mock, prove
from mockserver import create_app, rules
from mockserver.defects import DEFECTS, PAIRS, defect_named, planted, site_of
from mockserver.errors import NotThere
from mockserver.rules import RULES, Rule


def proven(*cases: Case) -> list[Proof]:
    """Return the proof of each case."""
    return list(prove(cases, processes=1))


def test_a_defect_that_changes_nothing_survives() -> None:
    """The proof fails where nothing is wrong, so it doesn't depend on the defect's name."""
    (proof,) = proven(Case((), (rules.KEY_REVOKED.id,), "Nothing is wrong."))

    assert not proof.is_caught
    assert () == proof.broken
    assert not Verdicts([proof], whole=False).holds


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("permission-not-checked-on-mute", rules.PERMISSION_REQUIRED),
        ("upstream-failure-is200", rules.UPSTREAM_FAILED),
    ],
)
def test_a_defect_is_named(name: str, rule: Rule) -> None:
    (proof,) = proven(*(c for c in cases_of_the_mock() if c.defects == (name,)))

    assert proof.is_named
    assert rule.id == proof.broken[0]


def test_another_rule_is_no_proof() -> None:
    """A defect that is caught by another rule than its own is a survivor."""
    (proof,) = proven(Case(("success-costs-two",), (rules.KEY_REVOKED.id,), "Not so."))

    assert (rules.CREDIT_SUCCESS.id,) == proof.broken
    assert not proof.is_caught


def test_every_rule_has_a_defect() -> None:
    assert set(RULES) == {defect.rule.id for defect in DEFECTS.values()}
    assert all(defect.sentence.endswith(".") for defect in DEFECTS.values())


def test_a_rule_without_proof_is_told() -> None:
    proof = Proof(Case(("x",), (rules.BEARER.id,), "x"), (rules.BEARER.id,), (), 1)

    assert rules.X_API_KEY.id in Verdicts([proof], whole=True).unproven
    assert not Verdicts([proof], whole=True).holds
    assert Verdicts([proof], whole=False).holds


@pytest.mark.parametrize("name", DEFECTS)
def test_leaves_no_trace(name: str) -> None:
    """A mock from which a defect was taken out is the mock that it was."""
    mock = create_app().mock
    things = (mock, mock.pipeline, mock.pipeline.engine, mock.world)
    before = [dict(vars(thing)) for thing in things]
    site = site_of(mock)
    site.plant([defect_named(name)])
    assert [name] == planted(mock)
    site.restore()

    assert before == [vars(thing) for thing in things]
    assert [] == planted(mock)


def test_pairs_are_of_defects() -> None:
    assert len(PAIRS) >= 8
    assert all(len(set(pair.defects)) == 2 for pair in PAIRS)


def test_names_the_nearest_defect() -> None:
    with pytest.raises(NotThere, match="did you mean revoked-key-passes"):
        defect_named("revoked-key-pases")
