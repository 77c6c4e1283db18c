"""Section 3 of the catalogue, what is no change of one request: sizes, and no way to bearer."""

from __future__ import annotations

import pytest

from labsim.keys import SigningKey
from labsim.rejection import Reason
from tests.exchange import (
    AS,
    BOTH,
    DPOP,
    RS,
    STATUS,
    answer,
    assert_refused,
    assert_served,
    good_request,
    token_request,
    with_proof,
)
from tests.jws import Change
from tests.wiring import Lab

JWT = "proof_is_a_jwt"


@pytest.mark.parametrize("actor", BOTH)
def test_a_payload_that_is_nested_deeper_than_any_stack_is_refused(lab: Lab, actor: str) -> None:
    """DS-15c, and larger than a listener lets through."""
    deep = Change(payload_bytes=lambda _claims: b"[" * 100_000)
    bad = with_proof(lab, good_request(lab, actor), deep)
    refusal = {"error": "invalid_dpop_proof", "reason": Reason.PROOF_MALFORMED, "check": JWT}
    assert_refused(lab, bad, status=STATUS[actor], **refusal)


def test_an_empty_proof_is_no_way_to_get_a_bearer_token(lab: Lab) -> None:
    """DS-17, for a client that may have bearer tokens: it asked for a bound one."""
    good = token_request(lab, "free")
    assert assert_served(lab, good).json()["token_type"] == "Bearer"
    refusal = {"error": "invalid_dpop_proof", "reason": Reason.PROOF_MALFORMED, "check": JWT}
    assert_refused(lab, good.adding("DPoP", ""), status=STATUS[AS], **refusal)
    assert assert_served(lab, good).json()["token_type"] == "Bearer"


@pytest.mark.parametrize("actor", [AS, RS])
@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_proof_of_sixty_kilobytes_gets_an_answer(lab: Lab, actor: str, algorithm: str) -> None:
    """DS-18: the listener answers 431 before a role sees it; a role is not harmed by it either."""
    holder = SigningKey.generate(algorithm)
    good = token_request(lab)
    proof = str(DPOP.attach(good, lab.presentation(None, holder)).value("DPoP"))
    header, claims, last = proof.split(".")
    response = answer(lab, good.adding("DPoP", f"{header}.{claims}{'A' * 60_000}.{last}"))
    assert response.status == 400
