"""The catalogue (`labsim/catalogue/`) in process: each vector between two good requests."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from labsim.attacker import wire_error
from labsim.catalogue.good_request import CannotBeMade
from labsim.catalogue.listed import catalogue, sections
from labsim.catalogue.running import Verdict, run_vector
from labsim.catalogue.stage import Stage, asks_nonces
from labsim.catalogue.vector import Section, Vector
from labsim.commands._checkout import ROOT
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Outcome, Request
from tests.exchange import assert_challenged

ALGORITHMS = {"http_signature": ("ES256", "Ed25519"), "dpop": ("ES256", "Ed25519")}
CASES = [
    pytest.param(vector, algorithm, id=f"{vector.name} {algorithm}")
    for vector in catalogue()
    for algorithm in ALGORITHMS.get(vector.binding, ("ES256",))
]


ONE_KEY_ONLY = {
    *((id, "Ed25519") for id in ("DH-26", "DH-26b", "DR-05", "DR-05b", "HS-15c", "HS-15h")),
    ("PC-13", "ES256"),
}
"""Rows about what keys of one kind do not have: another form, a point, an older name."""


class Recording:
    """Send to a stage, and keep the event of each answer."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sent: list[tuple[Outcome, dict[str, Any]]] = []

    def __call__(self, request: Request) -> Outcome:
        outcome = self.stage.send(request)
        self.sent.append((outcome, self.stage.event))
        return outcome

    def event(self, outcome: Outcome) -> dict[str, Any]:
        return next(event for sent, event in self.sent if sent is outcome)


@pytest.mark.parametrize(("vector", "algorithm"), CASES)
def test_a_vector_is_answered_as_it_says(vector: Vector, algorithm: str) -> None:
    """Status class and code are two assertions, and the server's own event is a third."""
    stage = Stage(InProcessReplayMemory, asks_nonces=asks_nonces(vector))
    send = Recording(stage)
    result = run_vector(vector, lambda: stage.good_for(vector, algorithm), send, stage.means)
    if result.verdict is Verdict.NOT_APPLICABLE:
        assert (vector.id, algorithm) in ONE_KEY_ONLY, result.why
        return
    assert result.outcome is not None
    response = result.outcome.response
    assert response is not None
    event = send.event(result.outcome)
    if vector.refusal is None:
        assert (result.verdict, event["check"]) == (Verdict.ACCEPTED, "")
        return
    refusal = vector.refusal
    assert result.verdict is Verdict.REFUSED, result.why
    assert response.status // 100 == refusal.status_class
    assert response.status == refusal.status
    assert wire_error(response) == refusal.error
    assert (event["reason"], event["check"]) == (refusal.reason.name, refusal.check)
    assert event["source"]
    if vector.actor == "RS":
        for scheme in refusal.on or (stage.bindings[vector.binding].scheme,):
            assert_challenged(response, scheme, refusal.error)


def test_no_two_vectors_have_one_name() -> None:
    counted = Counter(vector.name for vector in catalogue())
    assert [name for name, count in counted.items() if count > 1] == []


def test_an_id_belongs_to_one_section() -> None:
    found = {(vector.id, section.name) for section in sections() for vector in section.vectors}
    assert len({id for id, _ in found}) == len(found)


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
def test_a_vector_says_where_it_comes_from_and_changes_something(section: Section) -> None:
    stages = [Stage(InProcessReplayMemory, asks_nonces=asks) for asks in (False, True)]
    for vector in section.vectors:
        assert re.search(r" (section|appendix) |^FIPS", vector.source), vector.name
        assert vector.gain or not vector.must_be_refused, vector.name
        good = stages[asks_nonces(vector)].good_for(vector)
        try:
            changed = vector.change(good)
        except CannotBeMade:
            assert (vector.id, "ES256") in ONE_KEY_ONLY
        else:
            is_again = vector.before or vector.at_once > 1
            assert changed != good.request or is_again or vector.id == "PC-01", vector.name


def test_what_is_proven_elsewhere_is_a_file_and_the_rest_says_why() -> None:
    for section in sections():
        for row in section.elsewhere:
            assert row.why
            assert not row.proven or (ROOT / row.proven).is_file(), row
