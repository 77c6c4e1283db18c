"""While a result is sealed, nothing else that the attacker's handle shows gives it away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim import tally
from labsim.errors import LabError
from labsim.prediction import Prediction, Sealed


@pytest.fixture
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def test_a_sealed_result_is_sealed_everywhere_until_it_was_predicted(lab: labsim.Lab) -> None:
    holder = lab.work("ci-runner", "deploy")
    loot = lab.attacker.steal("ci-runner", by="log_line")
    guess = {"deploy": "served", "vault": "audience_is_this_resource"}

    def replay(predicted: object) -> Prediction:
        return lab.attacker.replay(loot[0], by="token_as_is", predicted=predicted)

    sealed = replay(None)
    assert list(sealed.frame["outcome"]) == ["served", "rejected"]
    assert sealed.sealed
    assert isinstance(lab.attacker.show(1), Sealed)
    assert isinstance(lab.attacker.show("token_as_is"), Sealed)
    assert isinstance(lab.attacker.chart(), Sealed)
    assert isinstance(lab.attacker.beside(1, holder["request_id"][0]), Sealed)
    assert lab.attacker.served_by == set()

    opened = replay(guess)
    assert opened.headline == "You predicted 2; 2 happened as you said."
    assert "audience_is_this_resource" in repr(lab.attacker.show("token_as_is"))
    assert "12 of 24" in lab.attacker.chart().alt
    assert lab.attacker.served_by == {"deploy"}
    beside = lab.attacker.beside(1, holder["request_id"][0])
    assert beside.loc["token", "the thief's"] == beside.loc["token", "the holder's"]


def test_a_sealed_cell_that_is_run_twice_opens_nothing(lab: labsim.Lab) -> None:
    loot = lab.attacker.steal("ci-runner", by="log_line")
    for _ in range(2):
        lab.attacker.replay(loot[0], by="token_as_is", against="deploy", predicted=None)
    assert lab.attacker.sealed == {1, 2}
    assert tally.made(lab, "13") == []
    lab.attacker.replay(loot[0], by="token_as_is", against="deploy", predicted="served")
    assert lab.attacker.sealed == set()
    assert [row["plain"] for row in tally.made(lab, "13")] == [12]


def test_a_sealed_theft_is_no_zero_in_the_picture(lab: labsim.Lab) -> None:
    before = lab.attacker.steal("ci-runner", by="wiretap")
    lab.attacker.replay(before[0], by="request_as_is", against="deploy")
    lab.bind("ci-runner", "dpop")
    loot = lab.attacker.steal("ci-runner", by="wiretap")
    lab.attacker.replay(loot[0], against="deploy", predicted=None)
    assert "DPoP" not in lab.attacker.chart().alt
    lab.attacker.replay(loot[0], against="deploy", predicted=None, reveal=True)
    assert "0 of 24" in lab.attacker.chart().alt


def test_what_does_not_exist_is_answered_with_what_does(lab: labsim.Lab) -> None:
    loot = lab.attacker.steal("ci-runner", by="log_line")
    lab.attacker.replay(loot[0], by="token_as_is")
    with pytest.raises(LabError, match="There are: token_as_is"):
        lab.attacker.show("own_proof")
    with pytest.raises(LabError, match="numbered from 1 to 2"):
        lab.attacker.beside(9, "")
    with pytest.raises(LabError, match="request_id"):
        lab.attacker.beside(1, "nobody's")


def test_an_attempt_says_where_the_key_lay_when_its_loot_was_taken(lab: labsim.Lab) -> None:
    loot = lab.attacker.steal("ci-runner", by="log_line")
    lab.bind("ci-runner", "dpop", custody="memory")
    rows = lab.attacker.replay(loot[0], by="token_as_is", against="deploy")
    assert list(rows[["binding", "custody"]].iloc[0]) == ["bearer", "none"]
