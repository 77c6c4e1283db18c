"""Checks as data."""

from __future__ import annotations

import pytest

from labsim.checks import Check, StorageUnavailable, run_checks, without
from labsim.rejection import Reason, Rejected


def is_positive(number: int, _evidence: object) -> bool:
    return number > 0


def is_even(number: int, _evidence: object) -> bool:
    return number % 2 == 0


CHECKS = (
    Check(is_positive, Reason.TOKEN_MALFORMED, "section 1"),
    Check(is_even, Reason.TOKEN_EXPIRED, "section 2"),
)


def test_a_check_is_called_as_its_test_is() -> None:
    assert [check.name for check in CHECKS] == ["is_positive", "is_even"]


def test_what_is_true_passes() -> None:
    run_checks(CHECKS, 2, None)
    run_checks((), -1, None)


@pytest.mark.parametrize(
    ("number", "name"), [(-2, "is_positive"), (-1, "is_positive"), (1, "is_even")]
)
def test_the_first_that_fails_is_named(number: int, name: str) -> None:
    with pytest.raises(Rejected) as refused:
        run_checks(CHECKS, number, None)
    check = {check.name: check for check in CHECKS}[name]
    assert (refused.value.check, refused.value.reason) == (name, check.reason)
    assert refused.value.source == check.source


def test_a_check_can_be_taken_out_by_name() -> None:
    assert without(CHECKS, frozenset({"is_even"})) == CHECKS[:1]
    assert without(CHECKS, frozenset()) == CHECKS


def test_a_store_that_cannot_answer_is_a_refusal() -> None:
    error = StorageUnavailable("locked")
    assert isinstance(error, Rejected)
    assert (error.reason.status, error.detail) == (503, "locked")
