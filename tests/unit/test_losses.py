"""The losses of notebook 07 and the changes that may answer them, without an estate."""

from __future__ import annotations

import pytest

from labsim.exercises.exercise import Outcome
from labsim.exercises.losses import CHANGES, LOSSES, TriedOut, ending, with_change
from labsim.exercises.what_answers import good_changes, what_answers_each


def test_a_change_takes_the_place_of_what_the_loss_had() -> None:
    changed = with_change(LOSSES["signed_in_place"], CHANGES["key_in_a_signer"])
    assert changed is not None
    assert (changed.custody, changed.replay) == ("signer", "signed_in_place")
    evicted = with_change(LOSSES["signed_in_place"], CHANGES["evict"])
    assert evicted is not None
    assert evicted.evicted


@pytest.mark.parametrize(
    ("loss", "change"),
    [("hold_and_forward", "server_nonce"), ("laundered_by_exchange", "proxy_strips")],
)
def test_two_variants_at_once_cannot_be_tried(loss: str, change: str) -> None:
    assert with_change(LOSSES[loss], CHANGES[change]) is None


@pytest.mark.parametrize("good", sorted(good_changes("proofs_made_ahead")))
def test_each_change_that_ends_a_loss_is_right(good: str) -> None:
    answer = {**what_answers_each.reference, "proofs_made_ahead": good}
    assert what_answers_each.check(answer).outcome is Outcome.PASSED


@pytest.mark.parametrize("answer", [{}, {"signed_in_place": 3}, 7, "evict", {"x": "evict"}])
def test_what_is_no_answer_is_not_taken_for_one(answer: object) -> None:
    assert what_answers_each.check(answer).outcome in (Outcome.UNREADABLE, Outcome.NOT_ATTEMPTED)
    assert good_changes("nothing") == frozenset()


def test_an_ending_is_the_word_of_a_prediction() -> None:
    assert ending({"outcome": "rejected", "check": "jti_is_new"}) == "jti_is_new"
    assert ending({"outcome": "served", "check": ""}) == "served"
    assert ending({"outcome": "rejected"}) == "rejected"


def test_nothing_tried_is_said_and_what_was_is_counted() -> None:
    assert "nothing was tried" in repr(TriedOut(()))
    row = {
        "loss": "a",
        "without": "served",
        "change": "b",
        "with it": "served",
        "the owner then": "",
    }
    told = TriedOut((row, row | {"with it": "jti_is_new"}))
    assert told.headline.startswith("1 of 2 losses end")
    assert "jti_is_new" in told._repr_html_()
