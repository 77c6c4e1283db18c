"""Blocks of rows between two good requests: what a refusal counts when one is not served."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Verdict
from labsim.catalogue.stage import Stage
from labsim.catalogue.vector import Actor, Force, Vector
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.http_message import Outcome, Request, Response
from labsim.probing.probe import BlockResult, blocks, run, without_memory

ROWS = [v for v in catalogue("dpop", Actor.RS) if v.id in ("DB-06", "DB-12", "DB-13")]


def probed(
    change: Callable[[int, Outcome], Outcome], rows: list[Vector] = ROWS, weakened: bool = False
) -> tuple[list[BlockResult], int]:
    """Probe a stage whose n-th answer is changed; return the results and how many were sent."""
    stage, sent = Stage(InProcessReplayMemory), list[Request]()
    if weakened:
        stage.weaken("dpop", "proof_key_is_the_bound_one")

    def send(request: Request) -> Outcome:
        sent.append(request)
        return change(len(sent), stage.send(request))

    return run(blocks(rows), stage.good_for, send), len(sent)


def verdicts(found: list[BlockResult]) -> dict[str, Verdict]:
    return {r.vector.id: r.verdict for block in found for r in block.results}


def as_it_is(_number: int, outcome: Outcome) -> Outcome:
    return outcome


def failing_at(number: int) -> Callable[[int, Outcome], Outcome]:
    def change(at: int, outcome: Outcome) -> Outcome:
        assert outcome.request is not None
        return Outcome.answered(outcome.request, Response(401)) if at == number else outcome

    return change


def test_a_block_is_its_rows_and_two_good_requests() -> None:
    found, sent = probed(as_it_is)
    assert (set(verdicts(found).values()), sent) == ({Verdict.REFUSED}, len(ROWS) + 2)
    assert [block.failed_control for block in found] == [""]


def test_without_a_good_request_no_row_is_sent() -> None:
    found, sent = probed(failing_at(1))
    assert (set(verdicts(found).values()), sent) == ({Verdict.INCONCLUSIVE}, 1)
    assert [block.failed_control for block in found] == ["status 401"]


def test_without_the_last_one_only_what_was_accepted_counts() -> None:
    found, _ = probed(failing_at(len(ROWS) + 2), weakened=True)
    assert verdicts(found) == {
        "DB-06": Verdict.ACCEPTED,
        "DB-12": Verdict.INCONCLUSIVE,
        "DB-13": Verdict.INCONCLUSIVE,
    }


@pytest.mark.parametrize("number", [1, 2])
def test_a_demand_for_a_nonce_is_answered_once(number: int) -> None:
    """A refusal for want of a nonce says nothing of the row."""

    def change(at: int, outcome: Outcome) -> Outcome:
        assert outcome.request is not None
        asks = Response(401, (("WWW-Authenticate", 'DPoP error="use_dpop_nonce"'),))
        return Outcome.answered(outcome.request, asks) if at == number else outcome

    found, sent = probed(change, weakened=True)
    assert verdicts(found)["DB-06"] is Verdict.ACCEPTED
    assert sent == len(ROWS) + 3


def test_a_server_without_a_memory_is_not_held_to_one() -> None:
    replays = [v for v in catalogue("dpop", Actor.RS) if v.force is Force.MUST_STRICT]
    assert {v.id for v in replays} >= {"DR-01", "DR-02"}
    assert not any(v.must_be_refused for v in without_memory(replays))
    assert without_memory(ROWS) == ROWS
