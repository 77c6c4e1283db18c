"""Section 5 of the catalogue: the edges of the window, on a clock that stands."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.rejection import Reason
from tests.exchange import BOTH, STATUS, assert_refused, assert_served, good_request, with_proof
from tests.jws import Change
from tests.wiring import Lab

NOW = 1_800_000_000
each_server = pytest.mark.parametrize("actor", BOTH)


def claims(lab: Lab, actor: str, **changes: Any) -> Any:
    return with_proof(lab, good_request(lab, actor), Change(claims=changes))


@each_server
@pytest.mark.parametrize("side", [-1, 1])
def test_the_window_is_sixty_seconds_on_either_side(lab: Lab, actor: str, side: int) -> None:
    """DT-13: policy, see docs/policy.md."""
    assert lab.clock() == NOW
    assert_served(lab, claims(lab, actor, iat=NOW + 60 * side))
    refusal = {"reason": Reason.PROOF_OUTSIDE_WINDOW, "check": "iat_is_recent"}
    bad = claims(lab, actor, iat=NOW + 61 * side)
    assert_refused(lab, bad, status=STATUS[actor], error="invalid_dpop_proof", **refusal)
