"""Putting a weakened role right again, where one of its processes cannot be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.estate.plan import load
from labsim.estate.weakening import weakened


class Replica:
    """Stand for a process; it takes what it is told, but for what it `refuses`."""

    alive = True

    def __init__(self, refuses: str | None = None) -> None:
        self.refuses, self.preset = refuses, ""

    def call(self, _operation: str, preset: str, called: str) -> None:
        if preset == self.refuses:
            raise LabError(f"It did not answer to {called!r}.")
        self.preset = preset


def estate(*replicas: Replica) -> Any:
    plan = load(None)
    return SimpleNamespace(
        plan=plan,
        urls=dict.fromkeys(plan.resources, ""),
        weakening=None,
        servers=lambda _: replicas,
    )


def test_both_are_weakened_and_put_right() -> None:
    one, two = Replica(), Replica()
    lab = estate(one, two)
    with weakened(lab, "orders", "no_replay_store"):
        assert (one.preset, two.preset) == ("no_replay_store", "no_replay_store")
    assert (one.preset, two.preset, lab.weakening) == ("", "", None)


@pytest.mark.parametrize("first", [True, False])
def test_one_that_cannot_be_put_right_stops_no_other_and_stays_loud(first: bool) -> None:
    stuck, other = Replica(refuses=""), Replica()
    lab = estate(*((stuck, other) if first else (other, stuck)))
    with (
        pytest.raises(LabError, match="did not answer"),
        weakened(lab, "orders", "no_replay_store"),
    ):
        assert other.preset == "no_replay_store"
    assert other.preset == ""
    assert stuck.preset == "no_replay_store"
    assert "no_replay_store" in str(lab.weakening)
    with pytest.raises(LabError, match="weakened already"), weakened(lab, "crm", "no_replay_store"):
        pytest.fail("it was weakened twice")


def test_one_that_cannot_be_weakened_leaves_the_other_good() -> None:
    one, stuck = Replica(), Replica(refuses="no_replay_store")
    lab = estate(one, stuck)
    with (
        pytest.raises(LabError, match="did not answer"),
        weakened(lab, "orders", "no_replay_store"),
    ):
        pytest.fail("it was weakened")
    assert (one.preset, stuck.preset, lab.weakening) == ("", "", None)
