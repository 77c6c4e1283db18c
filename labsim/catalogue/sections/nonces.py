"""Section 7 of the catalogue: nonces that the server chooses (RFC 9449 sections 8 and 9)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE, Change
from labsim.catalogue.proof_changes import MakeChange, accepted, claims, proof, rows, together
from labsim.catalogue.vector import Elsewhere, Force, Make, Needs, Section, Vector, as_it_is
from labsim.http_message import Request
from labsim.jose import b64url, b64url_decode
from labsim.rejection import Reason

YEAR = 365 * 86400
AHEAD = "proofs that were made ahead, in another's runtime, are good when the thief likes"
NO_NONCE = "no character of a nonce can be trusted to come back as it was given out"


def asked(
    id: str, what: str, source: str, make: Make, needs: Needs = Needs.NONCES
) -> tuple[Vector, ...]:
    """Make a row about a nonce that is not the server's."""
    how: dict[str, Any] = {"check": "nonce_is_the_servers", "reason": Reason.NONCE_REQUIRED}
    return rows(id, what, source, make, error="use_dpop_nonce", gain=AHEAD, needs=needs, **how)


def malformed(id: str, what: str, nonce: Any) -> tuple[Vector, ...]:
    """Make a row about a nonce that can be none, whether the server asks for one or not."""
    make = claims(nonce=nonce)
    found: dict[str, Any] = {"check": "nonce_is_text", "gain": NO_NONCE}
    return rows(id, what, "9449 8.1", make, **found)


def stale(good: GoodRequest) -> Change:
    """Use a nonce that the server takes no more."""
    return Change(claims={"nonce": good.stale_nonce})


def one_bit_changed(nonce: str) -> str:
    """Change the last octet of what the nonce stands for, or its last character."""
    try:
        octets = b64url_decode(nonce)
    except ValueError:
        return nonce[:-1] + ("A" if nonce[-1] != "A" else "B")
    return b64url(octets[:-1] + bytes([octets[-1] ^ 1]))


def period_in_clear(tail: bytes) -> MakeChange:
    """Guess that a nonce is the minute, with this in the place of a code over it."""
    return lambda good: Change(claims={"nonce": b64url((good.now // 60).to_bytes(8) + tail)})


def another_proof_with_the_nonce(good: GoodRequest) -> Request:
    """Make another proof with the same nonce."""
    return good.binding.attach(good.plain, replace(good.presentation))


VECTORS = together(
    asked("DN-02", "no nonce", "9449 9", claims(nonce=GONE)),
    asked("DN-03", "an invented nonce", "9449 8", claims(nonce="invented")),
    asked("DN-03b", "the nonce with one bit changed", "9449 8", claims(nonce=one_bit_changed)),
    asked("DN-04", "a stale nonce", "9449 11.2", proof(stale), Needs.STALE_NONCE),
    asked("DN-11", "the period in clear, without its code", "9449 8", proof(period_in_clear(b""))),
    asked("DN-11b", "the period with a code of zeros", "9449 8", proof(period_in_clear(bytes(16)))),
    malformed("DN-07", "a nonce that is a number", 7),
    malformed("DN-07b", "an empty nonce", ""),
    malformed("DN-07c", "a nonce with a space", "a b"),
    malformed("DN-07d", "a nonce with a quote", 'a"'),
    malformed("DN-07e", "a nonce that is null", None),
    rows("DN-08", "a fresh nonce in a proof a year old", "9449 4.3-11", proof(lambda good: Change(claims={"iat": good.now - YEAR})), check="iat_is_recent", reason=Reason.PROOF_OUTSIDE_WINDOW, gain="none: the nonce is as fresh as a time", force=Force.POLICY, needs=Needs.NONCES),
    rows("DN-08b", "a fresh nonce in a proof without iat", "9449 4.3-3", claims(iat=GONE), check="required_members_are_there", gain="none: the nonce is as fresh as a time", needs=Needs.NONCES),
    accepted("DN-09", "one nonce in two proofs", "9449 11.1", another_proof_with_the_nonce, before=(as_it_is,), needs=Needs.NONCES),
)  # fmt: skip

_TESTS = "tests/vectors/test_7_nonces.py"
SECTION = Section(
    name="nonces",
    number=7,
    title="DPoP nonce",
    vectors=VECTORS,
    elsewhere=(
        Elsewhere(
            id="DN-01",
            what="what comes with the demand: one DPoP-Nonce, no-store",
            source="RFC 9449 section 8",
            why="it is about the answer; that it is refused is DN-02",
            proven=_TESTS,
        ),
        Elsewhere(
            id="DN-06",
            what="the nonce dropped after one was supplied",
            source="RFC 9449 section 11.3",
            why="to a server that keeps nothing about its clients, this is DN-02",
            proven=_TESTS,
        ),
        Elsewhere(
            id="DN-10",
            what="a server that asks for ever",
            source="RFC 9449 section 8",
            why="it is about the client",
            proven=_TESTS,
        ),
    ),
)
