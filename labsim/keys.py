"""Keys: public ones from a JWK, private ones for whoever signs, and their RFC 7638 thumbprints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from labsim.jose import Malformed, b64url, b64url_decode

type PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_ES256 = ec.ECDSA(hashes.SHA256())
_P256 = ec.SECP256R1()
SIGNATURE_ALGORITHMS = {"ES256": "ecdsa-p256-sha256", "Ed25519": "ed25519"}
"""JWS names to those of the HTTP Signature Algorithms registry (RFC 9421 section 6.2.2)."""
# RFC 7638 section 3.2 and RFC 8037 section 2: the members that make the thumbprint.
_REQUIRED_MEMBERS = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
# Curve25519 (RFC 7748 section 4.1): its field, and in Edwards form the y of the eight points whose
# order divides the cofactor. The sign of x, in the top bit, is not part of y.
_FIELD = 2**255 - 19
_EIGHTH = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _EIGHTH, _FIELD - _EIGHTH})
# RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 8037 section 2: members that give a key away.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a public JWK (RFC 7638), base64url."""
    members = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return b64url(hashlib.sha256(canonical.encode()).digest())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Hold a public key with the algorithms it may verify and its RFC 7638 thumbprint."""

    key: Any  # of `cryptography`: an EC, Ed25519 or RSA key, as `algorithms` says
    algorithms: tuple[str, ...]
    thumbprint: str
    jwk: Mapping[str, str]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether `signature` (raw JWS form) over `message` is by this key."""
        try:
            if self.algorithms[0] == "ES256":
                if len(signature) != 64:  # RFC 7518 section 3.4: R and S, 32 octets each
                    return False
                r = int.from_bytes(signature[:32])
                s = int.from_bytes(signature[32:])
                self.key.verify(encode_dss_signature(r, s), message, _ES256)
            elif self.algorithms[0] == "Ed25519":
                self.key.verify(signature, message)
            else:
                self.key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def public_key(jwk: Mapping[str, Any]) -> PublicKey:
    """Make a key from a JWK: EC P-256, OKP Ed25519, or RSA of 2048 bits and more.

    Raises Malformed for any other key, a missing or non-canonical member, or a point off the
    curve (RFC 7518 section 6, RFC 8037 section 2, RFC 8725 sections 3.4 and 3.5). Members it does
    not need are ignored (RFC 7517 section 4).
    """
    kind, curve = jwk.get("kty"), jwk.get("crv")
    try:
        if kind == "EC" and curve == "P-256":
            point = b"\x04" + _coordinate(jwk, "x") + _coordinate(jwk, "y")
            key = ec.EllipticCurvePublicKey.from_encoded_point(_P256, point)
            return _made(key, ("ES256",), jwk)
        if kind == "OKP" and curve == "Ed25519":
            octets = _coordinate(jwk, "x")
            _must_be_of_full_order(octets)
            # RFC 9864 names it Ed25519; RFC 8037 called it EdDSA, and clients still do.
            return _made(
                ed25519.Ed25519PublicKey.from_public_bytes(octets), ("Ed25519", "EdDSA"), jwk
            )
        if kind == "RSA":
            return _made(_rsa_key(jwk), ("RS256",), jwk)
    except ValueError as error:
        raise Malformed(f"unusable key: {error}") from error
    raise Malformed("a key of a kind that is not offered")


def public_octets(jwk: Mapping[str, str]) -> bytes:
    """Return a public key's octets: an uncompressed point (SEC 1), or Ed25519's 32 (RFC 8032)."""
    x = b64url_decode(jwk["x"])
    return b"\x04" + x + b64url_decode(jwk["y"]) if jwk["kty"] == "EC" else x


@lru_cache(maxsize=1024)
def key_of_octets(algorithm: str, octets: bytes) -> PublicKey:
    """Make a key from `public_octets` and the name of its signature algorithm (RFC 9421).

    Raises Malformed. Cached: a point is checked to lie on the curve once per key.
    """
    if algorithm == "ed25519":
        return public_key({"kty": "OKP", "crv": "Ed25519", "x": b64url(octets)})
    if algorithm == "ecdsa-p256-sha256" and len(octets) == 65 and octets[0] == 4:
        x, y = b64url(octets[1:33]), b64url(octets[33:])
        return public_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    raise Malformed("a key of a kind that is not offered")


def _made(key: Any, algorithms: tuple[str, ...], jwk: Mapping[str, Any]) -> PublicKey:
    public = {name: jwk[name] for name in _REQUIRED_MEMBERS[jwk["kty"]]}
    # As `thumbprint` does, and quicker: these members are base64url and names by now, so that
    # there is nothing to escape, and they stand in RFC 7638's order.
    canonical = ",".join([f'"{name}":"{value}"' for name, value in public.items()])
    digest = hashlib.sha256(f"{{{canonical}}}".encode()).digest()
    return PublicKey(key, algorithms, b64url(digest), public)


def _coordinate(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or len(value) != 43:  # 32 octets, RFC 7518 section 6.2.1.2
        raise Malformed(f"{name} is not 32 octets")
    return b64url_decode(value)


def _must_be_of_full_order(octets: bytes) -> None:
    """Raise Malformed for an Ed25519 key that anybody signs for, or in another point's spelling.

    OpenSSL takes the points of small order (RFC 8725 section 3.4 does not): under the neutral one,
    the neutral one with an S of zero is a signature over anything at all.
    """
    y = int.from_bytes(octets, "little") & (2**255 - 1)
    if y >= _FIELD or y in _SMALL_ORDER:
        raise Malformed("x is no point of full order")


def _rsa_key(jwk: Mapping[str, Any]) -> rsa.RSAPublicKey:
    modulus, exponent = jwk.get("n"), jwk.get("e")
    if not isinstance(modulus, str) or not isinstance(exponent, str) or len(modulus) > 1400:
        raise Malformed("n or e missing or too long")
    n, e = (
        int.from_bytes(b64url_decode(modulus)),
        int.from_bytes(b64url_decode(exponent)),
    )
    if n.bit_length() < 2048:
        raise Malformed("RSA under 2048 bits")
    return rsa.RSAPublicNumbers(e, n).public_key()


class SigningKey:
    """Hold a private key in memory: a Holder (see `binding`) and the servers' own signer."""

    def __init__(self, private: PrivateKey, certificate: bytes | None = None) -> None:
        self._private = private
        self._public_jwk = _jwk_of(private)
        self._certificate = certificate

    @staticmethod
    def generate(algorithm: str = "ES256") -> SigningKey:
        """Make a fresh key: ES256 or Ed25519. Keys are never seeded."""
        if algorithm == "ES256":
            return SigningKey(ec.generate_private_key(ec.SECP256R1()))
        if algorithm == "Ed25519":
            return SigningKey(ed25519.Ed25519PrivateKey.generate())
        raise Malformed(f"no such algorithm here: {algorithm}")

    @staticmethod
    def from_jwk(jwk: Mapping[str, Any]) -> SigningKey:
        """Rebuild a key from what `private_jwk` returned; raises Malformed.

        So it does where the public members are another key's: which of two is meant, nobody knows.
        """
        public = public_key(jwk).jwk
        secret = b64url_decode(str(jwk.get("d", "")))
        private: PrivateKey
        try:
            if jwk["kty"] == "EC":
                private = ec.derive_private_key(int.from_bytes(secret), ec.SECP256R1())
            else:
                private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        except ValueError as error:
            raise Malformed(f"unusable private key: {error}") from error
        key = SigningKey(private)
        if key.public_jwk != dict(public):
            raise Malformed("the private member is another key's")
        return key

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the public key as a JWK, required members only."""
        return dict(self._public_jwk)

    @property
    def private_jwk(self) -> dict[str, str]:
        """Return the private key as a JWK: what lies in a key file, and what a thief copies."""
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            d = self._private.private_numbers().private_value.to_bytes(32)
        else:
            d = self._private.private_bytes_raw()
        return {**self._public_jwk, "d": b64url(d)}

    @property
    def algorithm(self) -> str:
        """Return the JWS algorithm: ES256 or Ed25519."""
        return "ES256" if isinstance(self._private, ec.EllipticCurvePrivateKey) else "Ed25519"

    @property
    def certificate(self) -> bytes | None:
        """Return the key's X.509 certificate (DER), if it has one."""
        return self._certificate

    def certified(self, certificate: bytes) -> SigningKey:
        """Return the same key with an X.509 certificate (DER)."""
        return SigningKey(self._private, certificate)

    @property
    def pem(self) -> bytes:
        """Return the private key and, if it has one, its certificate, as PEM: what TLS needs."""
        key = self._private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        if self._certificate is None:
            return key
        certificate = x509.load_der_x509_certificate(self._certificate)
        return key + certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def private(self) -> PrivateKey:
        """Return the key object itself, for PyJWT and for certificates."""
        return self._private

    def sign(self, message: bytes) -> bytes:
        """Sign and return the raw JWS signature (RFC 7518 section 3.4, RFC 8037 section 3.1)."""
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        r, s = decode_dss_signature(self._private.sign(message, _ES256))
        return r.to_bytes(32) + s.to_bytes(32)


def _jwk_of(private: PrivateKey) -> dict[str, str]:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        numbers = private.public_key().public_numbers()
        x, y = b64url(numbers.x.to_bytes(32)), b64url(numbers.y.to_bytes(32))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": b64url(private.public_key().public_bytes_raw()),
    }
