"""What the whole catalogue of negative tests costs: in process, and over TLS to a live lab."""

from __future__ import annotations

from functools import partial

from benchmarks._measuring import figure, seconds
from labsim.catalogue.listed import catalogue
from labsim.catalogue.running import Result, Verdict, run_vector
from labsim.catalogue.stage import Stage, asks_nonces
from labsim.commands.bench import Figure
from labsim.errors import LabError
from labsim.estate.replay_memory import InProcessReplayMemory
from labsim.probing.own_lab import started

TITLE = "The catalogue: every vector between two good requests"
IN_PROCESS, OVER_TLS = 5.0, 60.0
"""Seconds, on two cores with nothing else to do."""


def measure(quick: bool) -> list[Figure]:
    """Run every vector, with its two controls; LabError if one is not answered as it says."""
    rounds = 1 if quick else 3
    count = len(catalogue())
    return [
        figure(
            f"{count} vectors in process",
            [seconds(_in_process) for _ in range(rounds)],
            "s",
            target=IN_PROCESS,
        ),
        figure(
            f"{count} vectors over TLS",
            [seconds(_over_tls) for _ in range(rounds)],
            "s",
            target=OVER_TLS,
        ),
    ]


def _in_process() -> None:
    stages = {asks: Stage(InProcessReplayMemory, asks_nonces=asks) for asks in (False, True)}
    for vector in catalogue():
        stage = stages[asks_nonces(vector)]
        good_for = partial(stage.good_for, vector)
        _must_be_expected(run_vector(vector, good_for, stage.send, stage.means))


def _over_tls() -> None:
    with started() as own:
        asked = False
        for vector in sorted(catalogue(), key=asks_nonces):
            if asks_nonces(vector) and not asked:
                own.ask_for_nonces()
                asked = True
            _must_be_expected(
                run_vector(vector, lambda v=vector: own.good_for(v), own.send, own.means)
            )  # type: ignore[misc]


def _must_be_expected(result: Result) -> None:
    if not result.is_expected and result.verdict is not Verdict.NOT_APPLICABLE:
        raise LabError(
            f"{result.vector.name} was {result.verdict}: {result.why}",
            "The measurement ended there.",
            "Run tests/vectors/test_catalogue.py.",
        )
