"""Keys that nobody has to have: points of small order on Ed25519's curve, and other spellings.

The curve has eight points whose order divides eight. Under the neutral one as a public key, the
neutral point with an S of zero is a signature over any message: whoever binds a token to it has
issued a bearer token. RFC 8032 does not say that a verifier refuses them, and OpenSSL does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import Change
from labsim.catalogue.proof_changes import proof, rows, together
from labsim.catalogue.signature_changes import about, resigned
from labsim.catalogue.vector import Actor, Make, Section, Vector
from labsim.http_message import Request
from labsim.jose import b64url

NOBODY = "anybody signs for that key: a token bound to it is a bearer token"
FIELD = 2**255 - 19
NEUTRAL = (1).to_bytes(32, "little")
SIGN = bytes(31) + b"\x80"
EIGHTH = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
KEYS = {
    "the neutral point": NEUTRAL,
    "the neutral point, with a sign": bytes(a | b for a, b in zip(NEUTRAL, SIGN, strict=True)),
    "the neutral point, y beyond the field": (FIELD + 1).to_bytes(32, "little"),
    "a point of order two": (FIELD - 1).to_bytes(32, "little"),
    "a point of order four": bytes(32),
    "a point of order eight": EIGHTH,
}


@dataclass(frozen=True)
class Nobody:
    """Sign without a key: right under the neutral point always, under the others now and then."""

    octets: bytes
    algorithm: str = "Ed25519"
    certificate: None = None

    @property
    def public_jwk(self) -> dict[str, str]:
        """Return the point as a JWK."""
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(self.octets)}

    def sign(self, _message: bytes) -> bytes:
        """Return the neutral point and an S of zero."""
        return NEUTRAL + bytes(32)


def proven_by(nobody: Nobody) -> Make:
    """Make the proof with a key that nobody has."""
    header = {"alg": nobody.algorithm, "jwk": nobody.public_jwk}
    return proof(Change(header=header, sign=nobody.sign))


def signed_by(nobody: Nobody) -> Make:
    """Bring a key that nobody has with a signed token request."""

    def make(good: GoodRequest) -> Request:
        parameters = {"alg": "ed25519", "pub": nobody.octets}
        return resigned(good, key=nobody, parameters=parameters)

    return make


def in_a_proof(id: str, what: str, octets: bytes) -> tuple[Vector, ...]:
    """Make a row about a proof by such a key."""
    make, check = proven_by(Nobody(octets)), "key_is_usable"
    return rows(id, f"Ed25519, {what}", "8725 3.4", make, check=check, gain=NOBODY)


brought = about("brought_key_is_usable", actors=(Actor.AS,), gain=NOBODY)
SECTION = Section(
    name="weak_keys",
    number=2,
    title="Keys that nobody has to have",
    vectors=together(
        *(in_a_proof("DH-30", what, octets) for what, octets in KEYS.items()),
        *(
            brought("HS-X11", f"pub {what}", "8725 3.4", signed_by(Nobody(octets)))
            for what, octets in KEYS.items()
        ),
    ),
)
