"""Section 1 of the catalogue: what must be served. Refusing one of these is the bug."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import Change
from labsim.catalogue.proof_changes import accepted, claims, proof, together
from labsim.catalogue.vector import Actor, Force, Make, Section, Vector, as_it_is
from labsim.http_message import Request

RS = (Actor.RS,)


def default_port(htu: str) -> str:
    """Write out the port that https has anyway."""
    parts = urlsplit(htu)
    if parts.port is not None:
        raise CannotBeMade("the server is not at the default port")
    return urlunsplit(parts._replace(netloc=f"{parts.netloc}:443"))


def in_capitals(htu: str) -> str:
    """Write scheme and host in capitals."""
    parts = urlsplit(htu)
    return f"HTTPS://{parts.netloc.upper()}{parts.path}"


def first_letter_encoded(htu: str) -> str:
    """Write the first letter of the path as an escape that it does not need."""
    parts = urlsplit(htu)
    path = parts.path
    if not path[1:2].isalnum():
        raise CannotBeMade("the path does not begin with a letter")
    return urlunsplit(parts._replace(path=f"/%{ord(path[1]):02x}{path[2:]}"))


def dotted(htu: str) -> str:
    """Put dot segments in front of the path that lead nowhere."""
    parts = urlsplit(htu)
    return urlunsplit(parts._replace(path=f"/a/.././{parts.path[1:]}"))


def timed(**offsets: float) -> Make:
    """Set claims of the proof to so many seconds from now."""
    return proof(lambda good: Change(claims={name: good.now + by for name, by in offsets.items()}))


def older_name(algorithm: Any) -> str:
    """Say EdDSA for Ed25519."""
    if algorithm != "Ed25519":
        raise CannotBeMade("the key has one name for its algorithm")
    return "EdDSA"


def spelled(scheme: str, field: str) -> Make:
    """Spell the scheme and the name of the proof's field in another way."""

    def make(good: GoodRequest) -> Request:
        request = good.request.without("Authorization", "DPoP")
        request = request.adding("Authorization", f"{scheme}{good.token}")
        return request.adding(field, str(good.request.value("DPoP")))

    return make


def says_more(jwk: dict[str, str]) -> dict[str, str]:
    """Add members that are no part of the thumbprint."""
    return {**jwk, "kid": "1", "use": "sig"}


SHOULD = Force.SHOULD_ACCEPT
VECTORS: tuple[Vector, ...] = together(
    accepted("PC-01", "a fresh proof", "9449 4.3", as_it_is),
    accepted("PC-02", "htu with query and fragment", "9449 4.3-9", claims(htu=lambda htu: f"{htu}?a=1#b")),
    accepted("PC-03", "scheme and host in capitals", "3986 6.2.2.1", claims(htu=in_capitals), force=SHOULD),
    accepted("PC-04", "an explicit default port", "3986 6.2.3", claims(htu=default_port), force=SHOULD),
    accepted("PC-05", "an escape that is not needed", "3986 6.2.2.2", claims(htu=first_letter_encoded), force=SHOULD),
    accepted("PC-06", "dot segments", "3986 6.2.2.3", claims(htu=dotted), force=SHOULD),
    accepted("PC-07", "iat 8 s ahead", "9449 11.1", timed(iat=8)),
    accepted("PC-07b", "iat 8 s behind", "9449 11.1", timed(iat=-8)),
    accepted("PC-08", "an unknown header parameter", "9449 4.2", proof(Change(header={"foo": "bar"}))),
    accepted("PC-08b", "an unknown claim", "9449 4.2", claims(foo={"bar": [1]})),
    accepted("PC-09", "nbf now, exp in 300 s", "7519 4.1.4", timed(nbf=0, exp=300)),
    accepted("PC-10", "the scheme in lower case", "9110 11.1", spelled("dpop ", "DPoP"), actors=RS),
    accepted("PC-10b", "the scheme in capitals", "9110 11.1", spelled("DPOP ", "DPoP"), actors=RS),
    accepted("PC-10c", "the scheme in both", "9110 11.1", spelled("dPoP ", "DPoP"), actors=RS),
    accepted("PC-10d", "two spaces after the scheme", "9449 7.1", spelled("DPoP  ", "DPoP"), actors=RS),
    accepted("PC-10e", "four spaces after the scheme", "9449 7.1", spelled("DPoP    ", "DPoP"), actors=RS),
    accepted("PC-10f", "the field's name in lower case", "9110 5.1", spelled("DPoP ", "dpop"), actors=RS),
    accepted("PC-10g", "the field's name in capitals", "9110 5.1", spelled("DPoP ", "DPOP"), actors=RS),
    accepted("PC-11", "a fractional iat", "7519 2", timed(iat=0.5), force=Force.POLICY),
    accepted("PC-12", "a jwk that says more", "7638 3.2", proof(Change(header={"jwk": says_more}))),
    accepted("PC-12b", "a jwk that names its algorithm", "7638 3.2", proof(lambda good: Change(header={"jwk": {**good.holder.public_jwk, "alg": good.holder.algorithm}}))),
    accepted("PC-13", "Ed25519 by its older name", "8037 3.1", proof(Change(header={"alg": older_name}))),
)  # fmt: skip

SECTION = Section(name="positive_controls", number=1, title="Positive controls", vectors=VECTORS)
