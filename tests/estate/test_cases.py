"""The cases of notebook 05 on real servers: each has one way in, and does not say which mistake it is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

import labsim
from labsim.errors import LabError
from labsim.exercises.cases import CASES, CLIENT, HIDDEN, SERVER, attack, chart, mended
from labsim.prediction import Prediction
from labsim.preset import presets


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def served(table: object) -> list[str]:
    assert not isinstance(table, Prediction)
    rows = table.to_dict("records")  # type: ignore[attr-defined]
    return [row["sent by"] for row in rows if row["outcome"] == "served"]


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_one_way_in(lab: labsim.Lab, name: str) -> None:
    case = CASES[name]
    assert served(attack(lab, name, after=case.after)) == ["the owner", case.telling]
    if case.after:
        assert served(attack(lab, name)) == ["the owner"], "one has to wait for it"
    assert {row["outcome"] for row in lab.work_rows(CLIENT)} == {"served"}


def test_a_case_does_not_say_which_mistake_it_is(lab: labsim.Lab) -> None:
    before = len(lab.events()), len(lab.attacker.rows)
    for name in HIDDEN:
        attack(lab, name)
    told = json.dumps([lab.events()[before[0] :], lab.attacker.rows[before[1] :]])
    assert "case A" in told
    assert [name for name in presets() if name in told] == []


def test_a_case_is_the_only_mistake_whatever_was_tried_before(lab: labsim.Lab) -> None:
    lab.enforce()
    lab.vary("minimal")
    assert served(attack(lab, "A")) == ["the owner", "downgraded_scheme"]
    assert lab.variant == "base"
    assert lab.estate.verifier(SERVER) == "full"


def test_a_prediction_is_sealed_until_it_is_made(lab: labsim.Lab) -> None:
    sealed = attack(lab, "public", predicted={"own_proof": None})
    assert "Sealed" in repr(sealed)
    told = attack(lab, "public", predicted={"own_proof": "served"})
    assert "1 happened as you said" in repr(told)


def test_mended_servers_refuse_by_the_check_that_was_missing(lab: labsim.Lab) -> None:
    right = {
        "A": "scheme_is_the_bindings",
        "B": "certificate_is_the_bound_one",
        "C": "jti_is_new",
    }
    rows = mended(lab, right).rows()
    assert [(row["case"], row["as predicted"], row["the owner"]) for row in rows] == [
        (name, "yes", "served") for name in HIDDEN
    ]
    assert "Sealed" in repr(mended(lab, dict.fromkeys(right)))
    assert "Sealed" in repr(mended(lab, right | {"A": "magic"}))
    assert "Sealed" in repr(mended(lab, {"D": "jti_is_new"}))
    assert "no" in {row["as predicted"] for row in mended(lab, right | {"A": "jti_is_new"}).rows()}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("D",), "public, A, B, C"),
        (("A", "own_certificate"), "token_as_is, downgraded_scheme"),
        (("B", "magic"), "own_certificate"),
    ],
)
def test_what_there_is_not_is_answered_with_what_there_is(
    lab: labsim.Lab, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(LabError, match=said):
        attack(lab, *arguments)
    with pytest.raises(LabError, match="a number"):
        attack(lab, "A", after="long")  # type: ignore[arg-type]


def test_the_chart_has_a_bar_for_each_verifier_and_keeps_what_is_sealed(lab: labsim.Lab) -> None:
    lab.reset()
    attack(lab, "public", predicted=None)
    attack(lab, "B")
    alt = chart(lab).alt
    assert "case B: 12 of 24" in alt
    assert "public" not in alt
