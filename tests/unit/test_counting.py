"""Exercises whose answers are numbers or servers: read, judged, and told why."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from labsim.blast.predicted import Predictor, predicted
from labsim.estate import plan as plans
from labsim.exercises import blast_radius as ex
from labsim.exercises import counted, late, progress, rolled_out
from labsim.exercises.counting import Waiting
from labsim.exercises.exercise import Outcome

PLAN = plans.load(None)


@pytest.fixture(autouse=True)
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write progress here, not into the user's folder."""
    monkeypatch.setenv(progress.VARIABLE, str(tmp_path / "progress.jsonl"))


def test_the_numbers_that_count_as_right_are_those_that_are_computed() -> None:
    expected = {name: counted.computed(PLAN, case) for name, case in counted.CASES.items()}
    assert ex.how_far_today.reference == expected
    assert late.left_within_reach(PLAN) == int(ex.what_stays_open.reference)


def test_a_case_by_a_secret_is_computed_as_the_plain_prediction_is() -> None:
    for case in (counted.CASES | counted.MORE).values():
        if case.authentication == counted.SECRET:
            of = predicted(PLAN, case.client, case.theft, case.binding, case.custody)
            assert counted.computed(PLAN, case) == len(of.records)


@pytest.mark.parametrize(
    "answer", [110, {"log_line_dpop": 0}, ex.how_far_today.reference | {"backup_dpop": "110"}]
)
def test_what_is_no_number_for_each_case_is_unreadable(answer: Any) -> None:
    verdict = ex.how_far_today.check(answer)
    assert verdict.outcome is Outcome.UNREADABLE
    assert "backup_dpop" in verdict.says


def test_a_wrong_number_without_a_word_of_its_own_is_told_where_to_look() -> None:
    verdict = ex.how_far_today.check(ex.how_far_today.reference | {"backup_certificate": 12})
    assert verdict.outcome is Outcome.FAILED
    assert verdict.says.startswith("backup_certificate: list what lies in the folder")


def test_a_single_number_may_come_with_quotes_or_without() -> None:
    assert ex.what_stays_open.check(86).outcome is Outcome.PASSED
    assert ex.what_stays_open.check("86").outcome is Outcome.PASSED
    assert ex.what_stays_open.check(24).outcome is Outcome.FAILED
    assert ex.what_stays_open.check(87).outcome is Outcome.UNREADABLE


def test_two_servers_are_right_only_where_no_other_two_leave_less() -> None:
    predictor = Predictor(PLAN)
    least = min(rolled_out.still_open(predictor, t) for t in combinations(PLAN.resources, 2))
    for two in combinations(PLAN.resources, 2):
        verdict = ex.two_first.check(list(two))
        passed = rolled_out.still_open(predictor, two) == least
        assert (verdict.outcome is Outcome.PASSED) == passed
        assert passed or "takes any token yet" in verdict.says


@pytest.mark.parametrize(
    "answer",
    ["crm", ["crm"], ["crm", "crm"], ["crm", 3], ["crm", ["vault"]], ["crm", "vault", "collab"]],
)
def test_what_is_no_list_of_two_servers_is_unreadable(answer: Any) -> None:
    verdict = ex.two_first.check(answer)
    assert verdict.outcome is Outcome.UNREADABLE
    assert "orders, payments, crm" in verdict.says


def test_a_result_that_waits_says_for_what() -> None:
    assert repr(Waiting("Answer above.")) == "Answer above."
    assert "Not shown yet" in Waiting("Answer above.")._repr_html_()
