"""HTTP signatures: the client's face, and what parse makes of a signature."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labsim.binding import Evidence
from labsim.bindings.http_signature import BINDING, bound_key
from labsim.http_message import Request, Response
from labsim.jose import b64url
from labsim.keys import SIGNATURE_ALGORITHMS, SigningKey, public_octets
from labsim.rejection import Reason, Rejected
from labsim.structured_fields import signature_inputs
from tests.wiring import Lab

REQUEST = Request("GET", "https://a.test/b?c=d#e", (("Accept", "*/*"),))
POSTED = replace(REQUEST, method="POST", body=b'{"hello": "world"}')
ALGORITHMS = ["ES256", "Ed25519"]
DIGEST = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"  # RFC 9530 appendix B


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_presentation_covers_what_the_profile_lists(lab: Lab, algorithm: str) -> None:
    holder = SigningKey.generate(algorithm)
    attached = BINDING.attach(REQUEST, lab.presentation("t", holder))
    assert attached.value("Authorization") == "HTTPSig t"
    assert attached.value("Signature-Input") == (
        'sig=("@method" "@target-uri" "authorization")'
        ';created=1800000000;nonce="id-00000001";tag="httpsig-oauth"'
    )
    proof = BINDING.parse(attached)
    assert proof.covered == {"@method", "@target-uri", "authorization"}
    assert (proof.created, proof.nonce, proof.introduced) == (1_800_000_000, "id-00000001", None)
    assert proof.base.startswith(
        b'"@method": GET\n"@target-uri": https://a.test/b?c=d\n"authorization": HTTPSig t\n'
    )
    assert len(proof.signature) == 64


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_request_brings_its_key(lab: Lab, algorithm: str) -> None:
    holder = SigningKey.generate(algorithm)
    attached = BINDING.attach(POSTED, lab.presentation(None, holder))
    assert attached.value("Authorization") is None
    proof = BINDING.parse(attached)
    assert proof.covered == {"@method", "@target-uri", "content-digest"}
    assert proof.parameters["alg"] == SIGNATURE_ALGORITHMS[algorithm]
    assert proof.parameters["pub"] == public_octets(holder.public_jwk)
    assert proof.introduced is not None
    assert proof.introduced.jwk == holder.public_jwk
    pub = b64url(public_octets(holder.public_jwk))
    assert BINDING.bind(proof) == {"htsk": {"alg": SIGNATURE_ALGORITHMS[algorithm], "pub": pub}}


def test_a_body_brings_its_digest(lab: Lab) -> None:
    attached = BINDING.attach(POSTED, lab.presentation("t"))
    assert attached.value("Content-Digest") == DIGEST
    assert '"content-digest"' in str(attached.value("Signature-Input"))
    assert DIGEST in BINDING.parse(attached).base.decode()
    assert BINDING.attach(REQUEST, lab.presentation("t")).value("Content-Digest") is None


def test_a_clients_own_authentication_is_covered(lab: Lab) -> None:
    """At the token endpoint, where there is no token yet, the field may hold a secret."""
    request = POSTED.adding("Authorization", "Basic YTpi")
    attached = BINDING.attach(request, lab.presentation())
    assert '"authorization": Basic YTpi' in BINDING.parse(attached).base.decode()


def test_every_signature_has_a_nonce_of_its_own(lab: Lab) -> None:
    proofs = [BINDING.parse(BINDING.attach(REQUEST, lab.presentation())) for _ in range(5)]
    assert len({proof.nonce for proof in proofs}) == 5


def test_created_is_whole_seconds(lab: Lab) -> None:
    lab.clock.advance(0.75)
    attached = BINDING.attach(REQUEST, lab.presentation("t"))
    assert BINDING.parse(attached).created == 1_800_000_000


def test_there_is_no_signature_without_a_key(lab: Lab) -> None:
    with pytest.raises(ValueError, match="holder of a key"):
        BINDING.attach(REQUEST, replace(lab.presentation("t"), holder=None))


@pytest.mark.parametrize("name", ["Signature-Input", "signature", "SIGNATURE"])
def test_either_field_introduces_a_key_be_it_empty(name: str) -> None:
    assert BINDING.introduced(REQUEST.adding(name, ""))
    assert not BINDING.introduced(REQUEST)


def test_what_brings_no_key_binds_to_none(lab: Lab) -> None:
    proof = BINDING.parse(BINDING.attach(REQUEST, lab.presentation("t")))
    assert BINDING.bind(proof) == {}


def test_there_is_one_try(lab: Lab) -> None:
    """The server has no nonces of its own to ask for."""
    assert BINDING.retry(Response(401), lab.presentation("t")) is None


def test_one_senders_key_is_made_once(lab: Lab) -> None:
    """A point is checked to lie on its curve once per key, not once per request."""
    first, second = (BINDING.parse(BINDING.attach(REQUEST, lab.presentation())) for _ in range(2))
    assert first.introduced is not None
    assert first.introduced is second.introduced


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_bound_key_is_the_tokens(algorithm: str) -> None:
    holder = SigningKey.generate(algorithm)
    pub = b64url(public_octets(holder.public_jwk))
    htsk = {"alg": SIGNATURE_ALGORITHMS[algorithm], "pub": pub, "more": 1}
    key = bound_key(Evidence(REQUEST, 0, claims={"cnf": {"htsk": htsk}}))
    assert key is not None
    assert key.jwk == holder.public_jwk


@pytest.mark.parametrize("cnf", [None, {}, [], {"htsk": None}, {"htsk": {}}, {"htsk": {"alg": 1}}])
def test_without_a_confirmation_there_is_no_bound_key(cnf: object) -> None:
    assert bound_key(Evidence(REQUEST, 0, claims={"cnf": cnf})) is None
    assert bound_key(Evidence(REQUEST, 0)) is None


def test_a_label_is_anything(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation("t"))
    ((member,), value) = (
        signature_inputs(str(attached.value("Signature-Input"))),
        str(attached.value("Signature")),
    )
    renamed = attached.without("Signature-Input", "Signature")
    renamed = renamed.adding("Signature-Input", f"*={member.text}")
    renamed = renamed.adding("Signature", f"*={value.removeprefix('sig=')}")
    assert BINDING.parse(renamed) == BINDING.parse(attached)


def test_without_a_signature_the_proof_is_missing() -> None:
    with pytest.raises(Rejected) as missing:
        BINDING.parse(REQUEST)
    assert missing.value.reason is Reason.PROOF_MISSING


def test_the_reason_for_a_bad_component_is_for_the_event_alone(lab: Lab) -> None:
    attached = BINDING.attach(REQUEST, lab.presentation("t"))
    bad = attached.without("Authorization")
    with pytest.raises(Rejected) as malformed:
        BINDING.parse(bad)
    assert malformed.value.detail == "there is no field authorization"
