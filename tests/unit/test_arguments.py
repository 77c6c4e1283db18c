"""Numbers that a person passes, and the word about what is none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import labsim
from labsim.arguments import idle_seconds, is_number_of, lab_seconds, number, request_id
from labsim.errors import LabError

NONE = ["x", "1", None, [1], {}, True, float("nan"), float("inf"), 10**400, 1j, object()]


@pytest.mark.parametrize("value", [1, 1.0, Fraction(1), np.int64(1), np.float32(1)])
def test_whatever_is_a_number_is_one(value: object) -> None:
    assert number("days", value, "") == 1.0
    assert lab_seconds((), days=value, hours=value, seconds=value) == 90001.0
    assert idle_seconds(value) == 60.0


@pytest.mark.parametrize("value", NONE, ids=lambda value: str(value)[:8])
def test_what_is_no_number_is_named(value: object) -> None:
    with pytest.raises(LabError, match=r"^hours must be a number, and not .*not advanced"):
        lab_seconds((), days=1, hours=value)
    if value is not None:
        with pytest.raises(LabError, match="idle_minutes must be a number"):
            idle_seconds(value)


@pytest.mark.parametrize("value", [[1], {}, ([],), None, 1, b"x"], ids=str)
def test_what_is_no_text_is_no_request_id(value: object) -> None:
    with pytest.raises(LabError, match=r"is no Request-Id\. Nothing was looked up"):
        request_id(value)
    assert (request_id(""), request_id("r-1")) == ("", "r-1")


def test_a_number_that_is_known_is_one_whatever_its_type() -> None:
    known = {1: "a", 2: "b"}
    assert all(is_number_of(one, known) for one in (1, 1.0, np.int64(2)))
    assert not any(is_number_of(none, known) for none in ([1], {}, ([],), None, "1", 3, 1j))


def test_a_number_without_its_unit_is_refused() -> None:
    with pytest.raises(LabError, match=r"^'x' has no unit.*lab\.advance\(days=90\)"):
        lab_seconds(("x",), days=0)
    with pytest.raises(LabError, match=r"^90 has no unit"):
        lab_seconds((90,), days=0)


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_lab_cannot_be_idle_for_less_than_no_time(minutes: float) -> None:
    with pytest.raises(LabError, match=rf"above 0, and not {minutes}\. Nothing was started"):
        idle_seconds(minutes)
    assert idle_seconds(None) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"estate": 3}, "3 is no estate file"),
        ({"clients": 3}, "3 is no list of clients"),
        ({"clients": "clients.json"}, "'clients.json' is no list of clients"),
        ({"clients": {"client_id": "a"}}, "is no list of clients"),
        ({"clients": [{"client_id": "a"}, 3]}, "Client 2 of the file .*: 3 is no table"),
        ({"idle_minutes": "x"}, "idle_minutes must be a number, and not 'x'"),
        ({"replay_memory": 3}, "no replay memory called 3"),
    ],
)
def test_a_lab_is_not_started_with_what_it_cannot_use(wrong: Any, said: str) -> None:
    with pytest.raises(LabError, match=said):
        labsim.start(quiet=True, **wrong)
