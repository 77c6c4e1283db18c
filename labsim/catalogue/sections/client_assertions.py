"""Section 11 of the catalogue: a client that shows its own key, by an assertion (RFC 7523)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import serialization

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE, Change, Jws
from labsim.catalogue.presenting import refused, served
from labsim.catalogue.sections.client_authentication import named
from labsim.catalogue.vector import Actor, Force, Make, Section, Vector
from labsim.http_message import Request
from labsim.rejection import Reason
from labsim.roles.client_authentication import private_key_jwt

ANYBODY = "whoever likes gets the client's tokens, bound to a key of its own"
ELSEWHERE = "an assertion that the client made for another server is good here"
AGAIN = "an assertion that was seen once opens the door again"
THIEF = "https://thief.test"

type MakeChange = Callable[[GoodRequest], Change]
type Edit = Callable[[dict[str, str]], dict[str, str]]


def asserted(change: Change | MakeChange, edit: Edit = dict) -> Make:
    """Ask by an assertion with one change, in a form with one."""

    def make(good: GoodRequest) -> Request:
        who = good.keyed_client
        ask = private_key_jwt(who.client_id, who.key, who.issuer, lambda: good.now, lambda: who.jti)
        request = ask(good.plain.without("Authorization"))
        form = dict(parse_qsl(request.body.decode()))
        made = change if isinstance(change, Change) else change(good)
        form["client_assertion"] = Jws.of(form["client_assertion"], who.key).text(made)
        return Request(request.method, request.url, request.fields, urlencode(edit(form)).encode())

    return make


def claims(**changes: Any) -> Make:
    """Change claims; a function makes the new value from the good one."""
    return asserted(Change(claims=changes))


def header(**changes: Any) -> Make:
    """Change the header."""
    return asserted(Change(header=changes))


def timed(**offsets: int) -> Make:
    """Set times to so many seconds from now."""
    return asserted(lambda good: Change(claims={n: good.now + by for n, by in offsets.items()}))


def text(change: Callable[[str], str]) -> Make:
    """Change the text of the whole."""
    return asserted(Change(text=change))


def confused(good: GoodRequest) -> Change:
    """Use the client's public key, which is anyone's to read, as the secret of an HMAC."""
    pem = good.keyed_client.key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Change(header={"alg": "HS256"}, sign=lambda m: hmac.digest(pem, m, hashlib.sha256))


def with_its_own_jwk(good: GoodRequest) -> Change:
    """Bring the key along that has signed."""
    return Change(header={"jwk": good.stranger.public_jwk}, key=good.stranger)


def saying_who(good: GoodRequest) -> Request:
    """Name the client in the form as well."""
    client_id = good.keyed_client.client_id
    return asserted(Change(), lambda form: {**form, "client_id": client_id})(good)


def about(
    check: str,
    source: str,
    gain: str = ANYBODY,
    reason: Reason = Reason.CLIENT_CREDENTIAL_INVALID,
    force: Force = Force.MUST,
) -> Callable[..., Vector]:
    """Return a maker of rows that this check refuses."""

    def make(
        id: str, what: str, make: Make, force: Force = force, before: tuple[Make, ...] = ()
    ) -> Vector:
        return refused(
            id,
            what,
            source,
            make,
            binding="bearer",
            actor=Actor.AS,
            status=401,
            error="invalid_client",
            check=check,
            reason=reason,
            gain=gain,
            force=force,
            before=before,
        )

    return make


def accepted(id: str, what: str, source: str, make: Make) -> Vector:
    """Make a row about an assertion that must be served."""
    return served(id, what, source, make, binding="bearer", actor=Actor.AS)


_7523 = "RFC 7523 section 3"
unsigned = about("signature_is_by_a_registered_key", f"{_7523} item 9")
who = about("issuer_and_subject_are_the_client", f"{_7523} items 1 and 2")
unknown = about("client_is_registered", "6749 5.2", reason=Reason.CLIENT_UNKNOWN)
other_method = about("method_is_the_registered_one", "7591 2")
audience = about("audience_is_the_issuer_only", "draft-ietf-oauth-rfc7523bis section 4", ELSEWHERE)
ends = about("expiry_is_near", f"{_7523} item 4", AGAIN)
starts = about("assertion_is_already_valid", f"{_7523} items 5 and 6", AGAIN)
jti = about("jti_is_usable", f"{_7523} item 7", AGAIN, force=Force.POLICY)
typed = about("assertion_is_no_other_jwt", "8725 3.11", ELSEWHERE)
unread = about("assertion_is_a_jwt", _7523)
of_type = about("assertion_type_is_jwt_bearer", "7523 2.2")
SAML = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
VECTORS = (
    unsigned("CJ-01", "signed by another key", asserted(lambda good: Change(key=good.stranger))),
    unsigned("CJ-01b", "its own jwk", asserted(with_its_own_jwk)),
    unsigned("CJ-02", "alg none", asserted(Change(header={"alg": "none"}, sign=lambda _: b""))),
    unsigned("CJ-02b", "HS256 keyed with the public key", asserted(confused)),
    unsigned("CJ-02c", "alg of another key", header(alg="Ed25519")),
    unsigned("CJ-02d", "alg missing", header(alg=GONE)),
    who("CJ-03", "iss of another", claims(iss="app")),
    who("CJ-03b", "iss missing", claims(iss=GONE)),
    unknown("CJ-04", "sub missing", claims(sub=GONE)),
    unknown("CJ-04b", "sub an array", claims(sub=lambda sub: [sub])),
    unknown("CJ-04c", "sub of nobody", claims(sub="nobody")),
    other_method("CJ-04d", "sub of a client with a secret", asserted(lambda good: Change(claims={"sub": named(good)[0]}))),
    audience("CJ-05", "the token endpoint as audience", claims(aud=lambda aud: f"{aud}/token")),
    audience("CJ-05b", "a list of audiences", claims(aud=lambda aud: [aud])),
    audience("CJ-05c", "a list with another server", claims(aud=lambda aud: [aud, THIEF])),
    audience("CJ-05d", "aud missing", claims(aud=GONE)),
    audience("CJ-05e", "issuer with a slash", claims(aud=lambda aud: f"{aud}/")),
    audience("CJ-05f", "another server as audience", claims(aud=THIEF)),
    ends("CJ-06", "expired", timed(exp=-30)),
    ends("CJ-06b", "expires now", timed(exp=0)),
    ends("CJ-06c", "exp far ahead", timed(exp=330), Force.POLICY),
    ends("CJ-06d", "exp missing", claims(exp=GONE)),
    ends("CJ-06e", "exp a text", claims(exp=str)),
    starts("CJ-07", "nbf in the future", timed(nbf=60)),
    starts("CJ-07b", "iat in the future", timed(iat=60), Force.POLICY),
    starts("CJ-07c", "nbf null", claims(nbf=None), Force.POLICY),
    jti("CJ-08", "jti missing", claims(jti=GONE)),
    jti("CJ-08b", "jti empty", claims(jti="")),
    jti("CJ-08c", "jti an array", claims(jti=lambda jti: [jti])),
    jti("CJ-08d", "jti of 257 characters", claims(jti="j" * 257)),
    typed("CJ-09", "typ of an access token", header(typ="at+jwt")),
    typed("CJ-09b", "typ of a proof", header(typ="dpop+jwt")),
    typed("CJ-09c", "typ an array", header(typ=["JWT"])),
    about("no_critical_extension", "7515 4.1.11")("CJ-10", "crit", header(crit=["foo"], foo=1)),
    unread("CJ-11", "no JWT", text(lambda _: "garbage")),
    unread("CJ-11b", "padding", text(lambda text: f"{text}==")),
    unread("CJ-11c", "NaN", claims(exp=float("nan"))),
    of_type("CJ-12", "the type of a SAML assertion", asserted(Change(), lambda form: {**form, "client_assertion_type": SAML})),
    of_type("CJ-12b", "no type", asserted(Change(), lambda form: {**form, "client_assertion_type": ""})),
    about("assertion_is_unused", f"{_7523} item 7", AGAIN)("CJ-13", "the same assertion twice", asserted(Change()), before=(asserted(Change()),)),
    accepted("CJ-16", "a good assertion", "7523 2.2", asserted(Change())),
    accepted("CJ-16b", "typ missing", "7515 4.1.9", header(typ=GONE)),
    accepted("CJ-16c", "an unknown claim", "7519 4", claims(foo=1)),
    accepted("CJ-16d", "the client's own client_id as well", "7521 4.2", saying_who),
)  # fmt: skip

SECTION = Section(
    name="client_assertions", number=11, title="The client that shows a key", vectors=VECTORS
)
