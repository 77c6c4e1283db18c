"""Section 10 of the catalogue: by whose key, with which algorithm, and for which use."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import http_sf
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE, Change
from labsim.catalogue.presenting import proofless, refused, served, with_token
from labsim.catalogue.signature_changes import (
    FORGED,
    ORDER,
    about,
    octets,
    own,
    resigned,
    signed,
)
from labsim.catalogue.vector import Actor, Force, Make, Needs, Section, Vector
from labsim.http_message import Request
from labsim.jose import b64url, b64url_decode
from labsim.keys import SIGNATURE_ALGORITHMS, SigningKey, public_octets
from labsim.rejection import Reason

RS, AS = (Actor.RS,), (Actor.AS,)
TAG, TOKEN_REQUEST_TAG = "httpsig-oauth", "httpsig-oauth-token-request"
OTHER = {"ES256": "Ed25519", "Ed25519": "ES256"}
DRAFT = "draft-richer-oauth-httpsig-03"
OWN_KEY = "the attacker says which key counts: a stolen token works with the attacker's"
OTHER_USE = "a signature that was made for another use is good for a token"
UNBOUND = "a bound token is good without its key"

invalid = about()
named = about("request_names_no_key", actors=RS, gain=OWN_KEY, force=Force.MUST_PROFILE)
valued = about("key_comes_by_value", actors=AS, gain=OWN_KEY, force=Force.MUST_PROFILE)
unusable = about("brought_key_is_usable", actors=AS, gain=FORGED)
presentation = about("tag_is_for_a_presentation", actors=RS, gain=OTHER_USE)
introduction = about("tag_is_for_a_token_request", actors=AS, gain=OTHER_USE)
brought = about("signature_is_by_the_brought_key", Reason.PROOF_SIGNATURE_INVALID, AS)


def algorithm_of(good: GoodRequest) -> str:
    """Return the registry's name of the holder's algorithm."""
    return SIGNATURE_ALGORITHMS[good.holder.algorithm]


def pub_of(key: SigningKey) -> bytes:
    """Return a key's public octets."""
    return public_octets(key.public_jwk)


def by_the_thief(good: GoodRequest) -> Request:
    """Sign with the thief's key."""
    return resigned(good, key=good.stranger)


def by_the_thief_with_its_key(good: GoodRequest) -> Request:
    """Bring the thief's key at the resource server, where the token names the key."""
    parameters = {"alg": "ecdsa-p256-sha256", "pub": pub_of(good.stranger)}
    return resigned(good, key=good.stranger, parameters=parameters)


def by_the_holder_with_the_thiefs_key(good: GoodRequest) -> Request:
    """Bring somebody else's key, and sign with one's own."""
    parameters = {"alg": "ecdsa-p256-sha256", "pub": pub_of(good.stranger)}
    return resigned(good, parameters=parameters)


def der(value: bytes) -> bytes:
    """Write the signature as DER, as X.509 does."""
    return encode_dss_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:]))


SIGNATURES = (
    invalid("HS-18", "by another key", "9421 7.3.4", by_the_thief),
    *(invalid("HS-34k", f"octets {what}", "9421 3.3", octets(change)) for what, change in {
        "empty": lambda _: b"", "cut": lambda value: value[:-1], "one more": lambda value: value + b"\0",
        "zeros (CVE-2022-21449)": lambda _: bytes(64), "r and s the order": lambda _: ORDER.to_bytes(32) * 2,
        "DER": der, "all ones": lambda _: b"\xff" * 64, "turned round": lambda value: value[32:] + value[:32],
        "one bit": lambda value: bytes([value[0] ^ 1]) + value[1:], "r alone": lambda value: value[:32],
        "twice": lambda value: value * 2, "a zero before s": lambda value: value[:32] + b"\0" + value[32:], "six thousand": lambda value: bytes(6000),
    }.items()),
)  # fmt: skip
PRESENTED = (
    named("HS-19", "alg, the right one", "9421 7.3.6", own(alg=algorithm_of)),
    *(named("HS-19b", f"alg {alg}", "9421 7.3.6", signed(alg=alg)) for alg in (
        "rsa-v1_5-sha256", "rsa-pss-sha512", "hmac-sha256", "ecdsa-p384-sha384", "none", "", 1, True
    )),
    named("HS-X5", "keyid", f"{DRAFT} section Presenting", signed(keyid="mine")),
    named("HS-X5b", "keyid empty", f"{DRAFT} section Presenting", signed(keyid="")),
    named("HS-X5c", "pub, the holder's own", f"{DRAFT} section Presenting", own(pub=lambda good: pub_of(good.holder))),
    named("HS-X5d", "pub a string", f"{DRAFT} section Presenting", signed(pub="x")),
    named("HS-X5e", "the thief's key and signature", f"{DRAFT} section Presenting", by_the_thief_with_its_key),
    presentation("HS-32i", "the tag of a token request", "9421 7.2.7", signed(tag=TOKEN_REQUEST_TAG)),
)  # fmt: skip
ASKING = f"{DRAFT} section Token Request"
INTRODUCED = (
    introduction("HS-32j", "the tag of a presentation", "9421 7.2.7", signed(tag=TAG)),
    valued("HS-X6", "pub without alg", ASKING, signed(alg=GONE)),
    valued("HS-X6b", "alg without pub", ASKING, signed(pub=GONE)),
    valued("HS-X6c", "neither", ASKING, signed(alg=GONE, pub=GONE)),
    valued("HS-X6d", "keyid as well", ASKING, signed(keyid="mine")),
    valued("HS-X6e", "keyid alone", ASKING, signed(alg=GONE, pub=GONE, keyid="mine")),
    valued("HS-X6f", "pub a string", ASKING, signed(pub=b64url)),
    valued("HS-X6g", "alg a token", ASKING, signed(alg=http_sf.Token)),
    valued("HS-X6h", "alg true", ASKING, signed(alg=True)),
    *(unusable("HS-19c", f"alg {alg}", "9421 3.3", signed(alg=alg)) for alg in (
        "rsa-v1_5-sha256", "rsa-pss-sha512", "hmac-sha256", "ecdsa-p384-sha384", "none", "", "ES256", "Ed25519", "ECDSA-P256-SHA256"
    )),
    unusable("HS-19d", "the other kind's alg", "9421 3.3", own(alg=lambda good: SIGNATURE_ALGORITHMS[OTHER[good.holder.algorithm]])),
    *(unusable("HS-X7", f"pub {what}", f"{DRAFT} section Embedding", signed(pub=change)) for what, change in {
        "empty": b"", "cut": lambda pub: pub[:-1], "an octet more": lambda pub: pub + b"\0",
        "compressed": lambda pub: bytes([2 + pub[-1] % 2]) + pub[-64:-32], "hybrid": lambda pub: b"\x06" + pub[-64:],
        "infinity": b"\0", "off the curve": b"\4" + bytes(63) + b"\1", "huge": bytes(4096),
    }.items()),
    brought("HS-X8", "another's key", "9421 3.2", by_the_holder_with_the_thiefs_key),
)  # fmt: skip


def confirmation(key: SigningKey) -> dict[str, str]:
    """Return what the token says of its key."""
    return {"alg": SIGNATURE_ALGORITHMS[key.algorithm], "pub": b64url(pub_of(key))}


def bound_to(cnf: Callable[[SigningKey], Any]) -> Make:
    """Present a token with another `cnf`, signed by the issuer; the holder signs the request."""
    return with_token(lambda good: Change(claims={"cnf": cnf(good.holder)}))


def point(pub: str, change: Callable[[bytes], bytes]) -> str:
    """Change the octets of a key."""
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
    "alg of the other kind": lambda alg, pub: {"alg": next(a for a in SIGNATURE_ALGORITHMS.values() if a != alg), "pub": pub},
    "pub a number": lambda alg, _: {"alg": alg, "pub": 1},
    "pub an array": lambda alg, pub: {"alg": alg, "pub": [pub]},
    "pub padded": lambda alg, pub: {"alg": alg, "pub": f"{pub}="},
    "pub in hexadecimal": lambda alg, pub: {"alg": alg, "pub": b64url_decode(pub).hex()},
    "pub in another alphabet": lambda alg, pub: {"alg": alg, "pub": b64encode(b64url_decode(pub)).decode()},
    "pub a byte sequence": lambda alg, pub: {"alg": alg, "pub": f":{pub}:"},
    "pub cut": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[:-1])},
    "pub compressed": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: b"\2" + o[1:33])},
    "pub without its form": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[1:])},
    "pub with one bit changed": lambda alg, pub: {"alg": alg, "pub": point(pub, lambda o: o[:-1] + bytes([o[-1] ^ 1]))},
    "pub empty": lambda alg, _: {"alg": alg, "pub": ""},
    "pub beyond ASCII": lambda alg, _: {"alg": alg, "pub": "\xe9"},
}  # fmt: skip


def alone(member: str) -> Make:
    """Name the key by another member."""
    return bound_to(lambda key: {member: confirmation(key)})


def beside(member: str) -> Make:
    """Put another member beside the one that names the key."""
    return bound_to(lambda key: {member: "x", "htsk": confirmation(key)})


def shaped(what: str, shape: Callable[[str, str], Any]) -> Vector:
    """Make the row about a confirmation of another shape, which names no key."""
    cnf = bound_to(lambda key: {"htsk": shape(*confirmation(key).values())})
    how: dict[str, Any] = {"reason": Reason.BINDING_MISMATCH, "needs": Needs.ISSUER}
    how |= {"check": "signature_is_by_the_bound_key", "binding": "http_signature"}
    return refused("HS-X9", f"htsk {what}", "7800 3.1", cnf, gain=UNBOUND, **how)


SIGNED: dict[str, Any] = {"binding": "http_signature", "needs": Needs.ISSUER}
UNNAMED: dict[str, Any] = {
    "reason": Reason.BINDING_UNSUPPORTED,
    "check": "one_accepted_binding_is_named",
    "gain": UNBOUND,
    **SIGNED,
}
MEMBERS = ("jwk", "htsK", "kid", "httpsig", "pub")
CONFIRMATIONS = (
    *(shaped(what, shape) for what, shape in KEYS.items()),
    *(refused("HS-X9b", f"{member} alone", "7800 3.1", alone(member), **UNNAMED) for member in MEMBERS),
    *(served("HS-X9c", f"{member} beside htsk", "7800 3.1", beside(member), **SIGNED) for member in MEMBERS),
    *(refused("HS-X9d", f"{member} beside htsk", "7800 3.1", beside(member), **UNNAMED) for member in ("jkt", "x5t#S256")),
)  # fmt: skip


def under(scheme: str) -> Make:
    """Present the token under another scheme, and sign the request as it then is."""

    def make(good: GoodRequest) -> Request:
        request = good.request.without("Authorization")
        return resigned(good, request.adding("Authorization", f"{scheme} {good.token}"))

    return make


def unsigned(scheme: str) -> Make:
    """Present the token under another scheme, and sign nothing."""
    return lambda good: proofless(f"{scheme} {{}}")(good).without("Signature", "Signature-Input")


DOWNGRADED: dict[str, Any] = {
    "binding": "http_signature",
    "reason": Reason.SCHEME_MISMATCH,
    "check": "scheme_is_the_bindings",
    "gain": "a stolen token works as a bearer token",
}
SCHEMES = tuple(
    refused("HS-X10", f"under {scheme} {how}", "9421 7.2.1", make(scheme), on=(scheme,), **DOWNGRADED)
    for scheme in ("Bearer", "DPoP")
    for how, make in (("with a signature", under), ("with none", unsigned))
)  # fmt: skip

SECTION = Section(
    name="http_signature_keys",
    number=10,
    title="HTTP message signatures: keys, algorithms, uses",
    vectors=(
        *(vector for row in (*SIGNATURES, *PRESENTED, *INTRODUCED) for vector in row),
        *CONFIRMATIONS,
        *SCHEMES,
    ),
)
