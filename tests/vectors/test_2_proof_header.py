"""Section 2 of the catalogue: the JOSE header of a DPoP proof."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.jose import b64url, b64url_decode
from labsim.keys import SigningKey, public_key
from tests.jws import GONE, Change
from tests.vectors.proof_rows import ProofRow, cases, run
from tests.wiring import Lab

ANY_KEY = SigningKey.generate()
SYMMETRIC = {"kty": "oct", "k": b64url(b"a secret that everyone can read")}


def curve_jwk(curve: ec.EllipticCurve, name: str) -> dict[str, str]:
    numbers = ec.generate_private_key(curve).public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    x, y = b64url(numbers.x.to_bytes(size)), b64url(numbers.y.to_bytes(size))
    return {"kty": "EC", "crv": name, "x": x, "y": y}


def rsa_jwk(bits: int, **more: str) -> dict[str, str]:
    """Return an RSA key of that size; nobody needs to sign with it."""
    return {
        "kty": "RSA",
        "n": b64url((2 ** (bits - 1) + 1).to_bytes(bits // 8)),
        "e": "AQAB",
        **more,
    }


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda message: hmac.digest(secret, message, hashlib.sha256)


def public_pem(key: SigningKey) -> bytes:
    return key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def with_members(**members: Any) -> Callable[[Any], Any]:
    return lambda jwk: {name: v for name, v in {**jwk, **members}.items() if v is not GONE}


def off_the_curve(jwk: Any) -> Any:
    y = bytearray(b64url_decode(jwk["y"]))
    y[-1] ^= 1
    return {**jwk, "y": b64url(bytes(y))}


def over_the_raw_payload(signing_input: bytes) -> bytes:
    """Sign as RFC 7797 does with `b64` false."""
    header, payload = signing_input.split(b".")
    return ANY_KEY.sign(header + b"." + b64url_decode(payload.decode()))


TYP, ALG, JWK = "typ_is_dpop_jwt", "algorithm_is_asymmetric_and_offered", "key_is_usable"
THERE, KEYS, PUBLIC = "required_members_are_there", "algorithm_is_the_keys", "key_is_public"
CRIT = "no_critical_extension"


def row(
    id: str, what: str, source: str, check: str, change: Change | None = None, **header: Any
) -> ProofRow:
    return ProofRow(
        id=id, what=what, source=source, check=check, change=change or Change(header=header)
    )


ROWS = (
    row("DH-01", "typ missing", "9449 4.3-4", TYP, typ=GONE),
    row("DH-02", "typ JWT", "9449 11.5", TYP, typ="JWT"),
    row("DH-03", "typ of an access token", "9449 11.5", TYP, typ="at+jwt"),
    row("DH-04", "typ in another case", "9449 4.3-4", TYP, typ="DPoP+JWT"),
    row("DH-05", "typ as a whole media type", "7515 4.1.9", TYP, typ="application/dpop+jwt"),
    row("DH-06", "typ an array", "9449 4.3-4", TYP, typ=["dpop+jwt"]),
    row("DH-07", "alg none", "9449 11.6", ALG, Change(header={"alg": "none"}, sign=lambda _: b"")),
    row("DH-09", "alg missing", "9449 4.2", ALG, alg=GONE),
    row(
        "DH-10",
        "HS256 with the secret in the jwk",
        "9449 4.3-5",
        ALG,
        Change(
            header={"alg": "HS256", "jwk": SYMMETRIC},
            sign=hmac_with(b64url_decode(SYMMETRIC["k"])),
        ),
    ),
    row(
        "DH-11",
        "HS256 keyed with the public key",
        "8725 2.1",
        ALG,
        Change(
            header={"alg": "HS256", "jwk": ANY_KEY.public_jwk}, sign=hmac_with(public_pem(ANY_KEY))
        ),
    ),
    row("DH-13", "ES256 over a symmetric jwk", "9449 4.3-6", JWK, jwk=SYMMETRIC),
    row("DH-14", "unregistered alg", "9449 4.3-5", ALG, alg="ES257"),
    row("DH-15", "alg a number", "9449 4.3-5", ALG, alg=256),
    row("DH-15b", "alg a boolean", "9449 4.3-5", ALG, alg=True),
    row("DH-15c", "alg an array", "9449 4.3-5", ALG, alg=["ES256"]),
    row("DH-16", "ES256 with a P-384 key", "7518 3.4", JWK, jwk=curve_jwk(ec.SECP384R1(), "P-384")),
    row("DH-17", "ES256 with an RSA key", "9449 4.3-6", KEYS, jwk=rsa_jwk(2048)),
    row("DH-17b", "Ed25519 with an EC key", "9449 4.3-6", KEYS, alg="Ed25519"),
    row("DH-17c", "RS256, which is not offered", "9449 4.3-5", ALG, alg="RS256", jwk=rsa_jwk(2048)),
    row(
        "DH-18",
        "ES256K",
        "9449 4.3-5",
        ALG,
        alg="ES256K",
        jwk=curve_jwk(ec.SECP256K1(), "secp256k1"),
    ),
    row("DH-18b", "a secp256k1 key", "9449 4.3-6", JWK, jwk=curve_jwk(ec.SECP256K1(), "secp256k1")),
    row("DH-19", "RSA under 2048 bits", "7518 3.3", JWK, jwk=rsa_jwk(1024)),
    row("DH-20", "jwk missing", "9449 4.3-3", THERE, jwk=GONE),
    row("DH-21", "jwk null", "9449 4.2", THERE, jwk=None),
    row("DH-21b", "jwk a text", "9449 4.2", THERE, jwk="key"),
    row("DH-21c", "jwk an array", "9449 4.2", THERE, jwk=lambda jwk: [jwk]),
    row("DH-22", "jwk a JWK set", "9449 4.2", JWK, jwk=lambda jwk: {"keys": [jwk]}),
    row("DH-23", "the private key in the jwk", "9449 4.3-7", PUBLIC, jwk=with_members(d="AQ")),
    row(
        "DH-24", "an RSA private key", "9449 4.3-7", KEYS, jwk=rsa_jwk(2048, d="AQ", p="AQ", q="AQ")
    ),
    row("DH-24b", "p and q without d", "9449 4.3-7", PUBLIC, jwk=with_members(p="AQ", q="AQ")),
    row("DH-24c", "a secret beside the key", "7518 6.4.1", PUBLIC, jwk=with_members(k="AQ")),
    row("DH-25", "jwk without y", "7518 6.2.1", JWK, jwk=with_members(y=GONE)),
    row("DH-25b", "y of 31 octets", "7518 6.2.1.3", JWK, jwk=with_members(y=b64url(bytes(31)))),
    row("DH-25c", "y a number", "7518 6.2.1.3", JWK, jwk=with_members(y=1)),
    row("DH-26", "point not on the curve", "8725 3.4", JWK, jwk=off_the_curve),
    row("DH-26b", "all zeros", "8725 3.4", JWK, jwk=with_members(x="A" * 43, y="A" * 43)),
    row("DH-29", "key by jku", "9449 4.2", THERE, jwk=GONE, jku="https://thief.test/jwks"),
    row("DH-29b", "key by kid", "9449 4.2", THERE, jwk=GONE, kid="1"),
    row("DH-29c", "key by certificate", "9449 4.2", THERE, jwk=GONE, x5c=["AAAA"]),
    row("DH-31", "crit empty", "7515 4.1.11", CRIT, crit=[]),
    row("DH-31b", "crit names an extension", "7515 4.1.11", CRIT, crit=["exp"], exp=1),
    row(
        "DH-32",
        "b64 false, signed over the raw payload",
        "7797 3",
        CRIT,
        Change(
            header={"b64": False, "crit": ["b64"], "jwk": ANY_KEY.public_jwk},
            sign=over_the_raw_payload,
        ),
    ),
)


@pytest.mark.parametrize(("row", "actor"), cases(ROWS))
def test_a_proof_with_a_bad_header_is_refused(lab: Lab, row: ProofRow, actor: str) -> None:
    run(lab, row, actor)


def test_an_rsa_key_of_2048_bits_is_not_too_small() -> None:
    """Asserts that the row on small keys is about their size."""
    assert public_key(rsa_jwk(2048)).algorithms == ("RS256",)
