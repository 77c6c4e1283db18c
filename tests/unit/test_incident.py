"""Incidents: what is predicted beside what was measured, and where the two are not the same."""

from __future__ import annotations

import pytest

from labsim.blast.incident import (
    COURSE_DTYPES,
    FOLLOWED_DTYPES,
    Incident,
    Tried,
    courses,
    differences,
    followed,
)
from labsim.blast.means import Case, Countermeasures
from labsim.blast.predicted import Predictor
from labsim.errors import LabError
from tests.unit.small_plans import client, plan_of, resource

CASE = Case("web", "log_line", "bearer", "none")
REVOKED = Incident(
    name="revoked",
    title="Tokens are revoked",
    cases=(CASE,),
    moments=(0, 50, 60),
    measures=Countermeasures(revoke_at=60),
)


def predictor() -> Predictor:
    resources = (resource("orders", "a", "b", "c"), resource("mail", "d", "e"))
    return Predictor(plan_of(resources, (client("web", "orders", "mail"),)))


def tried(*counts: int) -> list[Tried]:
    moments = zip(REVOKED.moments, counts, strict=True)
    return [
        Tried(moment, moment + 0.5, 2, frozenset(f"record-{n}" for n in range(count)))
        for moment, count in moments
    ]


def test_a_course_begins_at_the_theft_and_ends_at_the_last_try() -> None:
    frame = courses(predictor(), [REVOKED])
    assert dict(frame.dtypes.astype(str)) == COURSE_DTYPES
    steps = list(zip(frame["seconds"], frame["within_reach"], frame["exposed"], strict=True))
    assert steps == [(0, 5, 5), (60, 0, 5)]
    assert set(frame["incident"]) == {"revoked"}


def test_a_try_stands_beside_what_is_predicted_for_the_moment_it_was_meant_for() -> None:
    frame = followed(predictor(), [(REVOKED, CASE, tried(5, 5, 0))])
    assert dict(frame.dtypes.astype(str)) == FOLLOWED_DTYPES
    assert list(frame["seconds"]) == [0.5, 50.5, 60.5]
    assert list(frame["within_reach"]) == list(frame["predicted_within_reach"]) == [5, 5, 0]
    assert list(frame["exposed"]) == list(frame["predicted_exposed"]) == [5, 5, 5]
    assert differences(frame) == []


@pytest.mark.parametrize(
    ("counts", "said"),
    [((5, 5, 2), "at 60 s: 2 records served"), ((5, 0, 0), "at 50 s: 0 records served")],
)
def test_what_was_served_too_long_or_too_short_is_named(counts: tuple[int, ...], said: str) -> None:
    (named,) = differences(followed(predictor(), [(REVOKED, CASE, tried(*counts))]))
    assert "revoked / web / log_line / bearer / none" in named
    assert said in named


@pytest.mark.parametrize("moments", [(), (10, 10), (10, 5), (-1, 0)])
def test_moments_ascend(moments: tuple[float, ...]) -> None:
    with pytest.raises(LabError, match="cannot be followed"):
        Incident(name="odd", title="", cases=(CASE,), moments=moments)
    with pytest.raises(LabError, match="cannot be followed"):
        Incident(name="odd", title="", cases=(), moments=(0,))
