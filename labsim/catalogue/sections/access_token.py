"""Section 8 of the catalogue: the access token at the resource server, whatever it is bound to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import serialization

from labsim.catalogue.good_request import GoodRequest
from labsim.catalogue.jws import GONE, Change, as_json
from labsim.catalogue.presenting import refused, retold, served, with_token
from labsim.catalogue.vector import Elsewhere, Force, Make, Needs, Section, Vector
from labsim.rejection import Reason

HOUR = 3600
CRM = "https://another.test"
EACH = ("bearer", "dpop", "mtls", "http_signature")
BOUND, JKT = ("dpop", "http_signature"), ("dpop",)
FORGED = "anybody makes tokens: no theft is needed"
CONFUSED = "another JWT of the same issuer, or one for another server, is as good as a token"
FOR_EVER = "a stolen token is good for ever"
UNBOUND = "a bound token is good without its key"
TOO_MUCH = "a token is good for what nobody has granted"

type Rows = tuple[Vector, ...]


def about(
    reason: Reason, check: str, gain: str, needs: Needs = Needs.ISSUER, **how: Any
) -> Callable[..., Rows]:
    """Return a maker of rows that all fail for this reason, one vector for each binding."""

    def make(
        id: str,
        what: str,
        source: str,
        make: Make | None = None,
        bindings: tuple[str, ...] = EACH,
        needs: Needs = needs,
        **claims: Any,
    ) -> Rows:
        change = make or with_token(Change(claims=claims))
        more: dict[str, Any] = {"needs": needs, "gain": gain, "reason": reason, "check": check}
        return tuple(refused(id, what, source, change, binding=b, **more | how) for b in bindings)

    return make


def header(**changes: Any) -> Make:
    """Change the token's header, and let the issuer sign it."""
    return with_token(Change(header=changes))


def by_the_thief(**changes: Any) -> Make:
    """Change the token's header, and sign it with the thief's key."""
    return with_token(lambda good: Change(header=changes, key=good.stranger))


def with_the_thiefs_jwk(good: GoodRequest) -> Change:
    """Bring the key along that has signed."""
    return Change(header={"jwk": good.stranger.public_jwk}, key=good.stranger)


def confused(good: GoodRequest) -> Change:
    """Use the issuer's public key, which is anyone's to read, as the secret of an HMAC."""
    pem = good.issuers_key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Change(header={"alg": "HS256"}, sign=lambda text: hmac.digest(pem, text, hashlib.sha256))


def timed(**offsets: float) -> Make:
    """Set times of the token to so many seconds from now."""
    return with_token(lambda good: Change(claims={n: good.now + by for n, by in offsets.items()}))


def as_text(name: str, ahead: int = 0) -> Make:
    """Write a time as a text."""
    return with_token(lambda good: Change(claims={name: str(good.now + ahead)}))


def payload(raw: bytes) -> Make:
    """Let the issuer sign another payload."""
    return with_token(Change(payload_bytes=lambda _: raw))


def audience_twice(claims: Any) -> bytes:
    """Write the audience twice, the wrong one first."""
    return b'{"aud":1,' + as_json(claims)[1:]


OTHERS = Needs.NOTHING
unsigned = about(Reason.TOKEN_SIGNATURE_INVALID, "signature_is_by_the_issuer", FORGED)
unreadable = about(Reason.TOKEN_MALFORMED, "token_is_a_jwt", FORGED)
critical = about(Reason.TOKEN_MALFORMED, "no_critical_extension", TOO_MUCH)
typed = about(Reason.TOKEN_TYPE_WRONG, "typ_is_access_token", CONFUSED)
issued = about(Reason.TOKEN_ISSUER_UNKNOWN, "issuer_is_ours", CONFUSED)
meant = about(Reason.TOKEN_AUDIENCE_MISMATCH, "audience_is_this_resource", CONFUSED)
lacking = about(Reason.TOKEN_CLAIM_MISSING, "required_claims_are_there", CONFUSED)
expired = about(Reason.TOKEN_EXPIRED, "token_is_not_expired", FOR_EVER)
early = about(Reason.TOKEN_NOT_YET_VALID, "token_is_already_valid", TOO_MUCH)
unbound = about(Reason.TOKEN_MALFORMED, "cnf_is_an_object", UNBOUND)
unsupported = about(Reason.BINDING_UNSUPPORTED, "one_accepted_binding_is_named", UNBOUND)
mismatched = about(Reason.BINDING_MISMATCH, "proof_key_is_the_bound_one", UNBOUND)
other_scheme = about(Reason.SCHEME_MISMATCH, "scheme_is_the_bindings", UNBOUND)
too_little = about(
    Reason.SCOPE_INSUFFICIENT, "scope_covers_the_request", TOO_MUCH, status=403, error="insufficient_scope"
)  # fmt: skip
REFUSED = (
    unsigned("AT-01", "alg none", "8725 3.1", with_token(Change(header={"alg": "none"}, sign=lambda _: b"")), needs=OTHERS),
    unsigned("AT-01b", "signature empty", "8725 3.1", with_token(Change(sign=lambda _: b"")), needs=OTHERS),
    unsigned("AT-02", "HS256 keyed with the public key", "8725 2.1", with_token(confused)),
    unsigned("AT-03", "signed by the thief", "9068 4", by_the_thief(), needs=OTHERS),
    unsigned("AT-04", "thief's jwk", "8725 3.10", with_token(with_the_thiefs_jwk), needs=OTHERS),
    unsigned("AT-05", "jku", "8725 3.10", by_the_thief(jku="https://thief.test"), needs=OTHERS),
    unsigned("AT-05b", "x5u", "8725 3.10", by_the_thief(x5u="https://thief.test"), needs=OTHERS),
    unsigned("AT-06", "unknown kid", "8725 3.10", header(kid="unknown")),
    unsigned("AT-06b", "kid a path", "8725 3.10", header(kid="../../dev/null")),
    unsigned("AT-06c", "kid a query", "8725 3.10", header(kid="' OR '1'='1")),
    unsigned("AT-06d", "kid missing", "8725 3.10", header(kid=GONE)),
    unsigned("AT-06e", "kid an array", "8725 3.10", header(kid=lambda kid: [kid])),
    unsigned("AT-06f", "alg an array", "8725 3.1", header(alg=["ES256"])),
    critical("AT-07", "unknown crit", "7515 4.1.11", header(crit=["foo"], foo=1)),
    critical("AT-07b", "crit empty", "7515 4.1.11", header(crit=[])),
    critical("AT-07d", "a crit that is known, and not offered", "7797 6", header(crit=["b64"], b64=True)),
    issued("AT-08", "another issuer", "9068 4", iss="https://thief.test"),
    issued("AT-08b", "issuer with a slash", "9068 4", iss=lambda iss: f"{iss}/"),
    meant("AT-09", "for another server", "9068 4", aud=CRM),
    meant("AT-09b", "for other servers", "9068 4", aud=[CRM, "https://a-third.test"]),
    meant("AT-09c", "for nobody", "9068 4", aud=[]),
    meant("AT-09d", "audience with a slash", "9068 4", aud=lambda aud: f"{aud}/"),
    meant("AT-09e", "audiences of odd types", "9068 4", aud=lambda aud: [None, 1, {"a": 1}, [aud]]),
    lacking("AT-10", "aud missing", "9068 2.2", aud=GONE),
    lacking("AT-10b", "aud a number", "9068 2.2", aud=1),
    expired("AT-11", "expired an hour ago", "9068 4", timed(exp=-HOUR)),
    expired("AT-11b", "expires now", "7519 4.1.4", timed(exp=0)),
    lacking("AT-12", "exp missing", "9068 2.2", exp=GONE),
    lacking("AT-12b", "exp a text", "9068 2.2", as_text("exp", HOUR)),
    lacking("AT-12c", "exp true", "9068 2.2", exp=True),
    lacking("AT-12d", "exp beyond all numbers", "9068 2.2", exp=10**400),
    unreadable("AT-12e", "exp NaN", "8259 6", exp=float("nan")),
    early("AT-13", "nbf in an hour", "7519 4.1.5", timed(nbf=HOUR)),
    early("AT-13b", "nbf a text", "7519 4.1.5", as_text("nbf")),
    typed("AT-14", "typ of an ID token", "9068 4", header(typ="JWT")),
    typed("AT-14b", "typ missing", "9068 4", header(typ=GONE)),
    typed("AT-14c", "typ of a proof", "8725 3.11", header(typ="dpop+jwt")),
    typed("AT-14d", "typ an array", "9068 4", header(typ=["at+jwt"])),
    typed("IR-07", "typ of a signed introspection", "9701 5", header(typ="token-introspection+jwt")),
    other_scheme("AT-16", "cnf missing under the binding's own scheme", "9449 6", bindings=BOUND, cnf=GONE),
    unbound("AT-17", "cnf a text", "7800 3.1", cnf="jkt"),
    unbound("AT-17b", "cnf null", "7800 3.1", cnf=None),
    unbound("AT-17c", "cnf an empty object", "7800 3.1", cnf={}),
    unbound("AT-17d", "cnf an array", "7800 3.1", cnf=lambda cnf: [cnf]),
    unsupported("AT-17e", "cnf of an unknown kind alone", "7800 3.1", cnf={"kid": "1"}),
    mismatched("AT-18", "jkt padded", "9449 6.1", bindings=JKT, cnf=lambda cnf: {"jkt": cnf["jkt"] + "="}),
    mismatched("AT-18b", "jkt cut", "9449 6.1", bindings=JKT, cnf=lambda cnf: {"jkt": cnf["jkt"][:-1]}),
    mismatched("AT-18c", "jkt null", "9449 6.1", bindings=JKT, cnf={"jkt": None}),
    mismatched("AT-18d", "jkt an array", "9449 6.1", bindings=JKT, cnf=lambda cnf: {"jkt": [cnf["jkt"]]}),
    unsupported("AT-19", "cnf with two known members", "7800 3.1", bindings=JKT, cnf=lambda cnf: {**cnf, "x5t#S256": "a"}),
    *(
        lacking(f"AT-22 {name}", f"{name} {what}", "9068 2.2", **{name: value})
        for name in ("iss", "sub", "client_id", "jti", "iat")
        for what, value in (("missing", GONE), ("null", None), ("an array", []), ("false", False))
    ),
    too_little("AT-23", "a scope for something else", "6750 3.1", scope="orders.write"),
    too_little("AT-23b", "a scope of another server", "6750 3.1", scope="crm.read"),
    too_little("AT-23c", "the scope's beginning", "6750 3.1", scope="orders.rea"),
    too_little("AT-23d", "two spaces between", "6749 3.3", scope="orders.read  orders.write"),
    too_little("AT-23e", "scope missing", "6750 3.1", scope=GONE),
    too_little("AT-23f", "scope an array", "6749 3.3", scope=["orders.read"]),
    too_little("AT-23g", "scope in capitals", "6749 3.3", scope="ORDERS.READ"),
    unreadable("AT-24", "two segments", "7519 7.2", retold(lambda token: token.rpartition(".")[0]), needs=OTHERS),
    unreadable("AT-24b", "four segments", "7519 7.2", retold(lambda token: f"{token}.AAAA"), needs=OTHERS),
    unreadable("AT-24c", "garbage", "7519 7.2", retold(lambda _: "garbage"), needs=OTHERS),
    unreadable("AT-24d", "payload an array", "7519 7.2", payload(b"[]")),
    unreadable("AT-24e", "payload no JSON", "7519 7.2", payload(b"{")),
    unreadable("AT-24f", "a claim twice", "7519 4", with_token(Change(payload_bytes=audience_twice))),
    unreadable("AT-24g", "padding", "7515 2", retold(lambda token: f"{token}=="), needs=OTHERS),
)  # fmt: skip


def good(id: str, what: str, source: str, make: Make, force: Force = Force.MUST_ACCEPT) -> Rows:
    """Make a row about a token that must be taken."""
    how: dict[str, Any] = {"force": force, "needs": Needs.ISSUER}
    return tuple(served(id, what, source, make, binding=b, **how) for b in EACH)


def claims(**changes: Any) -> Make:
    """Change claims of the token, and let the issuer sign it."""
    return with_token(Change(claims=changes))


SERVED = (
    good("AT-07c", "an unknown header member", "7515 4", header(foo="bar")),
    good("AT-09f", "one audience among others", "7519 4.1.3", claims(aud=lambda aud: [CRM, aud])),
    good("AT-11c", "30 seconds before it expires", "9068 4", timed(exp=30)),
    good("AT-13c", "nbf now", "7519 4.1.5", timed(nbf=0)),
    good("AT-15", "typ as a whole media type", "9068 4", header(typ="application/at+jwt")),
    good("AT-15b", "typ in another case", "7515 4.1.9", header(typ="AT+JWT"), Force.POLICY),
    good("AT-20", "an unknown claim", "7519 4", claims(foo=[1])),
    (served("AT-19b", "an unknown member of cnf beside a known one", "7800 3.1", claims(cnf=lambda cnf: {**cnf, "unknown": "a"}), needs=Needs.ISSUER),),
)  # fmt: skip

_TESTS = "tests/vectors/test_8_access_token.py"
SECTION = Section(
    name="access_token",
    number=8,
    title="Access token at the resource server",
    vectors=tuple(vector for row in (*REFUSED, *SERVED) for vector in row),
    elsewhere=(
        Elsewhere(
            id="AT-21",
            what="a revoked token with a valid proof",
            source="RFC 7009 section 2",
            why="it takes a server that was told of the revocation",
            proven=_TESTS,
        ),
        Elsewhere(
            id="AT-25",
            what="a key of another kind under the same kid",
            source="RFC 8725 section 3.10",
            why="it takes a server with another key of the issuer",
            proven=_TESTS,
        ),
    ),
)
