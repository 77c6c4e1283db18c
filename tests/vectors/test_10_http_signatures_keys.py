"""Section 10 of the catalogue: by whose key, with which algorithm, and for which use."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import http_sf
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from labsim.http_message import Request
from labsim.jose import b64url, b64url_decode
from labsim.keys import SIGNATURE_ALGORITHMS, SigningKey, public_octets
from labsim.rejection import Reason
from tests.contract.attacks.http_signature import HTTP_SIGNATURE
from tests.exchange import AS, RS, answer, assert_refused, assert_served, token_request
from tests.jws import Change, Jws
from tests.signatures import GONE, resigned
from tests.vectors.signature_rows import (
    HOLDERS,
    Make,
    about,
    assert_not_served,
    cases,
    good,
    octets,
    run,
    signed,
)
from tests.wiring import BINDINGS, RECORD, Lab

TAG, TOKEN_REQUEST_TAG = "httpsig-oauth", "httpsig-oauth-token-request"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
OTHER = {"ES256": "Ed25519", "Ed25519": "ES256"}

invalid = about()
named = about("request_names_no_key", actors=(RS,))
valued = about("key_comes_by_value", actors=(AS,))
unusable = about("brought_key_is_usable", actors=(AS,))
untagged_presentation = about("tag_is_for_a_presentation", actors=(RS,))
untagged_introduction = about("tag_is_for_a_token_request", actors=(AS,))


def algorithm_of(lab: Lab) -> str:
    return SIGNATURE_ALGORITHMS[lab.holder.algorithm]


def pub_of(holder: SigningKey) -> bytes:
    return public_octets(holder.public_jwk)


def own(**parameters: Callable[[Lab], Any]) -> Make:
    """Sign again with parameters that follow from the holder's own key."""
    return lambda lab, request: resigned(
        lab, request, parameters={name: value(lab) for name, value in parameters.items()}
    )


def by_the_thief(lab: Lab, request: Request) -> Request:
    return resigned(lab, request, key=lab.thief)


def by_the_thief_with_its_key(lab: Lab, request: Request) -> Request:
    """Bring the thief's key at the resource server, where the token names the key."""
    parameters = {"alg": "ecdsa-p256-sha256", "pub": pub_of(lab.thief)}
    return resigned(lab, request, key=lab.thief, parameters=parameters)


def der(value: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))


SIGNATURES = (
    invalid("HS-18", "by another key", "9421 7.3.4", by_the_thief),
    *(invalid("HS-34", what, "9421 3.3", octets(change)) for what, change in {
        "empty": lambda _: b"", "cut": lambda value: value[:-1], "an octet more": lambda value: value + b"\0",
        "zeros (CVE-2022-21449)": lambda _: bytes(64), "r and s the order": lambda _: ORDER.to_bytes(32) * 2,
        "DER": der, "all ones": lambda _: b"\xff" * 64, "turned round": lambda value: value[32:] + value[:32],
        "one bit": lambda value: bytes([value[0] ^ 1]) + value[1:], "r alone": lambda value: value[:32],
        "twice": lambda value: value * 2, "a zero before s": lambda value: value[:32] + b"\0" + value[32:], "a megabyte": lambda value: bytes(10**6),
    }.items()),
)  # fmt: skip
PRESENTED = (
    named("HS-19", "alg, the right one", "9421 7.3.6", own(alg=algorithm_of)),
    *(named("HS-19b", f"alg {alg}", "9421 7.3.6", signed(alg=alg)) for alg in (
        "rsa-v1_5-sha256", "rsa-pss-sha512", "hmac-sha256", "ecdsa-p384-sha384", "none", "", 1, True
    )),
    named("HS-X5", "keyid", "draft, Presenting", signed(keyid="mine")),
    named("HS-X5b", "keyid empty", "draft, Presenting", signed(keyid="")),
    named("HS-X5c", "pub, the holder's own", "draft, Presenting", own(pub=lambda lab: pub_of(lab.holder))),
    named("HS-X5d", "pub a string", "draft, Presenting", signed(pub="x")),
    named("HS-X5e", "the thief's key and signature", "draft, Presenting", by_the_thief_with_its_key),
    untagged_presentation("HS-32i", "the tag of a token request", "9421 7.2.7", signed(tag=TOKEN_REQUEST_TAG)),
)  # fmt: skip
INTRODUCED = (
    untagged_introduction("HS-32j", "the tag of a presentation", "9421 7.2.7", signed(tag=TAG)),
    valued("HS-X6", "pub without alg", "draft, Token Request", signed(alg=GONE)),
    valued("HS-X6b", "alg without pub", "draft, Token Request", signed(pub=GONE)),
    valued("HS-X6c", "neither", "draft, Token Request", signed(alg=GONE, pub=GONE)),
    valued("HS-X6d", "keyid as well", "draft, Token Request", signed(keyid="mine")),
    valued("HS-X6e", "keyid alone", "draft, Token Request", signed(alg=GONE, pub=GONE, keyid="mine")),
    valued("HS-X6f", "pub a string", "draft, Token Request", signed(pub=b64url)),
    valued("HS-X6g", "alg a token", "draft, Token Request", signed(alg=http_sf.Token)),
    valued("HS-X6h", "alg true", "draft, Token Request", signed(alg=True)),
    *(unusable("HS-19c", f"alg {alg}", "9421 3.3", signed(alg=alg)) for alg in (
        "rsa-v1_5-sha256", "rsa-pss-sha512", "hmac-sha256", "ecdsa-p384-sha384", "none", "", "ES256", "Ed25519", "ECDSA-P256-SHA256"
    )),
    unusable("HS-19d", "the other kind's alg", "9421 3.3", own(alg=lambda lab: SIGNATURE_ALGORITHMS[OTHER[lab.holder.algorithm]])),
    *(unusable("HS-X7", f"pub {what}", "draft, Embedding", signed(pub=change)) for what, change in {
        "empty": b"", "cut": lambda pub: pub[:-1], "an octet more": lambda pub: pub + b"\0",
        "compressed": lambda pub: bytes([2 + pub[-1] % 2]) + pub[-64:-32], "hybrid": lambda pub: b"\x06" + pub[-64:],
        "infinity": b"\0", "off the curve": b"\4" + bytes(63) + b"\1", "huge": bytes(4096),
    }.items()),
    about("signature_is_by_the_brought_key", Reason.PROOF_SIGNATURE_INVALID, (AS,))(
        "HS-X8", "another's key", "9421 3.2", lambda lab, request: resigned(lab, request, parameters={
            "alg": "ecdsa-p256-sha256", "pub": pub_of(lab.thief)}, key=lab.holder)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("row", "actor", "algorithm"), cases((*SIGNATURES, *PRESENTED, *INTRODUCED))
)
def test_a_signature_by_no_key_of_the_senders_is_refused(
    lab: Lab, row: object, actor: str, algorithm: str
) -> None:
    run(lab, row, actor, algorithm)  # type: ignore[arg-type]


def bound_to(lab: Lab, cnf: Any) -> Request:
    """Present a token with another `cnf`, signed by the issuer; the holder signs the request."""
    token = lab.token("http_signature", "signing").access_token
    changed = Jws.of(token, lab.issuer_key).text(Change(claims={"cnf": cnf}))
    return HTTP_SIGNATURE.attach(Request("GET", RECORD), lab.presentation(changed))


def point(pub: str, change: Callable[[bytes], bytes]) -> str:
    return b64url(change(b64url_decode(pub)))


KEYS: dict[str, Callable[[str, str], Any]] = {
    "an array": lambda alg, pub: [alg, pub],
    "text": lambda _, pub: pub,
    "null": lambda *_: None,
    "true": lambda *_: True,
    "an empty object": lambda *_: {},
    "no alg": lambda _, pub: {"pub": pub},
    "no pub": lambda alg, _: {"alg": alg},
    "alg null": lambda _, pub: {"alg": None, "pub": pub},
    "alg an array": lambda alg, pub: {"alg": [alg], "pub": pub},
    "alg by its JWS name": lambda _, pub: {"alg": "ES256", "pub": pub},
    "alg symmetric": lambda _, pub: {"alg": "hmac-sha256", "pub": pub},
    "alg in capitals": lambda alg, pub: {"alg": alg.upper(), "pub": pub},
    "pub a number": lambda alg, _: {"alg": alg, "pub": 1},
    "pub an array": lambda alg, pub: {"alg": alg, "pub": [pub]},
    "pub padded": lambda alg, pub: {"alg": alg, "pub": f"{pub}="},
    "pub in hexadecimal": lambda alg, pub: {"alg": alg, "pub": b64url_decode(pub).hex()},
    "pub in another alphabet": lambda alg, pub: {"alg": alg, "pub": b64encode(b64url_decode(pub)).decode()},
    "pub a byte sequence": lambda alg, pub: {"alg": alg, "pub": f":{pub}:"},
    "pub cut": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[:-1])},
    "pub compressed": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: b"\2" + o[1:33])},
    "pub without its form": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[1:])},
    "pub off the curve": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[:-1] + bytes([o[-1] ^ 1]))},
    "pub empty": lambda alg, _: {"alg": alg, "pub": ""},
    "pub beyond ASCII": lambda alg, _: {"alg": alg, "pub": "\xe9"},
}  # fmt: skip


def confirmation(holder: SigningKey) -> dict[str, str]:
    return {"alg": SIGNATURE_ALGORITHMS[holder.algorithm], "pub": b64url(pub_of(holder))}


@pytest.mark.parametrize("what", KEYS)
def test_a_confirmation_of_another_shape_names_no_key(lab: Lab, what: str) -> None:
    """HS-X9: nothing verifies against it, and nothing falls over."""
    key = confirmation(lab.holder)
    assert_served(lab, bound_to(lab, {"htsk": key}))
    assert_not_served(lab, bound_to(lab, {"htsk": KEYS[what](key["alg"], key["pub"])}), RS)
    assert_served(lab, bound_to(lab, {"htsk": key}))


def test_a_confirmation_with_the_other_kinds_algorithm_names_no_key(lab: Lab) -> None:
    """HS-19: octets of one kind of key are none of the other."""
    for holder in HOLDERS.values():
        lab.holder = holder
        other = SIGNATURE_ALGORITHMS[OTHER[holder.algorithm]]
        assert_not_served(lab, bound_to(lab, {"htsk": {**confirmation(holder), "alg": other}}), RS)


@pytest.mark.parametrize("member", ["jwk", "htsK", "kid", "httpsig", "pub"])
def test_another_member_is_not_looked_at(lab: Lab, member: str) -> None:
    """HS-X9: the profile has one member; docs/decisions/0008-htsk.md says why not `jwk`."""
    value = lab.holder.public_jwk if member == "jwk" else confirmation(lab.holder)
    refusal = {"reason": Reason.BINDING_UNSUPPORTED, "check": "one_accepted_binding_is_named"}
    bad = bound_to(lab, {member: value})
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    assert_served(lab, bound_to(lab, {member: value, "htsk": confirmation(lab.holder)}))


def test_two_known_members_are_refused(lab: Lab) -> None:
    """AT-19."""
    refusal = {"reason": Reason.BINDING_UNSUPPORTED, "check": "one_accepted_binding_is_named"}
    for beside in ("jkt", "x5t#S256"):
        bad = bound_to(lab, {"htsk": confirmation(lab.holder), beside: "x"})
        assert_refused(lab, bad, status=401, error="invalid_token", **refusal)


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


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP", "Basic"])
def test_a_bound_token_under_another_scheme_is_refused(lab: Lab, scheme: str) -> None:
    """The downgrade: with the signature and without."""
    request = good(lab, RS)
    token = str(request.value("Authorization")).removeprefix("HTTPSig ")
    bad = request.without("Authorization").adding("Authorization", f"{scheme} {token}")
    for tried in (resigned(lab, bad), bad.without("Signature", "Signature-Input")):
        response = answer(lab, tried)
        assert lab.event is not None
        reason = "NO_CREDENTIALS" if scheme == "Basic" else "SCHEME_MISMATCH"
        assert (response.status, lab.event["reason"]) == (401, reason)
    assert_served(lab, request)


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
