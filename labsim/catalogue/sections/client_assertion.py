"""Section 11 of the catalogue: who asks for a token, by an assertion (RFC 7523, private_key_jwt)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from labsim.catalogue.good_request import CannotBeMade, GoodRequest
from labsim.catalogue.jws import GONE, Change, Jws
from labsim.catalogue.presenting import refused, served
from labsim.catalogue.token_request_changes import BINDINGS, Rows, asking
from labsim.catalogue.vector import Actor, Elsewhere, Force, Make, Needs, Section, as_it_is
from labsim.http_message import Request
from labsim.rejection import Reason

ANYBODY = "whoever likes gets the client's tokens, bound to a key of its own"
ELSEWHERE_TOO = "an assertion that another server was given is good here"
FOR_EVER = "an assertion that leaks is good for ever, or again"

type MakeChange = Callable[[GoodRequest], Change]


def with_assertion(change: Change | MakeChange) -> Make:
    """Change the client's assertion, and make the proof for that request."""

    def make(good: GoodRequest) -> Request:
        if good.client_key is None:
            raise CannotBeMade("the client does not authenticate by an assertion")
        made = change if isinstance(change, Change) else change(good)
        form = dict(parse_qsl(good.plain.body.decode()))
        form["client_assertion"] = Jws.of(form["client_assertion"], good.client_key).text(made)
        plain = replace(good.plain, body=urlencode(form).encode())
        return good.binding.attach(plain, good.presentation)

    return make


def of_type(value: str) -> Make:
    """Say that the assertion is of another type (RFC 7523 section 2.2)."""

    def make(good: GoodRequest) -> Request:
        plain = asking(client_assertion_type=value)(good.plain)
        return good.binding.attach(plain, good.presentation)

    return make


def presented_again(good: GoodRequest) -> Request:
    """Use the same assertion for another request, with a proof of its own."""
    return good.binding.attach(good.plain, good.presentation)


def with_another_grant(good: GoodRequest) -> Request:
    """Ask for something that is refused, with the good assertion."""
    return good.binding.attach(asking(grant_type="password")(good.plain), good.presentation)


def claims(**changes: Any) -> Make:
    """Change claims; a function makes the new value from the good one."""
    return with_assertion(Change(claims=changes))


def header(**changes: Any) -> Make:
    """Change the header, and let the client sign it."""
    return with_assertion(Change(header=changes))


def timed(**offsets: float) -> Make:
    """Set times to so many seconds from now."""
    return with_assertion(
        lambda good: Change(claims={n: good.now + by for n, by in offsets.items()})
    )


def stranger(**header: Any) -> Make:
    """Sign with the thief's key, with this in the header."""
    return with_assertion(lambda good: Change(header=header, key=good.stranger))


def with_its_own_key(good: GoodRequest) -> Change:
    """Sign with the thief's key, and bring it along."""
    return Change(header={"jwk": good.stranger.public_jwk}, key=good.stranger)


def keyed_by_the_client_id(message: bytes) -> bytes:
    """Sign with what everybody knows."""
    return hmac.digest(b"keyed", message, hashlib.sha256)


def to_the_token_endpoint(good: GoodRequest) -> Change:
    """Name the token endpoint as the audience, as RFC 7523 section 3 once allowed."""
    return Change(claims={"aud": good.plain.url})


def row(
    id: str,
    what: str,
    source: str,
    check: str,
    make: Make,
    force: Force = Force.MUST,
    gain: str = ANYBODY,
    before: tuple[Make, ...] = (),
) -> Rows:
    """Make a row about an assertion that is refused, with a proof beside it and without."""
    nobody = check == "client_is_registered"
    reason = Reason.CLIENT_UNKNOWN if nobody else Reason.CLIENT_CREDENTIAL_INVALID
    how: dict[str, Any] = {"check": check, "reason": reason, "force": force, "gain": gain}
    how |= {"actor": Actor.AS, "status": 401, "error": "invalid_client", "before": before}
    how["needs"] = Needs.ASSERTION
    return tuple(refused(id, what, source, make, binding=b, **how) for b in BINDINGS)


def good(id: str, what: str, source: str, make: Make, before: tuple[Make, ...] = ()) -> Rows:
    """Make a row about an assertion that must be taken."""
    how: dict[str, Any] = {"actor": Actor.AS, "needs": Needs.ASSERTION, "before": before}
    return tuple(served(id, what, source, make, binding=b, **how) for b in BINDINGS)


SIGNED, AUDIENCE = "signature_is_by_a_registered_key", "audience_is_the_issuer_only"
EXPIRY, STARTS, JTI = "expiry_is_near", "assertion_is_already_valid", "jti_is_usable"
WHO, KNOWN = "issuer_and_subject_are_the_client", "client_is_registered"
JWT, TYP, KIND = "assertion_is_a_jwt", "assertion_is_no_other_jwt", "assertion_type_is_jwt_bearer"
POLICY, SHOULD = Force.POLICY, Force.SHOULD
BIS = "draft-ietf-oauth-rfc7523bis section 4"
ROWS = (
    row("CJ-01", "signed by another key", "7523 3-9", SIGNED, stranger()),
    row("CJ-01b", "its own jwk", "8725 3.10", SIGNED, with_assertion(with_its_own_key)),
    row("CJ-01c", "its own jku", "8725 3.10", SIGNED, stranger(jku="https://thief.test")),
    row("CJ-02", "alg none", "8725 3.1", SIGNED, with_assertion(Change(header={"alg": "none"}, sign=lambda _: b""))),
    row("CJ-02b", "HS256 with what everybody knows", "8725 2.1", SIGNED, with_assertion(Change(header={"alg": "HS256"}, sign=keyed_by_the_client_id))),
    row("CJ-02c", "alg of another kind of key", "8725 3.1", SIGNED, header(alg="Ed25519")),
    row("CJ-02d", "alg missing", "7515 4.1.1", SIGNED, header(alg=GONE)),
    row("CJ-03", "iss of another", "7523 3-1", WHO, claims(iss="another")),
    row("CJ-03b", "iss missing", "7523 3-1", WHO, claims(iss=GONE)),
    row("CJ-04", "sub missing", "7523 3-2", KNOWN, claims(sub=GONE)),
    row("CJ-04b", "sub an array", "7523 3-2", KNOWN, claims(sub=lambda sub: [sub])),
    row("CJ-04c", "sub of nobody", "7523 3-2", KNOWN, claims(sub="nobody")),
    row("CJ-05", "the token endpoint as audience", BIS, AUDIENCE, with_assertion(to_the_token_endpoint), POLICY, ELSEWHERE_TOO),
    row("CJ-05b", "a list of audiences", BIS, AUDIENCE, claims(aud=lambda aud: [aud]), POLICY, ELSEWHERE_TOO),
    row("CJ-05c", "a list with another server", BIS, AUDIENCE, claims(aud=lambda aud: [aud, "https://thief.test"]), POLICY, ELSEWHERE_TOO),
    row("CJ-05d", "aud missing", "7523 3-3", AUDIENCE, claims(aud=GONE), gain=ELSEWHERE_TOO),
    row("CJ-05e", "the issuer with a slash", "7523 3-3", AUDIENCE, claims(aud=lambda aud: f"{aud}/"), gain=ELSEWHERE_TOO),
    row("CJ-05f", "another server as audience", "7523 3-3", AUDIENCE, claims(aud="https://thief.test"), gain=ELSEWHERE_TOO),
    row("CJ-06", "expired", "7523 3-4", EXPIRY, timed(exp=-1), gain=FOR_EVER),
    row("CJ-06b", "expires now", "7519 4.1.4", EXPIRY, timed(exp=0), gain=FOR_EVER),
    row("CJ-06c", "exp far ahead", "7523 3-4", EXPIRY, timed(exp=3600), POLICY, FOR_EVER),
    row("CJ-06d", "exp missing", "7523 3-4", EXPIRY, claims(exp=GONE), gain=FOR_EVER),
    row("CJ-06e", "exp a text", "7519 2", EXPIRY, claims(exp=str), gain=FOR_EVER),
    row("CJ-07", "nbf in the future", "7523 3-5", STARTS, timed(nbf=60)),
    row("CJ-07b", "iat in the future", "7523 3-6", STARTS, timed(iat=60), POLICY),
    row("CJ-07c", "nbf null", "7519 2", STARTS, claims(nbf=None)),
    row("CJ-08", "jti missing", "7523 3-7", JTI, claims(jti=GONE), POLICY, FOR_EVER),
    row("CJ-08b", "jti empty", "7523 3-7", JTI, claims(jti=""), POLICY, FOR_EVER),
    row("CJ-08c", "jti an array", "7519 4.1.7", JTI, claims(jti=["a"]), gain=FOR_EVER),
    row("CJ-08d", "jti of 257 characters", "7523 3-7", JTI, claims(jti="j" * 257), POLICY, FOR_EVER),
    row("CJ-09", "typ of an access token", "8725 3.11", TYP, header(typ="at+jwt"), SHOULD),
    row("CJ-09b", "typ of a proof", "8725 3.11", TYP, header(typ="dpop+jwt"), SHOULD),
    row("CJ-09c", "typ an array", "7515 4.1.9", TYP, header(typ=["JWT"])),
    row("CJ-10", "an unknown extension", "7515 4.1.11", "no_critical_extension", header(crit=["foo"], foo=1)),
    row("CJ-11", "no JWT", "7523 3", JWT, with_assertion(Change(text=lambda _: "garbage"))),
    row("CJ-11b", "padding", "7515 2", JWT, with_assertion(Change(text=lambda text: f"{text}==")), POLICY),
    row("CJ-11c", "exp NaN", "8259 6", JWT, claims(exp=float("nan")), gain=FOR_EVER),
    row("CJ-12", "a SAML assertion, it says", "7523 2.2", KIND, of_type("urn:ietf:params:oauth:client-assertion-type:saml2-bearer")),
    row("CJ-12b", "of no type", "7523 2.2", KIND, of_type("")),
    row("CJ-13", "the same assertion again", "7523 3-7", "assertion_is_unused", presented_again, POLICY, FOR_EVER, (as_it_is,)),
)  # fmt: skip
SERVED = (
    good("CJ-16", "exp four minutes ahead", "7523 3-4", timed(exp=240)),
    good("CJ-16b", "nbf now", "7523 3-5", timed(nbf=0)),
    good("CJ-16c", "typ missing", "7519 5.1", header(typ=GONE)),
    good("CJ-16d", "typ of its own", "8725 3.11", header(typ="client-authentication+jwt")),
    good("CJ-16e", "an unknown claim", "7519 4", claims(foo=1)),
    good("CJ-16f", "iat missing", "7523 3-6", claims(iat=GONE)),
    good("CJ-14", "an assertion that a refused request had", "7523 3-7", presented_again, (with_another_grant,)),
)  # fmt: skip

_TESTS = "tests/vectors/test_11_client_authentication.py"
SECTION = Section(
    name="client_assertion",
    number=11,
    title="The client that asks, by an assertion",
    vectors=tuple(vector for rows in (*ROWS, *SERVED) for vector in rows),
    elsewhere=(
        Elsewhere(
            id="CJ-15",
            what="one client's jti beside another's",
            source="RFC 7523 section 3 item 7",
            why="it takes a second client",
            proven=_TESTS,
        ),
    ),
)
