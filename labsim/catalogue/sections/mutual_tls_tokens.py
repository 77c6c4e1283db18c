"""Section 9 of the catalogue: tokens that are bound to a certificate (RFC 8705 section 3.1)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from labsim.catalogue.certificate_changes import STOLEN, certificate_of, pem, public_half
from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import Change, Jws
from labsim.catalogue.presenting import refused
from labsim.catalogue.vector import Make, Needs, Section, Vector
from labsim.certificates import certificate_thumbprint
from labsim.http_message import Request
from labsim.jose import b64url
from labsim.rejection import Reason
from labsim.rooms import rooms


def thumbprint(good: GoodRequest) -> str:
    """Return what the good token says."""
    return certificate_thumbprint(certificate_of(good))


def hexadecimal(good: GoodRequest) -> str:
    """Return the thumbprint's octets in hexadecimal."""
    return hashlib.sha256(certificate_of(good)).hexdigest()


def sha1(good: GoodRequest) -> str:
    """Return the thumbprint that `x5t` has (RFC 7515 section 4.1.7)."""
    return b64url(hashlib.sha1(certificate_of(good)).digest())


THUMBPRINTS: dict[str, Callable[[GoodRequest], Any]] = {
    "padded": lambda good: f"{thumbprint(good)}=",
    "hexadecimal": hexadecimal,
    "hexadecimal with colons": lambda good: bytes.fromhex(hexadecimal(good)).hex(":"),
    "SHA-1": sha1,
    "of the public key": lambda good: certificate_thumbprint(public_half(good)),
    "of the PEM": lambda good: certificate_thumbprint(pem(good)),
    "base64 instead of base64url": lambda good: b64encode(bytes.fromhex(hexadecimal(good))).decode(),
    "in another case": lambda good: thumbprint(good).swapcase(),
    "cut": lambda good: thumbprint(good)[:-1],
    "with white space": lambda good: f" {thumbprint(good)}",
    "empty": lambda _: "",
    "null": lambda _: None,
    "true": lambda _: True,
    "a number": lambda _: 1,
    "an array": lambda good: [thumbprint(good)],
    "an object": lambda good: {"x5t#S256": thumbprint(good)},
}  # fmt: skip
CNF: dict[str, Any] = {"binding": "mtls", "needs": Needs.ISSUER, "gain": STOLEN}
UNNAMED: dict[str, Any] = {
    "reason": Reason.BINDING_UNSUPPORTED,
    "check": "one_accepted_binding_is_named",
    **CNF,
}


def bound_to(cnf: Callable[[GoodRequest], Any]) -> Make:
    """Present a token that says another `cnf`, signed by the issuer, over the right connection."""

    def make(good: GoodRequest) -> Request:
        change = Change(claims={"cnf": cnf(good)})
        return good.presenting(Jws.of(good.token, good.issuers_key).text(change))

    return make


def member(name: str) -> Make:
    """Name the certificate by another member."""
    return bound_to(lambda good: {name: sha1(good)})


def said(what: str, value: Callable[[GoodRequest], Any]) -> Vector:
    """Make the row about a thumbprint of another shape."""
    change = bound_to(lambda good: {"x5t#S256": value(good)})
    how: dict[str, Any] = {"check": "certificate_is_the_bound_one", **CNF}
    reason = Reason.BINDING_MISMATCH
    return refused("MT-21", f"x5t#S256 {what}", "8705 3.1", change, reason=reason, **how)


def of_another_client(good: GoodRequest) -> Request:
    """Bring another client's token over the good connection."""
    if good.stranger.certificate is None:
        raise CannotBeMade("the stranger has no certificate")
    theirs = certificate_thumbprint(good.stranger.certificate)
    return bound_to(lambda _: {"x5t#S256": theirs})(good)


def attached(binding: str, is_shown: bool) -> Make:
    """Present the bound token as another binding's are."""

    def make(good: GoodRequest) -> Request:
        room = rooms("labsim.bindings", "BINDING")[binding]
        made: Request = room.attach(good.plain, good.presentation)
        return replace(made, peer_certificate=certificate_of(good) if is_shown else None)

    return make


OTHERS = {"dpop": "DPoP", "http_signature": "HTTPSig"}


def under(binding: str, is_shown: bool) -> Vector:
    """Make the row about a bound token under another binding's scheme."""
    what = f"under {OTHERS[binding]}, {'with' if is_shown else 'without'} the certificate"
    how: dict[str, Any] = {"check": "scheme_is_the_bindings", "reason": Reason.SCHEME_MISMATCH}
    how |= {"binding": "mtls", "gain": STOLEN, "on": (OTHERS[binding],)}
    return refused("MT-24", what, "9449 6", attached(binding, is_shown), **how)


SECTION = Section(
    name="mutual_tls_tokens",
    number=9,
    title="Mutual TLS: what the token says",
    vectors=(
        *(said(what, value) for what, value in THUMBPRINTS.items()),
        *(
            refused("MT-21b", f"{name} alone", "8705 3.1", member(name), **UNNAMED)
            for name in ("x5t", "x5t#s256", "x5t#S1", "x5c", "X5T#S256")
        ),
        refused(
            "MT-20b",
            "another client's token over the good connection",
            "8705 3",
            of_another_client,
            check="certificate_is_the_bound_one",
            reason=Reason.BINDING_MISMATCH,
            **CNF,
        ),
        *(under(binding, is_shown) for binding in OTHERS for is_shown in (True, False)),
    ),
)
