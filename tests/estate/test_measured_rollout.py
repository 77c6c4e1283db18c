"""A roll-out in a running lab: what is still open while some servers enforce is as predicted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.blast.predicted import Predictor
from labsim.blast.rollout import most_first
from labsim.measuring.rollout import MEASURED_DTYPES, differences, measure


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_what_is_open_is_predicted_for_each_share_of_servers(lab: labsim.Lab, binding: str) -> None:
    order = None if binding == "dpop" else most_first(Predictor(lab.plan))
    frame = measure(lab, binding, order, "an order")
    assert dict(frame.dtypes.astype(str)) == MEASURED_DTYPES
    assert differences(frame) == []
    servers = len(lab.plan.resources)
    assert list(frame["enforcing"]) == list(range(servers + 1))
    every = sum(len(resource.records) for resource in lab.plan.resources.values())
    assert (frame["records"].iloc[0], frame["records"].iloc[-1]) == (every, 0)
    assert set(frame["order"]) == {"an order"}
    assert (frame["attempts"] > 0).all()
    assert {lab.estate.verifier(name) for name in lab.plan.resources} == {"full"}


def test_a_bearer_token_minds_no_server_that_enforces(lab: labsim.Lab) -> None:
    frame = measure(lab, "bearer")
    assert set(frame["records"]) == {frame["of"].iloc[0]}
    assert len(differences(frame)) == len(lab.plan.resources), "it was predicted for bound ones"
