"""Section 11 and beside it: who the client is, at the token endpoint (RFC 6749, RFC 7523)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from labsim.http_message import Request
from labsim.keys import SigningKey
from labsim.rejection import Reason
from labsim.roles.client_authentication import basic, secret_hash
from labsim.roles.form import form_request
from tests.exchange import assert_refused, assert_served, token_request
from tests.jws import GONE, Change, Jws
from tests.wiring import ISSUER, ORDERS, SECRET, TOKEN_ENDPOINT, Lab

NOW = 1_800_000_000
INVALID, UNKNOWN = Reason.CLIENT_CREDENTIAL_INVALID, Reason.CLIENT_UNKNOWN
ASKED = {"grant_type": "client_credentials", "resource": ORDERS}


def bare(**more: str) -> Request:
    return form_request(TOKEN_ENDPOINT, {**ASKED, **more})


def test_a_client_that_is_not_who_it_says_is_told_no_more(lab: Lab) -> None:
    """CA-02: what comes with the refusal."""
    bad = basic("free", "wrong")(bare())
    refusal = {"reason": INVALID, "check": "secret_is_the_clients"}
    response = assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assert response.values("WWW-Authenticate") == ['Basic realm="labsim"']
    assert response.values("Cache-Control") == ["no-store"]
    assert response.json() == {"error": "invalid_client"}


def test_a_secret_is_no_way_in_for_a_client_with_a_key(lab: Lab) -> None:
    """CA-05, and CA-08 for a secret beside an assertion."""
    refusal = {"reason": INVALID, "check": "method_is_the_registered_one"}
    bad = basic("keyed", SECRET)(bare())
    assert_refused(lab, bad, status=401, error="invalid_client", **refusal)
    assertion = dict(parse_qsl(token_request(lab, "keyed").body.decode()))
    both = basic("free", SECRET)(form_request(TOKEN_ENDPOINT, assertion))
    refusal = {"reason": Reason.REQUEST_MALFORMED, "check": "client_authenticates_one_way"}
    assert_refused(lab, both, status=400, error="invalid_request", **refusal)


@pytest.mark.parametrize("secret", [SECRET, "a:b", "a+b", "a%2Bb", "a b", "\u00fc", ":", "%"])
def test_a_secret_may_hold_any_character(lab: Lab, secret: str) -> None:
    """CA-09: form-encoded before it becomes Basic (RFC 6749 section 2.3.1)."""
    lab.clients["free"] = replace(lab.clients["free"], secret_hash=secret_hash(secret))
    assert_served(lab, basic("free", secret)(bare()))
    assert_served(lab, basic("free", secret)(bare(client_id="free")))


@dataclass(frozen=True, kw_only=True)
class AssertionRow:
    """One way in which a client assertion is bad; `change` is all that differs from a good one."""

    id: str
    what: str
    change: Change = field(default_factory=Change)
    check: str
    reason: Reason = INVALID


def row(
    id: str, what: str, check: str, change: Change | None = None, **claims: Any
) -> AssertionRow:
    reason = UNKNOWN if check == "client_is_registered" else INVALID
    return AssertionRow(
        id=id, what=what, check=check, change=change or Change(claims=claims), reason=reason
    )


def header(**changes: Any) -> Change:
    return Change(header=changes)


def text(change: Callable[[str], str]) -> Change:
    return Change(text=change)


STRANGER = SigningKey.generate()
SIGNED, AUDIENCE, EXPIRY = (
    "signature_is_by_a_registered_key",
    "audience_is_the_issuer_only",
    "expiry_is_near",
)
WHO, STARTS, JTI = (
    "issuer_and_subject_are_the_client",
    "assertion_is_already_valid",
    "jti_is_usable",
)
JWT, TYP, KNOWN = "assertion_is_a_jwt", "assertion_is_no_other_jwt", "client_is_registered"
ROWS = (
    row("CJ-01", "signed by another key", SIGNED, Change(key=STRANGER)),
    row("CJ-01b", "its own jwk", SIGNED, Change(header={"jwk": STRANGER.public_jwk}, key=STRANGER)),
    row("CJ-02", "alg none", SIGNED, Change(header={"alg": "none"}, sign=lambda _: b"")),
    row(
        "CJ-02b",
        "HS256 with the client's secret",
        SIGNED,
        Change(
            header={"alg": "HS256"}, sign=lambda m: hmac.digest(SECRET.encode(), m, hashlib.sha256)
        ),
    ),
    row("CJ-02c", "alg of another key", SIGNED, header(alg="Ed25519")),
    row("CJ-02d", "alg missing", SIGNED, header(alg=GONE)),
    row("CJ-03", "iss of another", WHO, iss="app"),
    row("CJ-03b", "iss missing", WHO, iss=GONE),
    row("CJ-04", "sub missing", KNOWN, sub=GONE),
    row("CJ-04b", "sub an array", KNOWN, sub=["keyed"]),
    row("CJ-04c", "sub of nobody", KNOWN, sub="nobody"),
    row("CJ-04d", "sub of a client with a secret", "method_is_the_registered_one", sub="free"),
    row("CJ-05", "the token endpoint as audience", AUDIENCE, aud=TOKEN_ENDPOINT),
    row("CJ-05b", "a list of audiences", AUDIENCE, aud=[ISSUER]),
    row("CJ-05c", "a list with another server", AUDIENCE, aud=[ISSUER, "https://thief.test"]),
    row("CJ-05d", "aud missing", AUDIENCE, aud=GONE),
    row("CJ-05e", "issuer with a slash", AUDIENCE, aud=f"{ISSUER}/"),
    row("CJ-05f", "another server as audience", AUDIENCE, aud="https://thief.test"),
    row("CJ-06", "expired", EXPIRY, exp=NOW - 1),
    row("CJ-06b", "expires now", EXPIRY, exp=NOW),
    row("CJ-06c", "exp far ahead", EXPIRY, exp=NOW + 301),
    row("CJ-06d", "exp missing", EXPIRY, exp=GONE),
    row("CJ-06e", "exp a text", EXPIRY, exp=str(NOW + 60)),
    row("CJ-07", "nbf in the future", STARTS, nbf=NOW + 11),
    row("CJ-07b", "iat in the future", STARTS, iat=NOW + 11),
    row("CJ-07c", "nbf null", STARTS, nbf=None),
    row("CJ-08", "jti missing", JTI, jti=GONE),
    row("CJ-08b", "jti empty", JTI, jti=""),
    row("CJ-08c", "jti an array", JTI, jti=["a"]),
    row("CJ-08d", "jti of 257 characters", JTI, jti="j" * 257),
    row("CJ-09", "typ of an access token", TYP, header(typ="at+jwt")),
    row("CJ-09b", "typ of a proof", TYP, header(typ="dpop+jwt")),
    row("CJ-09c", "typ an array", TYP, header(typ=["JWT"])),
    row("CJ-10", "crit", "no_critical_extension", header(crit=["foo"], foo=1)),
    row("CJ-11", "no JWT", JWT, text(lambda _: "garbage")),
    row("CJ-11b", "padding", JWT, text(lambda t: f"{t}==")),
    row("CJ-11c", "NaN", JWT, exp=float("nan")),
)


def with_assertion(lab: Lab, change: Change, **parameters: str) -> Request:
    good = token_request(lab, "keyed", **parameters)
    form = dict(parse_qsl(good.body.decode()))
    form["client_assertion"] = Jws.of(form["client_assertion"], lab.client_key).text(change)
    return replace(good, body=urlencode(form).encode())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id} {row.what}")
def test_a_bad_client_assertion_is_refused(lab: Lab, row: AssertionRow) -> None:
    assert_served(lab, token_request(lab, "keyed"))
    bad = with_assertion(lab, row.change)
    assert_refused(lab, bad, status=401, error="invalid_client", reason=row.reason, check=row.check)
    assert_served(lab, token_request(lab, "keyed"))


GOOD = {
    "exp at the bound": Change(claims={"exp": NOW + 300}),
    "nbf within the slack": Change(claims={"nbf": NOW + 10}),
    "typ missing": header(typ=GONE),
    "typ of its own": header(typ="client-authentication+jwt"),
    "an unknown claim": Change(claims={"foo": 1}),
    "iat missing": Change(claims={"iat": GONE}),
}


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_good_client_assertion_is_served(lab: Lab, change: Change) -> None:
    assert_served(lab, with_assertion(lab, change))
    assert_served(lab, with_assertion(lab, change, client_id="keyed"))


def test_another_assertion_type_is_refused(lab: Lab) -> None:
    """CJ-12: RFC 7523 section 2.2."""
    for kind in ("urn:ietf:params:oauth:client-assertion-type:saml2-bearer", ""):
        good = dict(parse_qsl(token_request(lab, "keyed").body.decode()))
        bad = form_request(TOKEN_ENDPOINT, {**good, "client_assertion_type": kind})
        refusal = {"reason": INVALID, "check": "assertion_type_is_jwt_bearer"}
        assert_refused(lab, bad, status=401, error="invalid_client", **refusal)


def test_an_assertion_opens_the_door_once(lab: Lab) -> None:
    """CJ-13, and what is spent is remembered until the assertion expires."""
    request = token_request(lab, "keyed")
    assert_served(lab, request)
    for seconds in (0, 30, 29):
        lab.clock.advance(seconds)
        refusal = {"reason": INVALID, "check": "assertion_is_unused"}
        assert_refused(lab, request, status=401, error="invalid_client", **refusal)
        assert_served(lab, token_request(lab, "keyed"))
    lab.clock.advance(1)
    assert_refused(lab, request, status=401, error="invalid_client", reason=INVALID, check=EXPIRY)


def test_a_refused_request_does_not_spend_its_assertion(lab: Lab) -> None:
    """CJ-14: it is spent when all else is good, so that the client may mend the rest."""
    good = token_request(lab, "keyed")
    body = good.body.replace(b"client_credentials", b"password")
    refusal = {"reason": Reason.GRANT_UNSUPPORTED, "check": "grant_type_is_supported"}
    assert_refused(
        lab, replace(good, body=body), status=400, error="unsupported_grant_type", **refusal
    )
    assert_served(lab, good)


def test_one_clients_jti_is_not_anothers(lab: Lab) -> None:
    """CJ-15: the memory is kept by client."""
    lab.clients["twin"] = replace(lab.clients["keyed"], client_id="twin")
    for client in ("keyed", "twin"):
        claims = {"jti": "same", "iss": client, "sub": client}
        assert_served(lab, with_assertion(lab, Change(claims=claims)))
