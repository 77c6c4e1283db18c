"""What notebook 06 says of steps against a thief, and of one key for both, on the real lab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import labsim
from labsim.exercises import custody
from labsim.exercises.lock_out import Course, left_after, respond
from labsim.exercises.one_key import copy_each
from tests.unit.test_lock_out import ORDERS

CLIENT = "ci-runner"


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def measured(course: Course) -> list[tuple[bool, bool, bool]]:
    return [
        (
            row["signs in place"] == "yes",
            row["gets new tokens"] == "yes",
            row["tokens still good"] != "0",
        )
        for row in course.rows
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_what_is_worked_out_for_an_order_is_what_happens(
    lab: labsim.Lab, order: tuple[str, ...]
) -> None:
    assert measured(respond(lab, list(order))) == [tuple(each) for each in left_after(order)]


@pytest.mark.parametrize("steps", [None, ..., [], "evict", [["evict"]], ["run away"]])
def test_without_steps_none_is_taken(lab: labsim.Lab, steps: object) -> None:
    assert len(respond(lab, steps).rows) == 1


def test_only_where_both_keys_are_one_at_the_signer_do_its_files_open_nothing(
    lab: labsim.Lab,
) -> None:
    lab.reset()
    sealed = copy_each(lab, predicted=None)
    assert sealed.sealed
    assert lab.attacker.sealed == {1, 2, 3}
    opened = copy_each(lab, predicted=custody.one_key.reference)
    assert [row["as predicted"] for row in opened.rows()] == ["yes"] * 3
    assert lab.attacker.sealed == set()
