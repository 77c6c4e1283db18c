"""Attempts to look at, on real processes: the holder's own request beside it, and the diagram."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.charts.sequence import Message, Sequence
from labsim.prediction import Sealed


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def drawn(looked: Sequence | Sealed) -> Sequence:
    assert isinstance(looked, Sequence)
    return looked


def test_the_thiefs_proof_stands_beside_the_holders(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "dpop")
    haul = lab.attacker.steal("ci-runner", by="wiretap")
    table = lab.attacker.replay(haul[0], against="deploy", by=["own_proof", "token_as_is"])
    text = repr(table.attempt("own_proof").show())
    assert "Beside the holder's own request (served (200))" in text
    assert "proof: jwk: the key " in text
    assert "proof_key_is_the_bound_one" in text
    assert text == repr(lab.attacker.show("own_proof")) == repr(table.attempt(0).show())
    lacking = repr(table.attempt("token_as_is").show())
    assert "proof: jwk: the key " in lacking
    assert "GET /records, with token and a proof by another key" in str(
        table.attempt("own_proof").diagram()
    )


def test_each_request_of_an_attempt_is_in_its_diagram(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "dpop")
    haul = lab.attacker.steal("ci-runner", by="container_files")
    lab.require_nonce()
    try:
        table = lab.attacker.replay(haul[0], against="deploy", by="new_token_for_own_key")
    finally:
        lab.require_nonce(on=False)
    steps = drawn(table.attempt().diagram()).steps
    sent = [s.receiver for s in steps if isinstance(s, Message) and s.sender == "attacker"]
    # The first request at each server is answered with a nonce.
    assert sent == ["authorization server"] * 2 + ["deploy"] * 2


def test_a_request_that_was_held_back_ends_in_its_owners_refusal(lab: labsim.Lab) -> None:
    lab.bind("ci-runner", "dpop")
    lab.vary("unspent")
    try:
        haul = lab.attacker.steal("ci-runner", by="wiretap", at="deploy")
        table = lab.attacker.replay(haul[0], against="deploy", by="hold_and_forward")
    finally:
        lab.vary("base")
    assert "(held back)" in repr(table.attempt().show())
    assert "Not one byte differs." in repr(table.attempt().show())
    last = drawn(table.attempt().diagram()).steps[-1]
    assert isinstance(last, Message)
    assert (last.receiver, last.kind) == ("ci-runner", "refused")


def test_what_is_sealed_is_not_drawn(lab: labsim.Lab) -> None:
    haul = lab.attacker.steal("ops-console", by="log_line")
    prediction = lab.attacker.replay(haul[0], by="token_as_is", predicted=None)
    assert isinstance(prediction.attempt().show(), Sealed)
    assert isinstance(prediction.attempt().diagram(), Sealed)
    opened = lab.attacker.replay(haul[0], by="token_as_is", predicted="served")
    assert "records" in str(drawn(opened.attempt().diagram()))
