"""Section 4 of the catalogue: the method and the target that a DPoP proof names."""

from __future__ import annotations

from typing import Any

import pytest

from labsim.rejection import Reason
from tests.exchange import AS, RS
from tests.jws import GONE, Change
from tests.vectors.proof_rows import ProofRow, cases, run
from tests.wiring import RECORD, TOKEN_ENDPOINT, Lab


def malformed(id: str, what: str, source: str, **claims: Any) -> ProofRow:
    check = "required_members_are_there"
    return ProofRow(id=id, what=what, source=source, check=check, change=Change(claims=claims))


def method(id: str, what: str, source: str, htm: Any) -> ProofRow:
    return ProofRow(
        id=id,
        what=what,
        source=source,
        check="htm_is_the_method",
        reason=Reason.PROOF_METHOD_MISMATCH,
        change=Change(claims={"htm": htm}),
    )


def target(
    id: str, what: str, source: str, htu: Any, actors: tuple[str, ...] = (AS, RS)
) -> ProofRow:
    return ProofRow(
        id=id,
        what=what,
        source=source,
        check="htu_is_the_target_uri",
        reason=Reason.PROOF_TARGET_MISMATCH,
        change=Change(claims={"htu": htu}),
        actors=actors,
    )


def last_slash_encoded(htu: str) -> str:
    before, _, after = htu.rpartition("/")
    return f"{before}%2F{after}"


def path_in_capitals(htu: str) -> str:
    return htu.replace("/token", "/Token").replace("/records", "/Records")


ROWS = (
    malformed("DM-01", "htm missing", "9449 4.3-3", htm=GONE),
    method("DM-02", "htm of another method", "9449 4.3-8", "PUT"),
    method("DM-02b", "htm empty", "9449 4.3-8", ""),
    method("DM-03", "htm in lower case", "9110 9.1", str.lower),
    malformed("DM-04", "htm an array", "9449 4.2", htm=lambda htm: [htm]),
    malformed("DM-05", "htu missing", "9449 4.3-3", htu=GONE),
    target("DM-06", "the token endpoint's proof", "9449 4.3-9", TOKEN_ENDPOINT, (RS,)),
    target("DM-06b", "the resource's proof", "9449 4.3-9", RECORD, (AS,)),
    target(
        "DM-06c",
        "another resource of the server",
        "9449 4.3-9",
        "https://orders.test/records",
        (RS,),
    ),
    target("DM-07", "another host", "9449 11", lambda htu: htu.replace(".test", ".thief.test")),
    target("DM-07b", "another port", "9449 4.3-9", lambda htu: htu.replace(".test", ".test:444")),
    target("DM-07c", "another scheme", "9449 4.3-9", lambda htu: htu.replace("https", "http")),
    target(
        "DM-07d",
        "user information before the host",
        "9110 4.2.4",
        lambda htu: htu.replace("//", "//a@"),
    ),
    target("DM-10", "a trailing slash", "9449 4.3-9", lambda htu: f"{htu}/"),
    target("DM-11", "the path in another case", "3986 6.2.2.1", path_in_capitals),
    malformed("DM-13", "htu an array", "9449 4.2", htu=lambda htu: [htu]),
    target("DM-16", "an encoded slash", "3986 2.2", last_slash_encoded),
    target("DM-18", "no URL", "9449 4.3-9", "not a URL"),
    target("DM-18b", "a relative reference", "9449 4.3-9", "/records/o-1"),
    target("DM-18c", "a broken escape", "3986 2.1", lambda htu: f"{htu}%zz"),
    target("DM-18d", "htu empty", "9449 4.3-9", ""),
    target("DM-19", "white space around it", "3986 2", lambda htu: f" {htu} "),
    target("DM-19b", "backslashes", "3986 2", lambda htu: htu.replace("/", "\\")),
    target("DM-19c", "a tab inside", "3986 2", lambda htu: htu.replace("//", "/\t/")),
    target(
        "DM-20",
        "letters that only look like ASCII",
        "3986 2",
        lambda h: h.replace("s", "\u017f", 1),
    ),
    target(
        "DM-20b",
        "letters that fold to ASCII",
        "3986 2",
        lambda h: h.replace("ken", "\u212aen"),
        (AS,),
    ),
)


@pytest.mark.parametrize(("row", "actor"), cases(ROWS))
def test_a_proof_for_another_method_or_target_is_refused(
    lab: Lab, row: ProofRow, actor: str
) -> None:
    run(lab, row, actor)
