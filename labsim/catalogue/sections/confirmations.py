"""Sections 8 and 9 of the catalogue: a `cnf` that names the key in another way than the document.

A server that is generous about hash, encoding or chain compares something that more than one key
fits, or that an attacker can choose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import Change
from labsim.catalogue.presenting import refused, with_token
from labsim.catalogue.vector import Needs, Section, Vector
from labsim.certificates import certificate_thumbprint
from labsim.jose import b64url
from labsim.keys import thumbprint
from labsim.rejection import Reason

UNBOUND = "a token that is bound to something else than its key"
ANYBODYS = "a token that is good for whoever has a certificate of the same authority"


def members(jwk: Mapping[str, str]) -> bytes:
    """Write the members that make the thumbprint, in its order (RFC 7638 section 3)."""
    return json.dumps(dict(jwk), separators=(",", ":"), sort_keys=True).encode()


def turned_round(jwk: Mapping[str, str]) -> bytes:
    """Write them in the opposite order."""
    return json.dumps(dict(sorted(jwk.items(), reverse=True)), separators=(",", ":")).encode()


NAMES: dict[str, Callable[[Mapping[str, str]], str]] = {
    "in hexadecimal": lambda jwk: hashlib.sha256(members(jwk)).hexdigest(),
    "in another case": lambda jwk: thumbprint(jwk).swapcase(),
    "with white space behind": lambda jwk: f"{thumbprint(jwk)} ",
    "by SHA-1": lambda jwk: b64url(hashlib.sha1(members(jwk), usedforsecurity=False).digest()),
    "by SHA-512": lambda jwk: b64url(hashlib.sha512(members(jwk)).digest()),
    "over members in another order": lambda jwk: b64url(hashlib.sha256(turned_round(jwk)).digest()),
    "over a private member as well": lambda jwk: b64url(
        hashlib.sha256(members({**jwk, "d": "A"})).digest()
    ),
    "as a URN (RFC 9278)": lambda jwk: (
        f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{thumbprint(jwk)}"
    ),
    "empty": lambda _: "",
}


def named(what: str, name: Callable[[Mapping[str, str]], str]) -> Vector:
    """Make a row about a `jkt` that names the holder's own key in another way."""

    def change(good: GoodRequest) -> Change:
        return Change(claims={"cnf": {"jkt": name(good.holder.public_jwk)}})

    return refused(
        "AT-18e",
        f"jkt {what}",
        "9449 6.1",
        with_token(change),
        check="proof_key_is_the_bound_one",
        reason=Reason.BINDING_MISMATCH,
        gain=UNBOUND,
        needs=Needs.ISSUER,
    )


def of_the_authority(good: GoodRequest) -> Change:
    """Name the authority's certificate, which stands in the chain of every client's."""
    bound = certificate_thumbprint(good.clients_authority.der)
    return Change(claims={"cnf": {"x5t#S256": bound}})


SECTION = Section(
    name="confirmations",
    number=8,
    title="How the token names its key",
    vectors=(
        *(named(what, name) for what, name in NAMES.items()),
        refused(
            "MT-21d",
            "x5t#S256 of the authority",
            "8705 3.1",
            with_token(of_the_authority),
            binding="mtls",
            check="certificate_is_the_bound_one",
            reason=Reason.BINDING_MISMATCH,
            gain=ANYBODYS,
            needs=Needs.ISSUER,
        ),
    ),
)
