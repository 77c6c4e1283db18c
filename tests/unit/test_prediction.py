"""A result is sealed until it was predicted, and then says what was predicted and what happened."""

from __future__ import annotations

import pytest

from labsim.blast.measured import attempts_frame
from labsim.errors import LabError
from labsim.prediction import Prediction, Sealed, is_missing, readable

REFUSED = {"outcome": "rejected", "check": "jti_is_new", "status": 401}
SERVED = {"outcome": "served", "status": 200, "records": 12}
NOT_BUILT = {"outcome": "not_possible", "reason": "this loot holds no key"}


def row(number: int, replay: str, resource: str = "deploy", **more: object) -> dict[str, object]:
    return {
        "attempt": number, "replay": replay, "resource": resource, "records": 0, "seconds": 0, **more,
    }  # fmt: skip


ROWS = attempts_frame(
    [
        row(1, "request_as_is", **REFUSED),
        row(2, "stolen_key", **NOT_BUILT),
        row(3, "token_as_is", **SERVED),
    ]
)
ONE_REPLAY = attempts_frame(
    [row(1, "token_as_is", **SERVED), row(2, "token_as_is", "vault", **REFUSED)]
)


@pytest.mark.parametrize("nothing", [None, ..., "", {}, {"token_as_is": None}])
def test_without_a_prediction_it_gives_nothing_away(nothing: object) -> None:
    result = Prediction(ROWS, nothing)
    assert result.sealed
    for shown in (repr(result), result._repr_html_()):
        assert "reveal=True" in shown
        assert "served" not in shown
        assert "jti_is_new" not in shown
    with pytest.raises(LabError, match="sealed"):
        result.rows()
    assert list(result.frame["outcome"]) == ["rejected", "not_possible", "served"]


def test_with_a_prediction_it_says_what_was_predicted_and_what_happened() -> None:
    result = Prediction(ROWS, {"token_as_is": "served", "request_as_is": "iat_is_recent"})
    assert not result.sealed
    assert result.headline == "You predicted 2; 1 happened as you said."
    first, second, third = result.rows()
    assert first["replay"] == "request_as_is"
    assert first["happened"] == "rejected by jti_is_new"
    assert (first["predicted"], first["as predicted"]) == ("iat_is_recent", "no")
    assert (second["as predicted"], second["records"]) == ("yes", "12")
    assert third["happened"] == "not possible: this loot holds no key"
    assert third["predicted"] == ""
    assert "<table" in result._repr_html_()


def test_with_reveal_it_says_that_nothing_was_predicted() -> None:
    result = Prediction(ROWS, None, reveal=True)
    assert result.headline == "What happened; nothing was predicted."
    assert "jti_is_new" in repr(result)


def test_one_replay_at_several_servers_is_predicted_by_server() -> None:
    result = Prediction(ONE_REPLAY, {"deploy": "served", "vault": "jti_is_new"})
    assert result.by == "resource"
    assert result.headline == "You predicted 2; 2 happened as you said."


def test_a_single_attempt_takes_a_single_word() -> None:
    assert (
        Prediction(ROWS.iloc[2:], "served").headline == "You predicted 1; 1 happened as you said."
    )


@pytest.mark.parametrize(
    ("predicted", "says"),
    [
        ({"token_as_is": "rejected"}, "Name the check"),
        ({"token_as_is": "refused"}, "served, not_possible"),
        ({"token_as_is": 3}, "served, not_possible"),
        ({"nowhere": "served"}, "request_as_is, stolen_key, token_as_is"),
        ("served", "There are: request_as_is, stolen_key, token_as_is"),
        (["served"], "Give a word for each replay, as"),
    ],
)
def test_a_prediction_that_cannot_be_read_stays_sealed_and_says_what_can(
    predicted: object, says: str
) -> None:
    result = Prediction(ROWS, predicted)
    assert result.sealed
    assert says in repr(result)
    assert "jti_is_new. " not in repr(Prediction(ROWS, predicted)).partition("The words")[0]
    assert not Prediction(ROWS, predicted, reveal=True).sealed


def test_the_words_are_endings_and_the_names_of_checks_each_once() -> None:
    words = readable()
    assert {"served", "proof_is_there", "audience_is_this_resource", "jti_is_new"} <= set(words)
    assert {"refused_by_tls", "certificate_is_shown", "signature_is_there"} <= set(words)
    assert len(set(words)) == len(words)


def test_an_empty_answer_is_missing_and_a_partial_one_is_not() -> None:
    assert is_missing({"a": None, "b": ...})
    assert not is_missing({"a": None, "b": "served"})
    assert not is_missing(0)


def test_what_would_give_it_away_is_sealed_too() -> None:
    sealed = Sealed("Attempt 3")
    assert repr(sealed) == "Attempt 3 is sealed, until the result above was predicted."
    assert "Attempt 3" in sealed._repr_html_()


def test_nothing_to_predict_is_no_fault_of_pythons() -> None:
    assert "cannot be read" in repr(Prediction(ROWS.head(0), "served"))
