"""Section 10 of the catalogue, what is no change of one request: two servers, two keys."""

from __future__ import annotations

import pytest

from labsim.http_message import Request
from labsim.jose import b64url
from labsim.keys import SIGNATURE_ALGORITHMS, SigningKey, public_octets
from labsim.rejection import Reason
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, RS, assert_refused, assert_served, token_request
from tests.jws import Jws
from tests.signatures import resigned
from tests.vectors.signature_rows import HOLDERS, assert_not_served, good
from tests.wiring import BINDINGS, RECORD, Lab


def confirmation(holder: SigningKey) -> dict[str, str]:
    pub = b64url(public_octets(holder.public_jwk))
    return {"alg": SIGNATURE_ALGORITHMS[holder.algorithm], "pub": pub}


def test_a_signed_request_of_one_server_is_not_taken_by_the_other(lab: Lab) -> None:
    """HS-32: the token request's own signature beside a token, and a presentation's at the AS."""
    token = lab.token("http_signature", "signing").access_token
    asked = HTTP_SIGNATURE.attach(Request("GET", RECORD), lab.presentation())
    asked = resigned(
        lab, asked.adding("Authorization", f"HTTPSig {token}"), adding=["authorization"]
    )
    assert_not_served(lab, asked, RS, "tag_is_for_a_presentation")
    shown = good(lab, AS).without("Signature-Input", "Signature", "Content-Digest")
    bare = shown.without("Authorization")
    presented = HTTP_SIGNATURE.attach(bare, lab.presentation("t")).without("Authorization")
    presented = presented.adding("Authorization", str(shown.value("Authorization")))
    assert_not_served(lab, resigned(lab, presented), AS, "tag_is_for_a_token_request")


@pytest.mark.parametrize("algorithm", HOLDERS)
def test_the_token_is_bound_to_the_key_that_was_brought(lab: Lab, algorithm: str) -> None:
    lab.holder = HOLDERS[algorithm]
    answered = assert_served(lab, good(lab, AS)).json()
    claims = Jws.of(answered["access_token"], lab.issuer_key).claims
    assert claims["cnf"] == {"htsk": confirmation(lab.holder)}
    assert answered["token_type"] == "HTTPSig"


@pytest.mark.parametrize("client", ["app", "mutual"])
def test_a_signature_does_not_stand_in_for_the_registered_key(lab: Lab, client: str) -> None:
    bad = HTTP_SIGNATURE.attach(token_request(lab, client), lab.presentation())
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "binding_is_the_registered_one"}
    assert_refused(lab, bad, status=400, error="invalid_request", **refusal)


def test_a_signature_and_a_proof_in_one_token_request_are_refused(lab: Lab) -> None:
    """MT-23."""
    both = BINDINGS["dpop"].attach(good(lab, AS), lab.presentation())
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "one_key_is_introduced"}
    assert_refused(lab, both, status=400, error="invalid_request", **refusal)
