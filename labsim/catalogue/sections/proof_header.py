"""Section 2 of the catalogue: the JOSE header of a DPoP proof."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import GONE, Change
from labsim.catalogue.proof_changes import MakeChange, proof, rows, together
from labsim.catalogue.vector import Force, Section, Vector
from labsim.jose import b64url, b64url_decode
from labsim.keys import SigningKey

SYMMETRIC = {"kty": "oct", "k": b64url(b"a secret that everyone can read")}
# Points on the curves, with no private half that anybody keeps: nobody signs with them here.
_P384, _SECP256K1 = ec.SECP384R1(), ec.SECP256K1()

TYP, ALG, JWK = "typ_is_dpop_jwt", "algorithm_is_asymmetric_and_offered", "key_is_usable"
THERE, KEYS, PUBLIC = "required_members_are_there", "algorithm_is_the_keys", "key_is_public"
CRIT = "no_critical_extension"
GAINS = {
    TYP: "another JWT that the same key has signed passes as a proof",
    ALG: "a proof needs no private key: anybody can make one for a stolen token",
    JWK: "a proof by a key that is none, or that the attacker can compute",
    THERE: "a proof whose key the server has to look for where the attacker says",
    KEYS: "a signature that is judged by another algorithm than its key's",
    PUBLIC: "whoever sees one proof has the key to all that follow",
    CRIT: "a rule that the signer asked for is passed over",
}


def curve_jwk(curve: ec.EllipticCurve, name: str) -> dict[str, str]:
    """Return a public key on this curve: that of the private key 1, the same each time."""
    numbers = ec.derive_private_key(1, curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    x, y = b64url(numbers.x.to_bytes(size)), b64url(numbers.y.to_bytes(size))
    return {"kty": "EC", "crv": name, "x": x, "y": y}


def rsa_jwk(bits: int, **more: str) -> dict[str, str]:
    """Return an RSA key of that size; nobody needs to sign with it."""
    n = b64url((2 ** (bits - 1) + 1).to_bytes(bits // 8))
    return {"kty": "RSA", "n": n, "e": "AQAB", **more}


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    """Sign as HS256 does, with this secret."""
    return lambda message: hmac.digest(secret, message, hashlib.sha256)


def public_pem(key: SigningKey) -> bytes:
    """Return the public half of a key as PEM, which anybody can read."""
    return key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def with_members(**members: Any) -> Callable[[Any], Any]:
    """Change members of the jwk."""
    return lambda jwk: {name: v for name, v in {**jwk, **members}.items() if v is not GONE}


def off_the_curve(jwk: Any) -> Any:
    """Move the point off its curve."""
    if "y" not in jwk:
        raise CannotBeMade("every 32 octets are taken for a key of this kind")
    y = bytearray(b64url_decode(jwk["y"]))
    y[-1] ^= 1
    return {**jwk, "y": b64url(bytes(y))}


def all_zeros(jwk: Any) -> Any:
    """Put the point at zero."""
    if "y" not in jwk:
        raise CannotBeMade("every 32 octets are taken for a key of this kind")
    return {**jwk, "x": "A" * 43, "y": "A" * 43}


def confused(good: GoodRequest) -> Change:
    """Use the public key as the secret of an HMAC."""
    return Change(header={"alg": "HS256"}, sign=hmac_with(public_pem(good.holder)))


def over_the_raw_payload(good: GoodRequest) -> Change:
    """Sign as RFC 7797 does with `b64` false."""

    def sign(signing_input: bytes) -> bytes:
        header, payload = signing_input.split(b".")
        return good.holder.sign(header + b"." + b64url_decode(payload.decode()))

    return Change(header={"b64": False, "crit": ["b64"]}, sign=sign)


def row(
    id: str,
    what: str,
    source: str,
    check: str,
    change: Change | MakeChange | None = None,
    force: Force = Force.MUST,
    **header: Any,
) -> tuple[Vector, ...]:
    """Make a row about the header; `header` are its changes where there is no other change."""
    make = proof(change or Change(header=header))
    return rows(id, what, source, make, check=check, gain=GAINS[check], force=force)


def symmetric(good: GoodRequest) -> Change:
    """Sign with a secret, and give the secret along as the key."""
    del good
    secret = b64url_decode(SYMMETRIC["k"])
    return Change(header={"alg": "HS256", "jwk": SYMMETRIC}, sign=hmac_with(secret))


UNSIGNED = Change(header={"alg": "none"}, sign=lambda _: b"")
P384, K256 = curve_jwk(_P384, "P-384"), curve_jwk(_SECP256K1, "secp256k1")
VECTORS = together(
    row("DH-01", "typ missing", "9449 4.3-4", TYP, typ=GONE),
    row("DH-02", "typ JWT", "9449 11.5", TYP, typ="JWT"),
    row("DH-03", "typ of an access token", "9449 11.5", TYP, typ="at+jwt"),
    row("DH-04", "typ in another case", "9449 4.3-4", TYP, force=Force.POLICY, typ="DPoP+JWT"),
    row("DH-05", "typ as a whole media type", "7515 4.1.9", TYP, force=Force.POLICY, typ="application/dpop+jwt"),
    row("DH-06", "typ an array", "9449 4.3-4", TYP, typ=["dpop+jwt"]),
    row("DH-07", "alg none", "9449 11.6", ALG, UNSIGNED),
    row("DH-09", "alg missing", "9449 4.2", ALG, alg=GONE),
    row("DH-10", "HS256 with the secret in the jwk", "9449 4.3-5", ALG, symmetric),
    row("DH-11", "HS256 keyed with the public key", "8725 2.1", ALG, confused),
    row("DH-13", "the key's own alg over a symmetric jwk", "9449 4.3-6", JWK, jwk=SYMMETRIC),
    row("DH-14", "unregistered alg", "9449 4.3-5", ALG, alg="ES257"),
    row("DH-14b", "alg in lower case", "7515 4.1.1", ALG, alg=str.lower),
    row("DH-14c", "alg with a space behind", "7515 4.1.1", ALG, alg=lambda alg: f"{alg} "),
    row("DH-15", "alg a number", "9449 4.3-5", ALG, alg=256),
    row("DH-15b", "alg a boolean", "9449 4.3-5", ALG, alg=True),
    row("DH-15c", "alg an array", "9449 4.3-5", ALG, alg=["ES256"]),
    row("DH-16", "a P-384 key", "7518 3.4", JWK, jwk=P384),
    row("DH-17", "an RSA key", "9449 4.3-6", KEYS, jwk=rsa_jwk(2048)),
    row("DH-17b", "the algorithm of another kind of key", "9449 4.3-6", KEYS, alg=lambda alg: "Ed25519" if alg == "ES256" else "ES256"),
    row("DH-17c", "RS256, which is not offered", "9449 4.3-5", ALG, alg="RS256", jwk=rsa_jwk(2048)),
    row("DH-18", "ES256K", "9449 4.3-5", ALG, alg="ES256K", jwk=K256),
    row("DH-18b", "a secp256k1 key", "9449 4.3-6", JWK, jwk=K256),
    row("DH-19", "RSA under 2048 bits", "7518 3.3", JWK, jwk=rsa_jwk(1024)),
    row("DH-20", "jwk missing", "9449 4.3-3", THERE, jwk=GONE),
    row("DH-21", "jwk null", "9449 4.2", THERE, jwk=None),
    row("DH-21b", "jwk a text", "9449 4.2", THERE, jwk="key"),
    row("DH-21c", "jwk an array", "9449 4.2", THERE, jwk=lambda jwk: [jwk]),
    row("DH-22", "jwk a JWK set", "9449 4.2", JWK, jwk=lambda jwk: {"keys": [jwk]}),
    row("DH-23", "the private key in the jwk", "9449 4.3-7", PUBLIC, lambda good: Change(header={"jwk": good.holder.private_jwk})),
    row("DH-24", "an RSA private key", "9449 4.3-7", KEYS, jwk=rsa_jwk(2048, d="AQ", p="AQ", q="AQ")),
    row("DH-24b", "p and q without d", "9449 4.3-7", PUBLIC, jwk=with_members(p="AQ", q="AQ")),
    row("DH-24c", "a secret beside the key", "7518 6.4.1", PUBLIC, jwk=with_members(k="AQ")),
    row("DH-25", "jwk without its last coordinate", "7518 6.2.1", JWK, jwk=lambda jwk: {n: v for n, v in jwk.items() if n != ("y" if "y" in jwk else "x")}),
    row("DH-25b", "x of 31 octets", "7518 6.2.1.2", JWK, jwk=with_members(x=b64url(bytes(31)))),
    row("DH-25c", "x a number", "7518 6.2.1.2", JWK, jwk=with_members(x=1)),
    row("DH-26", "point not on the curve", "8725 3.4", JWK, jwk=off_the_curve),
    row("DH-26b", "all zeros", "8725 3.4", JWK, jwk=all_zeros),
    row("DH-29", "key by jku", "9449 4.2", THERE, jwk=GONE, jku="https://thief.test/jwks"),
    row("DH-29b", "key by kid", "9449 4.2", THERE, jwk=GONE, kid="1"),
    row("DH-29c", "key by certificate", "9449 4.2", THERE, jwk=GONE, x5c=["AAAA"]),
    row("DH-31", "crit empty", "7515 4.1.11", CRIT, crit=[]),
    row("DH-31b", "crit names an extension", "7515 4.1.11", CRIT, crit=["exp"], exp=1),
    row("DH-32", "b64 false, signed over the raw payload", "7797 3", CRIT, over_the_raw_payload),
)  # fmt: skip

SECTION = Section(name="proof_header", number=2, title="DPoP proof: JOSE header", vectors=VECTORS)
