"""Each check is taken out, and the whole catalogue is sent again: its own rows get in, no other."""

from __future__ import annotations

import pytest

from labsim.catalogue.ablation import ASSERTION, TOKEN, ablate, naming, removable, weakened_stage
from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Verdict, run_between
from labsim.catalogue.stage import asks_nonces
from labsim.catalogue.vector import Vector
from labsim.checks import Check
from labsim.commands._checkout import ROOT
from labsim.estate.replay_memory import InProcessReplayMemory

CASES = [pytest.param(of, check, id=f"{of} {check.name}") for of, check in removable()]
NEEDS_MORE_THAN_A_STAGE = {
    (TOKEN, "token_is_not_revoked"): "tests/vectors/test_11_revocation.py",
    ("mtls", "certificate_is_not_revoked"): "tests/vectors/test_9_self_signed_and_revoked.py",
}
"""Checks that no change of one good request can show at work, as nothing is revoked on a stage."""


def served(vector: Vector, stage) -> bool:
    result = run_between(vector, lambda: stage.good_for(vector), stage.send)
    return result.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(("of", "check"), CASES)
def test_without_a_check_its_rows_get_in_and_no_other(of: str, check: Check) -> None:
    stages = {
        on: weakened_stage(of, check, InProcessReplayMemory, nonces=on) for on in (False, True)
    }
    rows = catalogue(None if of in (TOKEN, ASSERTION) else of)
    got_in = {v.name for v in rows if v.refusal and served(v, stages[asks_nonces(v)])}
    ours = ablate(of, check, InProcessReplayMemory)
    assert got_in == {vector.name for vector in ours.alone}
    assert got_in <= {vector.name for vector in naming(of, check)}


@pytest.mark.parametrize(("of", "check"), CASES)
def test_a_check_is_needed_by_a_row_or_it_is_said_why_not(of: str, check: Check) -> None:
    alone = ablate(of, check, InProcessReplayMemory).alone
    elsewhere = NEEDS_MORE_THAN_A_STAGE.get((of, check.name))
    assert bool(alone) == (elsewhere is None)
    assert elsewhere is None or check.name in (ROOT / elsewhere).read_text(encoding="utf-8")
