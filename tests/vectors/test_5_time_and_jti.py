"""Section 5 of the catalogue, rows about one proof: its time and its `jti`."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.rejection import Reason
from tests.exchange import BOTH, assert_served, good_request, with_proof
from tests.jws import GONE, Change
from tests.vectors.proof_rows import ProofRow, cases, run
from tests.wiring import Lab

HOUR = 3600


def malformed(
    id: str, what: str, source: str, check: str = "required_members_are_there", **claims: Any
) -> ProofRow:
    return ProofRow(id=id, what=what, source=source, check=check, change=Change(claims=claims))


def unreadable(id: str, what: str, source: str, **claims: Any) -> ProofRow:
    return malformed(id, what, source, "proof_is_a_jwt", **claims)


def untimely(
    id: str, what: str, source: str, check: str = "iat_is_recent", **claims: Any
) -> ProofRow:
    return ProofRow(
        id=id,
        what=what,
        source=source,
        check=check,
        reason=Reason.PROOF_OUTSIDE_WINDOW,
        change=Change(claims=claims),
    )


def own_time(id: str, what: str, source: str, **claims: Any) -> ProofRow:
    return untimely(id, what, source, "proof_is_in_its_own_time", **claims)


NOW = 1_800_000_000
ROWS = (
    malformed("DT-01", "iat missing", "9449 4.3-3", iat=GONE),
    untimely("DT-02", "iat an hour old", "9449 4.3-11", iat=NOW - HOUR),
    untimely("DT-03", "iat an hour ahead", "9449 11.2", iat=NOW + HOUR),
    malformed("DT-04", "iat a text", "7519 4.1.6", iat=str(NOW)),
    malformed("DT-04b", "iat true", "7519 4.1.6", iat=True),
    malformed("DT-04c", "iat null", "7519 4.1.6", iat=None),
    malformed("DT-04d", "iat beyond all numbers", "7519 2", iat=10**400),
    unreadable("DT-08", "iat NaN", "8259 6", iat=float("nan")),
    unreadable("DT-08b", "iat infinite", "8259 6", iat=float("inf")),
    own_time("DT-11", "exp in the past", "7519 4.1.4", exp=NOW - 1),
    own_time("DT-11b", "exp now", "7519 4.1.4", exp=NOW),
    own_time("DT-11c", "exp a text", "7519 4.1.4", exp=str(NOW + HOUR)),
    own_time("DT-12", "nbf in the future", "7519 4.1.5", nbf=NOW + HOUR),
    own_time("DT-12b", "nbf a text", "7519 4.1.5", nbf=str(NOW)),
    untimely("DT-13", "iat 61 s old", "9449 11.1", iat=NOW - 61),
    untimely("DT-13b", "iat 61 s ahead", "9449 11.1", iat=NOW + 61),
    untimely("DT-13c", "iat 290 s ahead", "9449 11.1", iat=NOW + 290),
    malformed("DJ-01", "jti missing", "9449 4.2", jti=GONE),
    malformed("DJ-02", "jti empty", "9449 4.2", "jti_is_usable", jti=""),
    malformed("DJ-03", "jti a number", "9449 4.2", jti=7),
    malformed("DJ-04", "jti an array", "9449 4.2", jti=["a"]),
    malformed("DJ-04b", "jti an object", "9449 4.2", jti={"a": 1}),
    malformed("DR-09", "jti of 8 kB", "9449 11.1", "jti_is_usable", jti="j" * 8192),
    malformed("DR-09b", "jti of 257 characters", "9449 11.1", "jti_is_usable", jti="j" * 257),
)


@pytest.mark.parametrize(("row", "actor"), cases(ROWS))
def test_a_proof_with_a_bad_time_or_jti_is_refused(lab: Lab, row: ProofRow, actor: str) -> None:
    assert lab.clock() == NOW
    run(lab, row, actor)


GOOD = {
    "DT-13d iat 60 s old": {"iat": NOW - 60},
    "DT-13e iat 60 s ahead": {"iat": NOW + 60},
    "DR-09c jti of 256 characters": {"jti": "j" * 256},
    "DR-11 jti with NUL": {"jti": "a\0b"},
    "DR-11b jti beyond the basic plane": {"jti": "\N{KEY}"},
    "DR-11c jti with half a surrogate pair": {"jti": "\ud83d"},
}


@pytest.mark.parametrize("actor", BOTH)
@pytest.mark.parametrize("claims", GOOD.values(), ids=GOOD)
def test_a_proof_at_the_edge_is_served(lab: Lab, claims: dict[str, Any], actor: str) -> None:
    assert_served(lab, with_proof(lab, good_request(lab, actor), Change(claims=claims)))
