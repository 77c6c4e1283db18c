"""Incidents in a running lab: what a thief is served over lab time equals what the plan predicts.

Where the two are not the same by their nature, the tests at the end say so:

- A cached answer and a last token are worth most to a thief who asked just before, which is what is
  predicted; the incidents have it try once more ten lab seconds before something is done.
- A token's life counts from its issue, a moment before the theft; proofs made ahead end up to 40 s
  before their token, and nobody tries in between.
- Credentials in records are those of the start: after a rotation, what a record holds is old.
- A credential that was kept apart is one that this thief leaves alone: the theft itself copies all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import labsim
from labsim.blast.incident import FOLLOWED_DTYPES, Incident, differences, followed
from labsim.blast.means import CERTIFICATE, KEPT_APART, Case, Countermeasures
from labsim.blast.predicted import Predictor
from labsim.estate import plan as plans
from labsim.measuring.cases import Cast, cast, incidents
from labsim.measuring.incidents import follow

LIFE = 3600.0
HALF = LIFE / 2
BEFORE = HALF - 10
BOUND = ("dpop", "mtls", "http_signature")
CAST = cast(plans.load())
MAIN = {incident.name: incident for incident in incidents(CAST)}


@pytest.fixture(scope="module")
def started() -> Iterator[labsim.Lab]:
    with labsim.start(CAST.plan, quiet=True) as lab:
        yield lab


@pytest.fixture
def lab(started: labsim.Lab) -> labsim.Lab:
    started.reset()  # an earlier incident may have replaced a credential that lies in a record
    return started


def bound(
    theft: str, custody: str = "file", who: str = CAST.client, how: str = ""
) -> tuple[Case, ...]:
    return tuple(Case(who, theft, binding, custody, how) for binding in BOUND)


def bearer(theft: str, who: str = CAST.client) -> Case:
    return Case(who, theft, "bearer", "none")


def rows(lab: labsim.Lab, incident: Incident) -> list[dict[str, Any]]:
    """Follow an incident; return its rows, in which measured and predicted are the same."""
    frame = followed(Predictor(lab.plan), follow(lab, incident))
    assert dict(frame.dtypes.astype(str)) == FOLLOWED_DTYPES
    assert differences(frame) == []
    assert (frame["seconds"] >= frame["moment"]).all()
    return frame.to_dict("records")


def reach(found: list[dict[str, Any]], binding: str) -> list[int]:
    return [row["within_reach"] for row in found if row["binding"] == binding]


@pytest.mark.parametrize("name", MAIN)
def test_each_incident_of_the_main_job_is_as_predicted(lab: labsim.Lab, name: str) -> None:
    found = rows(lab, MAIN[name])
    assert any(row["within_reach"] for row in found)
    assert any(not row["within_reach"] for row in found)


MORE = (
    Incident(
        name="nothing is done",
        title="",
        cases=(bearer("log_line"), *bound("log_line"), *bound("container_files", how=KEPT_APART)),
        moments=(0, HALF, LIFE),
    ),
    Incident(
        name="evicted",
        title="",
        cases=bound("container_code", "signer", how=KEPT_APART),
        moments=(0, BEFORE, HALF, LIFE - 100, LIFE),
        measures=Countermeasures(evict_at=HALF),
    ),
    Incident(
        name="a deputy",
        title="",
        cases=bound("prompt_injection", "signer", "support-agent")[:1],
        moments=(0, BEFORE, HALF, LIFE, LIFE + HALF),
        measures=Countermeasures(evict_at=HALF, rotate_found_at=HALF),
    ),
    Incident(
        name="replaced and revoked",
        title="",
        cases=(bearer("commit"), *bound("container_files", "memory")),
        moments=(0, BEFORE, HALF, LIFE),
        measures=Countermeasures(rotate_at=HALF, revoke_at=HALF),
    ),
    Incident(
        name="revoked, and not replaced",
        title="",
        cases=bound("commit"),
        moments=(0, HALF, LIFE, 2 * LIFE),
        measures=Countermeasures(revoke_at=HALF),
    ),
    Incident(
        name="a refresh token that two use",
        title="",
        cases=(Case("lead-sync", "container_files", "dpop", "file"),),
        # The holder's next refresh comes when its own token has ended.
        moments=(0, 290, 300, LIFE - 10, LIFE, LIFE + 310, 2 * LIFE),
        measures=Countermeasures(reused_at=LIFE, rotate_found_at=300),
    ),
    Incident(
        name="credentials in records",
        title="",
        cases=(bearer("log_line", "support-agent"),),
        moments=(0, BEFORE, HALF, LIFE, LIFE + HALF),
        measures=Countermeasures(rotate_at=HALF, rotate_found_at=HALF),
    ),
)


@pytest.mark.parametrize("incident", MORE, ids=lambda incident: incident.name)
def test_others_are_as_predicted_too(lab: labsim.Lab, incident: Incident) -> None:
    assert any(row["within_reach"] for row in rows(lab, incident))


def test_an_mtls_key_that_authenticates_goes_on_where_a_dpop_key_ends_with_the_token(
    lab: labsim.Lab,
) -> None:
    found = rows(lab, MAIN["key_copied"])
    every = len(lab.plan.within_reach(CAST.certified))
    assert reach(found, "dpop") == [every, every, 0, 0]
    assert reach(found, "mtls") == [every] * 4
    assert reach(rows(lab, MAIN["certificate_revoked"]), "mtls") == [every, every, 0]


def test_a_revocation_that_is_pushed_arrives_at_once_and_one_that_is_asked_for_later(
    lab: labsim.Lab,
) -> None:
    pushed, asked = MAIN["revoked_and_pushed"], MAIN["revoked_and_asked_for"]
    late = tuple(sorted({*pushed.moments, HALF + 10}))
    assert reach(rows(lab, replace(pushed, moments=late)), "bearer")[-3:] == [0, 0, 0]
    every = len(lab.plan.within_reach(CAST.client))
    assert reach(rows(lab, asked), "bearer") == [every, every, every, 0, 0]


def test_a_lab_is_in_its_base_after_an_incident(lab: labsim.Lab) -> None:
    rows(lab, MAIN["revoked_and_asked_for"])
    rows(lab, replace(MAIN["enforced_midway"], cases=(bearer("log_line"),)))
    assert lab.variant == "base"
    assert {lab.estate.verifier(name) for name in lab.plan.resources} == {"full"}


# Where measured and predicted differ by their nature.


def named(lab: labsim.Lab, incident: Incident) -> list[str]:
    return differences(followed(Predictor(lab.plan), follow(lab, incident)))


def test_a_thief_who_did_not_ask_just_before_has_no_last_token(lab: labsim.Lab) -> None:
    case = Case(CAST.client, "commit", "dpop", "file")
    rotated = replace(MAIN["rotated"], cases=(case,), moments=(0, HALF, LIFE))
    (said,) = named(lab, rotated)
    assert "at 3600 s: 0 records served" in said


def test_a_revocation_that_nobody_asked_about_just_before_takes_no_time(lab: labsim.Lab) -> None:
    asked = replace(MAIN["revoked_and_asked_for"], moments=(0, HALF + 10))
    (said,) = named(lab, asked)
    assert "at 1810 s: 0 records served" in said


def test_a_record_that_holds_an_old_credential_leads_nowhere(lab: labsim.Lab) -> None:
    for name in lab.plan.clients:
        if lab.plan.client(name).authentication != CERTIFICATE:
            lab.rotate(name)
    agent = Incident(
        name="agent", title="", cases=(bearer("log_line", "support-agent"),), moments=(0,)
    )
    (said,) = named(lab, agent)
    assert "44 records served" in said


def test_whom_to_rob_is_chosen_so_that_little_follows() -> None:
    assert isinstance(CAST, Cast)
    assert (CAST.client, CAST.certified) == ("storefront", "fulfilment")
    assert CAST.plan.client("fulfilment").authentication == CERTIFICATE
    assert Predictor(CAST.plan).followed(CAST.plan.client("storefront").calls).hops == 0
