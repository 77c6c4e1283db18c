"""Section 1 of the catalogue: what a token that was asked for with a good proof is bound to."""

from __future__ import annotations

import pytest

from labsim.catalogue.listed import sections
from labsim.catalogue.running import Verdict, run_between
from labsim.catalogue.stage import Stage
from labsim.catalogue.vector import Actor, Vector
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.jose import parse_compact

CONTROLS = [v for v in sections()[0].vectors if v.actor is Actor.AS]


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
@pytest.mark.parametrize("vector", CONTROLS, ids=lambda vector: vector.name)
def test_a_token_is_bound_to_the_key_of_the_proof(vector: Vector, algorithm: str) -> None:
    stage = Stage(InProcessReplayMemory)
    good = stage.good_for(vector, algorithm)
    result = run_between(vector, lambda: good, stage.send)
    if result.verdict is Verdict.NOT_APPLICABLE:
        assert vector.id in ("PC-04", "PC-13")
        return
    assert result.outcome is not None
    assert result.outcome.response is not None
    body = result.outcome.response.json()
    assert body["token_type"].lower() == "dpop"
    bound = good.binding.bind(good.binding.parse(good.request))
    assert parse_compact(body["access_token"]).payload["cnf"] == bound
