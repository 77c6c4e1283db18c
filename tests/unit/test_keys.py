"""Keys from JWKs, and what a key may verify."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from labsim.jose import Malformed, b64url
from labsim.keys import (
    SIGNATURE_ALGORITHMS,
    SigningKey,
    key_of_octets,
    public_key,
    public_octets,
    thumbprint,
)

ALGORITHMS = ["ES256", "Ed25519"]
EC = SigningKey.generate().public_jwk
OKP = SigningKey.generate("Ed25519").public_jwk
RSA = {"kty": "RSA", "n": b64url((2**2047 + 1).to_bytes(256)), "e": "AQAB"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_private_key_comes_back_as_it_went(algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    again = SigningKey.from_jwk(key.private_jwk)
    assert (again.public_jwk, again.algorithm) == (key.public_jwk, algorithm)
    assert public_key(key.public_jwk).verifies(again.sign(b"message"), b"message")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_public_jwk_gives_nothing_away(algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    assert "d" not in key.public_jwk
    assert set(key.private_jwk) - set(key.public_jwk) == {"d"}
    key.public_jwk["d"] = "changed"
    assert "d" not in key.public_jwk


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_only_the_keys_own_signature_verifies(algorithm: str) -> None:
    key, other = SigningKey.generate(algorithm), SigningKey.generate(algorithm)
    public = public_key(key.public_jwk)
    signature = key.sign(b"m")
    assert public.verifies(signature, b"m")
    assert not public.verifies(other.sign(b"m"), b"m")
    longer = signature[:32] + b"\0" + signature[32:]  # as a number, its second half is the same
    for bad in (b"", bytes(64), signature[:-1], signature + b"\0", longer, bytes(63), b"\xff" * 64):
        assert not public.verifies(bad, b"m")


def test_every_es256_signature_is_64_octets() -> None:
    key = SigningKey.generate()
    assert {len(key.sign(bytes([n]))) for n in range(50)} == {64}


def test_a_key_says_what_it_may_verify() -> None:
    assert public_key(EC).algorithms == ("ES256",)
    assert public_key(OKP).algorithms == ("Ed25519", "EdDSA")
    assert public_key(RSA).algorithms == ("RS256",)
    assert not public_key(RSA).verifies(bytes(256), b"m")


@pytest.mark.parametrize("jwk", [EC, OKP, RSA], ids=lambda jwk: jwk["kty"])
def test_members_that_are_not_needed_do_not_count(jwk: dict[str, str]) -> None:
    more = {**jwk, "kid": "1", "use": "sig", "alg": "whatever", "foo": "bar"}
    assert public_key(more).thumbprint == thumbprint(jwk) == thumbprint(more)
    assert public_key(more).jwk == jwk


UNUSABLE: list[dict[str, Any]] = [
    {},
    {"kty": "oct", "k": "AQ"},
    {"kty": ["EC"]},
    {**EC, "crv": "P-384"},
    {**EC, "crv": None},
    {**EC, "x": EC["y"]},
    {**EC, "x": EC["x"] + "="},
    {**EC, "x": EC["x"][:-1]},
    {**EC, "x": 1},
    {**EC, "x": "A" * 43, "y": "A" * 43},
    {**EC, "x": "!" * 43},
    {**OKP, "crv": "Ed448"},
    {**OKP, "x": OKP["x"][:-1]},
    {**OKP, "x": None},
    {**RSA, "n": b64url((2**1023 + 1).to_bytes(128))},
    {**RSA, "n": "A" * 1401},
    {**RSA, "e": 65537},
    {**RSA, "e": ""},
    {**RSA, "e": "AQ"},
    {**RSA, "e": b64url((2**2048).to_bytes(257))},
    {**RSA, "n": None},
]


@pytest.mark.parametrize("jwk", UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_key_that_cannot_be_used_is_malformed(jwk: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        public_key(jwk)


@pytest.mark.parametrize(
    "jwk",
    [
        {**EC},
        {**EC, "d": ""},
        {**EC, "d": "AA"},
        {**EC, "d": "!"},
        {**OKP, "d": "AA"},
        {**RSA, "d": "AQ"},
        {},
    ],
)
def test_what_is_no_private_key_is_malformed(jwk: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        SigningKey.from_jwk(jwk)


def test_an_algorithm_that_is_not_there_cannot_be_generated() -> None:
    with pytest.raises(Malformed, match="ES384"):
        SigningKey.generate("ES384")


def test_a_coordinate_with_leading_zeros_keeps_them() -> None:
    """RFC 7518 section 6.2.1.2: 32 octets, whatever the number."""
    for secret in range(1, 600):
        key = SigningKey(ec.derive_private_key(secret, ec.SECP256R1()))
        assert {len(key.public_jwk["x"]), len(key.public_jwk["y"])} == {43}
    assert len(SigningKey(ec.derive_private_key(1, ec.SECP256R1())).private_jwk["d"]) == 43


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_keys_octets_are_the_key(algorithm: str) -> None:
    key = SigningKey.generate(algorithm)
    octets = public_octets(key.public_jwk)
    assert len(octets) == {"ES256": 65, "Ed25519": 32}[algorithm]
    again = key_of_octets(SIGNATURE_ALGORITHMS[algorithm], octets)
    assert (again.jwk, again.thumbprint) == (key.public_jwk, thumbprint(key.public_jwk))
    assert again.algorithms[0] == algorithm
    assert again.verifies(key.sign(b"m"), b"m")
    assert key_of_octets(SIGNATURE_ALGORITHMS[algorithm], octets) is again


EC_OCTETS, OKP_OCTETS = public_octets(EC), public_octets(OKP)
COMPRESSED = bytes([2 + EC_OCTETS[-1] % 2]) + EC_OCTETS[1:33]


@pytest.mark.parametrize(
    ("algorithm", "octets"),
    [
        ("ES256", EC_OCTETS),
        ("Ed25519", OKP_OCTETS),
        ("EdDSA", OKP_OCTETS),
        ("ED25519", OKP_OCTETS),
        ("hmac-sha256", OKP_OCTETS),
        ("rsa-pss-sha512", EC_OCTETS),
        ("ecdsa-p384-sha384", EC_OCTETS),
        ("", b""),
        ("ed25519", EC_OCTETS),
        ("ed25519", OKP_OCTETS[:-1]),
        ("ed25519", OKP_OCTETS + b"\0"),
        ("ed25519", b""),
        ("ecdsa-p256-sha256", OKP_OCTETS),
        ("ecdsa-p256-sha256", EC_OCTETS[1:]),
        ("ecdsa-p256-sha256", EC_OCTETS[:-1]),
        ("ecdsa-p256-sha256", EC_OCTETS + b"\0"),
        ("ecdsa-p256-sha256", COMPRESSED),
        ("ecdsa-p256-sha256", b"\6" + EC_OCTETS[1:]),
        ("ecdsa-p256-sha256", b"\4" + bytes(64)),
        ("ecdsa-p256-sha256", b"\4" + b"\xff" * 64),
        ("ecdsa-p256-sha256", b"\0"),
    ],
    # The key is another one in each process; two of them run the tests side by side.
    ids=itertools.count(),
)
def test_octets_that_are_no_key_of_the_algorithm_are_malformed(
    algorithm: str, octets: bytes
) -> None:
    with pytest.raises(Malformed):
        key_of_octets(algorithm, octets)


def test_a_key_may_have_a_certificate() -> None:
    key = SigningKey.generate()
    certified = key.certified(b"der")
    assert (key.certificate, certified.certificate) == (None, b"der")
    assert certified.public_jwk == key.public_jwk
    assert public_key(key.public_jwk).verifies(certified.sign(b"m"), b"m")


@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_two_halves_of_two_keys_are_none(algorithm: str) -> None:
    one, other = SigningKey.generate(algorithm), SigningKey.generate(algorithm)
    assert SigningKey.from_jwk(one.private_jwk).public_jwk == one.public_jwk
    with pytest.raises(Malformed, match="another key's"):
        SigningKey.from_jwk(one.private_jwk | other.public_jwk)
