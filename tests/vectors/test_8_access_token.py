"""Section 8 of the catalogue: the access token, whatever it is bound to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from labsim.http_message import Request, Response
from labsim.keys import SigningKey, public_key
from labsim.rejection import Reason
from tests.exchange import answer, assert_challenged, assert_refused, assert_served
from tests.jws import GONE, Change, Jws, as_json
from tests.wiring import BINDINGS, CRM, ISSUER, ISSUER_KEY, ORDERS, RECORD, IssuerKeys, Lab

NOW = 1_800_000_000
THIEF = SigningKey.generate()


@dataclass(frozen=True, kw_only=True)
class TokenRow:
    """One way in which a token is bad: `change` is all that differs from one that was issued."""

    id: str
    what: str
    source: str
    change: Change = field(default_factory=Change)
    check: str
    reason: Reason
    bindings: tuple[str, ...] = ("bearer", "dpop")


def hmac_with_public_key(signing_input: bytes) -> bytes:
    """Sign as the confusion of algorithms does; the key is anyone's to read."""
    pem = ISSUER_KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hmac.digest(pem, signing_input, hashlib.sha256)


def about(reason: Reason, check: str) -> Callable[..., TokenRow]:
    """Return a maker of rows that all fail for this reason."""

    def make(
        id: str,
        what: str,
        source: str,
        change: Change | None = None,
        bindings: tuple[str, ...] = ("bearer", "dpop"),
        **claims: Any,
    ) -> TokenRow:
        return TokenRow(
            id=id,
            what=what,
            source=source,
            change=change or Change(claims=claims),
            check=check,
            reason=reason,
            bindings=bindings,
        )

    return make


def header(**changes: Any) -> Change:
    return Change(header=changes)


unsigned = about(Reason.TOKEN_SIGNATURE_INVALID, "signature_is_by_the_issuer")
unreadable = about(Reason.TOKEN_MALFORMED, "token_is_a_jwt")
critical = about(Reason.TOKEN_MALFORMED, "no_critical_extension")
typed = about(Reason.TOKEN_TYPE_WRONG, "typ_is_access_token")
issued = about(Reason.TOKEN_ISSUER_UNKNOWN, "issuer_is_ours")
meant = about(Reason.TOKEN_AUDIENCE_MISMATCH, "audience_is_this_resource")
lacking = about(Reason.TOKEN_CLAIM_MISSING, "required_claims_are_there")
expired = about(Reason.TOKEN_EXPIRED, "token_is_not_expired")
early = about(Reason.TOKEN_NOT_YET_VALID, "token_is_already_valid")
unbound = about(Reason.TOKEN_MALFORMED, "cnf_is_an_object")
unsupported = about(Reason.BINDING_UNSUPPORTED, "one_accepted_binding_is_named")
mismatched = about(Reason.BINDING_MISMATCH, "proof_key_is_the_bound_one")
other_scheme = about(Reason.SCHEME_MISMATCH, "scheme_is_the_bindings")
BOUND = ("dpop",)

ROWS = (
    unsigned("AT-01", "alg none", "8725 3.1", Change(header={"alg": "none"}, sign=lambda _: b"")),
    unsigned("AT-01b", "signature empty", "8725 3.1", Change(sign=lambda _: b"")),
    unsigned(
        "AT-02",
        "HS256 keyed with the public key",
        "8725 2.1",
        Change(header={"alg": "HS256"}, sign=hmac_with_public_key),
    ),
    unsigned("AT-03", "signed by the thief", "9068 4", Change(key=THIEF)),
    unsigned(
        "AT-04", "thief's jwk", "8725 3.10", Change(header={"jwk": THIEF.public_jwk}, key=THIEF)
    ),
    unsigned("AT-05", "jku", "8725 3.10", Change(header={"jku": "https://thief.test"}, key=THIEF)),
    unsigned("AT-05b", "x5u", "8725 3.10", Change(header={"x5u": "https://thief.test"}, key=THIEF)),
    unsigned("AT-06", "unknown kid", "8725 3.10", header(kid="unknown")),
    unsigned("AT-06b", "kid a path", "8725 3.10", header(kid="../../dev/null")),
    unsigned("AT-06c", "kid a query", "8725 3.10", header(kid="' OR '1'='1")),
    unsigned("AT-06d", "kid missing", "8725 3.10", header(kid=GONE)),
    unsigned("AT-06e", "kid an array", "8725 3.10", header(kid=lambda kid: [kid])),
    unsigned("AT-06f", "alg an array", "8725 3.1", header(alg=["ES256"])),
    critical("AT-07", "unknown crit", "7515 4.1.11", header(crit=["foo"], foo=1)),
    critical("AT-07b", "crit empty", "7515 4.1.11", header(crit=[])),
    issued("AT-08", "another issuer", "9068 4", iss="https://thief.test"),
    issued("AT-08b", "issuer with a slash", "9068 4", iss=f"{ISSUER}/"),
    meant("AT-09", "for another server", "9068 4", aud=CRM),
    meant("AT-09b", "for other servers", "9068 4", aud=[CRM, ISSUER]),
    meant("AT-09c", "for nobody", "9068 4", aud=[]),
    meant("AT-09d", "audience with a slash", "9068 4", aud=f"{ORDERS}/"),
    meant("AT-09e", "audiences of odd types", "9068 4", aud=[None, 1, {"a": 1}, [ORDERS]]),
    lacking("AT-10", "aud missing", "9068 2.2", aud=GONE),
    lacking("AT-10b", "aud a number", "9068 2.2", aud=1),
    expired("AT-11", "expired an hour ago", "9068 4", exp=NOW - 3600),
    expired("AT-11b", "expires now", "7519 4.1.4", exp=NOW),
    lacking("AT-12", "exp missing", "9068 2.2", exp=GONE),
    lacking("AT-12b", "exp a text", "9068 2.2", exp=str(NOW + 600)),
    lacking("AT-12c", "exp true", "9068 2.2", exp=True),
    lacking("AT-12d", "exp beyond all numbers", "9068 2.2", exp=10**400),
    unreadable("AT-12e", "exp NaN", "8259 6", exp=float("nan")),
    early("AT-13", "nbf in the future", "7519 4.1.5", nbf=NOW + 1),
    early("AT-13b", "nbf a text", "7519 4.1.5", nbf=str(NOW)),
    typed("AT-14", "typ of an ID token", "9068 4", header(typ="JWT")),
    typed("AT-14b", "typ missing", "9068 4", header(typ=GONE)),
    typed("AT-14c", "typ of a proof", "8725 3.11", header(typ="dpop+jwt")),
    typed("AT-14d", "typ an array", "9068 4", header(typ=["at+jwt"])),
    typed(
        "IR-07", "typ of a signed introspection", "9701 5", header(typ="token-introspection+jwt")
    ),
    other_scheme("AT-16", "cnf missing under DPoP", "9449 6", bindings=BOUND, cnf=GONE),
    unbound("AT-17", "cnf a text", "7800 3.1", cnf="jkt"),
    unbound("AT-17b", "cnf null", "7800 3.1", cnf=None),
    unbound("AT-17c", "cnf an empty object", "7800 3.1", cnf={}),
    unbound("AT-17d", "cnf an array", "7800 3.1", cnf=lambda cnf: [cnf]),
    unsupported("AT-17e", "cnf of an unknown kind alone", "7800 3.1", cnf={"kid": "1"}),
    mismatched(
        "AT-18", "jkt padded", "9449 6.1", bindings=BOUND, cnf=lambda c: {"jkt": c["jkt"] + "="}
    ),
    mismatched(
        "AT-18b", "jkt cut", "9449 6.1", bindings=BOUND, cnf=lambda c: {"jkt": c["jkt"][:-1]}
    ),
    mismatched("AT-18c", "jkt null", "9449 6.1", bindings=BOUND, cnf={"jkt": None}),
    mismatched(
        "AT-18d", "jkt an array", "9449 6.1", bindings=BOUND, cnf=lambda c: {"jkt": [c["jkt"]]}
    ),
    *(
        lacking(f"AT-22 {name}", f"{name} {what}", "9068 2.2", **{name: value})
        for name in ("iss", "sub", "client_id", "jti", "iat")
        for what, value in (("missing", GONE), ("null", None), ("an array", []), ("false", False))
    ),
    unreadable("AT-24", "two segments", "7519 7.2", Change(text=lambda t: t.rpartition(".")[0])),
    unreadable("AT-24b", "four segments", "7519 7.2", Change(text=lambda t: f"{t}.AAAA")),
    unreadable("AT-24c", "garbage", "7519 7.2", Change(text=lambda _: "garbage")),
    unreadable("AT-24d", "payload an array", "7519 7.2", Change(payload_bytes=lambda _: b"[]")),
    unreadable("AT-24e", "payload no JSON", "7519 7.2", Change(payload_bytes=lambda _: b"{")),
    unreadable(
        "AT-24f",
        "a claim twice",
        "7519 4",
        Change(payload_bytes=lambda c: b'{"aud":1,' + as_json(c)[1:]),
    ),
    unreadable("AT-24g", "padding", "7515 2", Change(text=lambda t: f"{t}==")),
)


def issued_token(lab: Lab, binding: str) -> Jws:
    return Jws.of(lab.token(binding).access_token, lab.issuer_key)


def presented(lab: Lab, binding: str, token: str, **more: Any) -> Request:
    return BINDINGS[binding].attach(Request("GET", RECORD), lab.presentation(token, **more))


def assert_good_token_served(lab: Lab, binding: str) -> None:
    token = issued_token(lab, binding).text(Change())
    assert_served(lab, presented(lab, binding, token))


@pytest.mark.parametrize(
    ("row", "binding"),
    [pytest.param(r, b, id=f"{r.id} {b} {r.what}") for r in ROWS for b in r.bindings],
)
def test_a_bad_token_is_refused(lab: Lab, row: TokenRow, binding: str) -> None:
    assert_good_token_served(lab, binding)
    bad = presented(lab, binding, issued_token(lab, binding).text(row.change))
    refusal = {"error": "invalid_token", "reason": row.reason, "check": row.check}
    response = assert_refused(lab, bad, status=401, **refusal)
    assert_challenged(response, BINDINGS[binding].scheme, "invalid_token")
    assert_good_token_served(lab, binding)


GOOD = {
    "AT-07c an unknown header member": header(foo="bar"),
    "AT-09f one audience among others": Change(claims={"aud": [CRM, ORDERS]}),
    "AT-11c a second before it expires": Change(claims={"exp": NOW + 1}),
    "AT-13c nbf now": Change(claims={"nbf": NOW}),
    "AT-15 typ as a whole media type": header(typ="application/at+jwt"),
    "AT-15b typ in another case": header(typ="AT+JWT"),
    "AT-20 an unknown claim": Change(claims={"foo": [1]}),
}


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_good_token_is_served(lab: Lab, change: Change, binding: str) -> None:
    assert_served(lab, presented(lab, binding, issued_token(lab, binding).text(change)))


def test_a_cnf_member_that_nobody_knows_is_ignored_beside_a_known_one(lab: Lab) -> None:
    """AT-19: RFC 7800 section 3.1, see docs/policy.md."""
    token = issued_token(lab, "dpop").text(
        Change(claims={"cnf": lambda cnf: {**cnf, "unknown": "a"}})
    )
    assert_served(lab, presented(lab, "dpop", token))


def test_a_cnf_with_two_known_members_is_refused(lab: Lab) -> None:
    """AT-19: two bindings at once; the server does not pick the easier one."""
    assert_good_token_served(lab, "dpop")
    token = issued_token(lab, "dpop").text(
        Change(claims={"cnf": lambda cnf: {**cnf, "x5t#S256": "a"}})
    )
    refusal = {"reason": Reason.BINDING_UNSUPPORTED, "check": "one_accepted_binding_is_named"}
    request = presented(lab, "dpop", token)
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
def test_a_revoked_token_is_refused(lab: Lab, binding: str) -> None:
    """AT-21."""
    token = issued_token(lab, binding)
    assert_served(lab, presented(lab, binding, token.text(Change())))
    lab.revoke_at(lab.orders, token.claims["jti"])
    refusal = {"reason": Reason.TOKEN_REVOKED, "check": "token_is_not_revoked"}
    bad = presented(lab, binding, token.text(Change()))
    assert_refused(lab, bad, status=401, error="invalid_token", **refusal)
    assert_good_token_served(lab, binding)


SCOPES = {
    "AT-23 too little": "orders.write",
    "AT-23b of another server": "crm.read",
    "AT-23c the scope's beginning": "orders.rea",
    "AT-23d two spaces between": "orders.read  orders.write",
    "AT-23e missing": GONE,
    "AT-23f an array": ["orders.read"],
    "AT-23g in capitals": "ORDERS.READ",
}


@pytest.mark.parametrize("binding", ["bearer", "dpop"])
@pytest.mark.parametrize("scope", SCOPES.values(), ids=SCOPES)
def test_a_token_without_the_scope_is_forbidden(lab: Lab, scope: Any, binding: str) -> None:
    assert_good_token_served(lab, binding)
    token = issued_token(lab, binding).text(Change(claims={"scope": scope}))
    refusal = {"reason": Reason.SCOPE_INSUFFICIENT, "check": "scope_covers_the_request"}
    request = presented(lab, binding, token)
    response = assert_refused(lab, request, status=403, error="insufficient_scope", **refusal)
    assert_challenged(response, BINDINGS[binding].scheme, "insufficient_scope")
    assert all('scope="orders.read"' in value for value in response.values("WWW-Authenticate"))
    assert_good_token_served(lab, binding)


def posted(lab: Lab, scope: str) -> Response:
    token = issued_token(lab, "dpop").text(Change(claims={"scope": scope}))
    request = Request("POST", f"{ORDERS}/records", (), b'{"title":"new"}')
    return answer(lab, BINDINGS["dpop"].attach(request, lab.presentation(token)))


def test_reading_is_no_permission_to_write(lab: Lab) -> None:
    """AT-23."""
    assert posted(lab, "orders.write").status == 201
    assert posted(lab, "orders.read").status == 403
    assert posted(lab, "orders.read orders.write").status == 201


def test_a_key_of_another_kind_under_the_same_kid_verifies_nothing(lab: Lab) -> None:
    """AT-25: the algorithm is the key's, never the header's."""
    kid = issued_token(lab, "bearer").header["kid"]
    other = public_key(SigningKey.generate("Ed25519").public_jwk)
    lab.orders = replace(lab.orders, issuer_keys=IssuerKeys({kid: other}))
    request = presented(lab, "bearer", issued_token(lab, "bearer").text(Change()))
    refusal = {"reason": Reason.TOKEN_SIGNATURE_INVALID, "check": "signature_is_by_the_issuer"}
    assert_refused(lab, request, status=401, error="invalid_token", **refusal)
