"""Every loss of notebook 07 with every change: the exercise calls right exactly what ends it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.exercises.losing import held_back
from labsim.exercises.losses import CHANGES, LOSSES, tried, try_out, with_change
from labsim.exercises.what_answers import good_changes


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.mark.parametrize("name", LOSSES)
def test_a_change_is_right_if_and_only_if_it_ends_the_loss(lab: labsim.Lab, name: str) -> None:
    assert tried(lab, LOSSES[name])["thief"] == "served"
    for change in CHANGES:
        after = with_change(LOSSES[name], CHANGES[change])
        if after is None:
            assert change not in good_changes(name)
            continue
        ended = tried(lab, after)
        assert (ended["thief"] != "served") == (change in good_changes(name)), change
        # But for two, whose owner is refused: a request held back comes second or, where the proof
        # is the connection, does not come through the interceptor at all.
        assert (ended["owner"] == "served") == (name != "hold_and_forward"), change


def test_what_is_not_chosen_is_not_tried(lab: labsim.Lab) -> None:
    answers = {"signed_in_place": None, "hold_and_forward": "server_nonce", "x": "evict"}
    rows = try_out(lab, answers).rows
    assert [row["loss"] for row in rows] == ["hold_and_forward"]
    assert rows[0]["without"] == "served"
    assert "not tried" in rows[0]["with it"]
    assert try_out(lab, None).rows == ()


def test_a_held_request_is_sealed_until_both_ends_are_predicted(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "dpop")
    half = held_back(lab, predicted={"thief": "served", "owner": None})
    assert half.sealed
    assert "jti_is_new" not in repr(half)
    assert "sealed" in repr(lab.attacker.attempt("hold_and_forward").diagram())
    whole = held_back(lab, predicted={"thief": "served", "owner": "jti_is_new"})
    assert "You predicted 2; 2 happened" in repr(whole)
    assert "jti_is_new" in repr(lab.attacker.attempt("hold_and_forward").diagram())
