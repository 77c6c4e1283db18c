"""DPoP's client face, and what its parse makes of a proof."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from labsim.bindings.dpop import ALGORITHMS, BINDING, token_hash
from labsim.http_message import Request, Response
from labsim.jose import b64url
from labsim.keys import SigningKey, thumbprint
from tests.wiring import Lab

REQUEST = Request("GET", "https://a.test/b?c=d#e", (("Accept", "*/*"),))


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_proof_says_method_target_time_and_token(lab: Lab, algorithm: str) -> None:
    holder = SigningKey.generate(algorithm)
    attached = BINDING.attach(REQUEST, lab.presentation("t", holder))
    assert attached.value("Authorization") == "DPoP t"
    proof = BINDING.parse(attached)
    assert (proof.htm, proof.htu, proof.iat) == ("GET", "https://a.test/b", lab.clock())
    assert (proof.ath, proof.nonce) == (token_hash("t"), None)
    assert dict(proof.jws.header) == {"typ": "dpop+jwt", "alg": algorithm, "jwk": holder.public_jwk}
    assert BINDING.bind(proof) == {"jkt": thumbprint(holder.public_jwk)}
    assert holder.algorithm in ALGORITHMS


def test_a_proof_for_the_token_endpoint_names_no_token(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation(None, nonce="n"))
    proof = BINDING.parse(attached)
    assert (proof.ath, proof.nonce) == (None, "n")
    assert attached.value("Authorization") is None


def test_every_proof_has_a_jti_of_its_own(lab: Lab) -> None:
    proofs = [BINDING.parse(BINDING.attach(REQUEST, lab.presentation())) for _ in range(5)]
    assert len({proof.jti for proof in proofs}) == 5


def test_there_is_no_proof_without_a_key(lab: Lab) -> None:
    with pytest.raises(ValueError, match="holder of a key"):
        BINDING.attach(REQUEST, replace(lab.presentation("t"), holder=None))


def test_an_empty_field_introduces_a_key_too() -> None:
    assert BINDING.introduced(REQUEST.adding("dpop", ""))
    assert not BINDING.introduced(REQUEST)


def test_ath_is_the_hash_of_the_tokens_ascii() -> None:
    assert token_hash("abc") == b64url(hashlib.sha256(b"abc").digest())


ASKED = ("WWW-Authenticate", 'DPoP error="use_dpop_nonce", algs="ES256"')
NONCE = ("DPoP-Nonce", "n")


@pytest.mark.parametrize(
    "response",
    [
        Response(401, (ASKED, NONCE)),
        Response(401, (("WWW-Authenticate", "Bearer"), ASKED, NONCE)),
        Response.of_json(400, {"error": "use_dpop_nonce"}, (NONCE,)),
    ],
)
def test_a_demand_for_a_nonce_is_answered_with_it(lab: Lab, response: Response) -> None:
    again = BINDING.retry(response, lab.presentation("t", nonce="old"))
    assert again is not None
    assert (again.nonce, again.token) == ("n", "t")
    assert BINDING.retry(response, again) is None


@pytest.mark.parametrize(
    "response",
    [
        Response(200, (NONCE,)),
        Response(401, (NONCE, ("WWW-Authenticate", 'DPoP error="invalid_dpop_proof"'))),
        Response(401, (ASKED,)),
        Response(403, (ASKED, NONCE)),
        Response.of_json(400, {"error": "invalid_grant"}, (NONCE,)),
    ],
)
def test_nothing_else_is_tried_again(lab: Lab, response: Response) -> None:
    assert BINDING.retry(response, lab.presentation("t")) is None


def test_one_senders_key_is_made_once(lab: Lab) -> None:
    """A point is checked to lie on its curve once per key, not once per request."""
    first, second = (BINDING.parse(BINDING.attach(REQUEST, lab.presentation())) for _ in range(2))
    assert first.key is second.key
