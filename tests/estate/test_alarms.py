"""Alarms in a running lab: who gives itself away, when, and what acting on it saves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import labsim
from labsim.blast.detection import ALARM_DTYPES, SAVED_DTYPES
from labsim.blast.means import Case
from labsim.estate import plan as plans
from labsim.measuring.alarms import ALLOW_LIST, PACE, Robbery, measure, robberies
from labsim.measuring.cases import cast

CAST = cast(plans.load())
CLIENT = CAST.client  # calls orders (24 records) and payments (18)
EVERY = 42


@pytest.fixture(scope="module")
def lab() -> Iterator[labsim.Lab]:
    with labsim.start(quiet=True) as started:
        yield started


def one(lab: labsim.Lab, theft: str, binding: str, custody: str = "file") -> dict[Any, Any]:
    listed = binding == ALLOW_LIST
    case = Case(CLIENT, theft, "bearer" if listed else binding, custody)
    (row,) = measure(lab, [Robbery(case, listed)]).to_dict("records")
    return row


def counts(row: dict[Any, Any]) -> tuple[int, int, int]:
    return row["alone"], row["exposed"], row["saved"]


@pytest.mark.parametrize("theft", ["log_line", "wiretap", "container_files", "container_code"])
def test_a_bearer_replay_is_no_evidence(lab: labsim.Lab, theft: str) -> None:
    row = one(lab, theft, "bearer", "none")
    assert pd.isna(row["seconds"])
    assert row["refusals"] == 0
    assert counts(row) == (EVERY, EVERY, 0)


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_a_bound_token_without_its_key_gives_the_thief_away_at_the_first_server(
    lab: labsim.Lab, binding: str
) -> None:
    row = one(lab, "log_line", binding)
    assert PACE <= row["seconds"] < 2 * PACE
    assert (row["server"], row["reason"]) == ("orders", "PROOF_MISSING")
    assert counts(row) == (0, 0, 0)


def test_with_the_key_the_thief_looks_like_the_holder(lab: labsim.Lab) -> None:
    row = one(lab, "container_files", "dpop")
    assert pd.isna(row["seconds"])
    assert counts(row) == (EVERY, EVERY, 0)


@pytest.mark.parametrize("binding", ["dpop", "mtls", "http_signature"])
def test_code_in_the_holders_process_looks_like_the_holder_too(
    lab: labsim.Lab, binding: str
) -> None:
    row = one(lab, "container_code", binding, "signer")
    assert row["refusals"] == 0
    assert counts(row) == (EVERY, EVERY, 0)


def test_who_acts_on_the_alarm_saves_what_the_thief_had_not_come_to(lab: labsim.Lab) -> None:
    """Its token is refused, its credential gets it another: the alarm was justified all the same."""
    row = one(lab, "container_files", "mtls", "memory")
    assert PACE <= row["seconds"] < 2 * PACE
    assert counts(row) == (EVERY, 24, 18)
    late = Robbery(Case(CLIENT, "container_files", "mtls", "memory"))
    frame = measure(lab, [late], reaction=2 * PACE)
    assert counts(frame.to_dict("records")[0]) == (EVERY, EVERY, 0), "who is late saves nothing"


def test_under_a_wiretap_mtls_refuses_the_victim_itself(lab: labsim.Lab) -> None:
    row = one(lab, "wiretap", "mtls")
    assert row["seconds"] < PACE
    assert row["check"] == "certificate_is_shown"


def test_an_allow_list_sees_who_comes_from_elsewhere_and_no_foothold(lab: labsim.Lab) -> None:
    row = one(lab, "log_line", ALLOW_LIST, "none")
    assert (row["binding"], row["reason"]) == (ALLOW_LIST, "ADDRESS_NOT_ALLOWED")
    assert counts(row) == (0, 0, 0)
    inside = one(lab, "container_code", ALLOW_LIST, "none")
    assert inside["alone"] == EVERY
    assert lab.variant == "base"


def test_a_refresh_token_that_two_use_is_noticed_at_the_holders_next_refresh(
    lab: labsim.Lab,
) -> None:
    first = next(robberies(CAST))
    assert first.case.binding == "bearer"
    lab.reset()  # credentials that lie in records are good again
    frame = measure(lab, [first])
    (row,) = frame.to_dict("records")
    assert dict(frame.dtypes.astype(str)) == {**ALARM_DTYPES, **SAVED_DTYPES}
    assert row["seconds"] > CAST.plan.token_seconds
    assert (row["reason"], row["check"]) == ("GRANT_INVALID", "refresh_token_is_unused")
    assert row["saved"] == 0, "all was read by then"


def test_the_main_job_robs_under_every_binding_and_behind_the_list() -> None:
    guards = {robbery.guard for robbery in robberies(CAST)}
    assert guards == {"bearer", "dpop", "mtls", "http_signature", ALLOW_LIST}
