"""The steps that lock a thief out: one order of all three, and why each other one does not."""

from __future__ import annotations

from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest

from labsim.errors import LabError
from labsim.exercises import custody
from labsim.exercises.exercise import Outcome
from labsim.exercises.lock_out import STEPS, Course, Left, fault, left_after

RIGHT = ("evict", "rotate", "revoke")
ORDERS = [order for count in range(4) for order in permutations(STEPS, count)]


@pytest.mark.parametrize("order", ORDERS)
def test_one_order_leaves_nothing_and_every_other_one_is_told_why(order: tuple[str, ...]) -> None:
    left = left_after(order)
    assert len(left) == len(order) + 1
    assert left[0] == Left(code=True, secret=True, tokens=True)
    assert (fault(order) == "") == (order == RIGHT) == (not any(left[-1]))


def test_each_step_ends_one_thing_if_nothing_brings_it_back() -> None:
    assert left_after(RIGHT)[1:] == (
        Left(code=False, secret=True, tokens=True),
        Left(code=False, secret=False, tokens=True),
        Left(code=False, secret=False, tokens=False),
    )


def test_more_steps_than_needed_do_no_harm() -> None:
    assert fault(["revoke", *RIGHT, "evict"]) == ""


@pytest.mark.parametrize("answer", ["evict", ["evict", "run away"], {"evict"}, 3])
def test_what_is_no_list_of_steps_is_unreadable(answer: object) -> None:
    verdict = custody.lock_out.check(answer)
    assert verdict.outcome is Outcome.UNREADABLE
    assert "evict, revoke, rotate" in verdict.says


def test_no_steps_are_no_attempt() -> None:
    assert custody.lock_out.check([]).outcome is Outcome.NOT_ATTEMPTED


def test_a_course_says_whether_anything_is_left() -> None:
    names = ("after", "signs in place", "gets new tokens", "tokens still good")
    first = dict(zip(names, ("nothing yet", "yes", "yes", "3"), strict=True))
    last = dict(zip(names, ("revoke", "no", "no", "0"), strict=True))
    assert "this is what the thief has" in repr(Course((first,)))
    assert "the thief has nothing left" in repr(Course((first, last)))
    assert "still has something" in repr(Course((first, last | {"tokens still good": "1"})))
    assert "<table" in Course((first, last))._repr_html_()


def attempt(**row: Any) -> Any:
    base = {"attempt": 7, "binding": "dpop", "resource": "deploy", "check": "", "seconds": 0}
    return SimpleNamespace(attacker=SimpleNamespace(rows=[base | row]))


@pytest.mark.parametrize(
    ("replay", "where", "true", "false"),
    [
        ("stolen_key", "signer", "not_possible", "served"),
        ("stolen_key", "memory", "served", "unreachable"),
        ("signed_in_place", "signer", "unreachable", "refused_by_tls"),
    ],
)
def test_the_claim_is_silent_while_it_is_true(
    replay: str, where: str, true: str, false: str
) -> None:
    custody.claim(attempt(replay=replay, custody=where, outcome=true))
    with pytest.raises(LabError, match="Attempt 7"):
        custody.claim(attempt(replay=replay, custody=where, outcome=false))
